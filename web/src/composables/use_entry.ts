import { onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue'
import { ApiError } from '../api/client'
import type { Entry } from '../api/types'

/** The entry that `key` names, loaded whenever the key changes. A late answer to an older key is dropped. */
export function useEntry(key: Ref<string | null>, load: (key: string, signal: AbortSignal) => Promise<Entry>) {
  const entry = shallowRef<Entry | null>(null)
  const phase = ref<'none' | 'loading' | 'ready' | 'missing' | 'failed'>('none')
  const error = ref('')
  let control = new AbortController()

  async function run(): Promise<void> {
    control.abort()
    const mine = (control = new AbortController())
    const wanted = key.value
    error.value = ''
    if (wanted === null) {
      entry.value = null
      phase.value = 'none'
      return
    }
    phase.value = 'loading'
    try {
      const loaded = await load(wanted, mine.signal)
      if (mine.signal.aborted) return
      entry.value = loaded
      phase.value = 'ready'
    } catch (cause) {
      if (mine.signal.aborted) return
      entry.value = null
      phase.value = cause instanceof ApiError && cause.status === 404 ? 'missing' : 'failed'
      error.value = cause instanceof Error ? cause.message : String(cause)
    }
  }

  watch(key, run, { immediate: true })
  onScopeDispose(() => control.abort())
  return { entry, phase, error, retry: run }
}
