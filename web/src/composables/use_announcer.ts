import { onScopeDispose, ref } from 'vue'
import { plural } from '../model/format'

/** New entries are summed up over this time: a screen reader should not be flooded. */
const kQuietMs = 5_000

/** The text of the page's live region. */
export function useAnnouncer() {
  const announcement = ref('')
  let pending = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  function announce(text: string): void {
    announcement.value = text
  }

  function announceNew(count: number): void {
    pending += count
    if (count === 0 || timer !== undefined) return
    timer = setTimeout(() => {
      timer = undefined
      announce(plural(pending, 'new entry', 'new entries'))
      pending = 0
    }, kQuietMs)
  }

  onScopeDispose(() => clearTimeout(timer))
  return { announcement, announce, announceNew }
}
