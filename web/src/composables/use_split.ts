import { computed, onScopeDispose, reactive, ref } from 'vue'

type Layout = 'beside' | 'below'
const kDefaults: Record<Layout, number> = { beside: 44, below: 60 }

function stored(layout: Layout): number {
  try {
    const value = Number(localStorage.getItem(`gibbon-split-${layout}`))
    return value >= 25 && value <= 75 ? value : kDefaults[layout]
  } catch {
    return kDefaults[layout]
  }
}

/** How list and entry share the page: side by side where it is wide, else one above the other. */
export function useSplit() {
  const wide = window.matchMedia('(min-width: 960px)')
  const beside = ref(wide.matches)
  const onChange = (event: MediaQueryListEvent) => {
    beside.value = event.matches
  }
  wide.addEventListener('change', onChange)
  onScopeDispose(() => wide.removeEventListener('change', onChange))

  const shares = reactive({ beside: stored('beside'), below: stored('below') })
  const share = computed({
    get: () => shares[beside.value ? 'beside' : 'below'],
    set(value) {
      const layout = beside.value ? 'beside' : 'below'
      shares[layout] = value
      try {
        localStorage.setItem(`gibbon-split-${layout}`, String(value))
      } catch {
        // Storage may be forbidden: the size then lasts as long as the page.
      }
    },
  })
  return { share, beside }
}
