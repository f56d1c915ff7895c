import { onScopeDispose, ref } from 'vue'

/** Puts text on the clipboard, also on pages served over plain http from another host. */
async function write(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return writeBySelection(text)
  }
}

function writeBySelection(text: string): boolean {
  const area = document.createElement('textarea')
  area.value = text
  area.style.position = 'fixed'
  area.style.opacity = '0'
  const focused = document.activeElement
  document.body.append(area)
  area.select()
  try {
    return document.execCommand('copy')
  } catch {
    return false
  } finally {
    area.remove()
    if (focused instanceof HTMLElement) focused.focus()
  }
}

/** `outcome` says for two seconds how the last copy went. */
export function useClipboard() {
  const outcome = ref<'idle' | 'copied' | 'failed'>('idle')
  let timer: ReturnType<typeof setTimeout> | undefined

  async function copy(text: string): Promise<void> {
    outcome.value = (await write(text)) ? 'copied' : 'failed'
    clearTimeout(timer)
    timer = setTimeout(() => {
      outcome.value = 'idle'
    }, 2000)
  }

  onScopeDispose(() => clearTimeout(timer))
  return { outcome, copy }
}
