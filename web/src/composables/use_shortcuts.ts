import { onScopeDispose } from 'vue'

export interface Shortcuts {
  move(step: number | 'first' | 'last'): void
  page(direction: 1 | -1): void
  open(): void
  close(): void
  filter(): void
  pause(): void
}

/** Keys that a control under the focus needs itself. */
function belongsToControl(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement | null
  if (!target) return false
  if (target.isContentEditable || target.matches('input, textarea, select')) return true
  const takesEnter = target.closest('button, a[href], [role="tab"], [role="separator"], [role="radio"]') !== null
  if (takesEnter) return event.key === 'Enter' || event.key === ' ' || event.key.startsWith('Arrow') || event.key === 'Home' || event.key === 'End'
  // Inside the detail pane the scrolling keys scroll the pane.
  const scrolls = ['PageUp', 'PageDown', 'Home', 'End', 'ArrowUp', 'ArrowDown'].includes(event.key)
  return scrolls && target !== document.body && target.getAttribute('role') !== 'grid'
}

/** The page's keys. They act wherever the focus is, except where the focused control uses the key. */
export function useShortcuts(actions: Shortcuts): void {
  function onKey(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || belongsToControl(event)) return
    const act: Record<string, () => void> = {
      ArrowDown: () => actions.move(1),
      j: () => actions.move(1),
      ArrowUp: () => actions.move(-1),
      k: () => actions.move(-1),
      PageDown: () => actions.page(1),
      PageUp: () => actions.page(-1),
      Home: () => actions.move('first'),
      End: () => actions.move('last'),
      Enter: actions.open,
      Escape: actions.close,
      '/': actions.filter,
      ' ': actions.pause,
    }
    const action = act[event.key]
    if (!action) return
    event.preventDefault()
    action()
  }
  window.addEventListener('keydown', onKey)
  onScopeDispose(() => window.removeEventListener('keydown', onKey))
}
