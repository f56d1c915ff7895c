import { computed, ref, watchEffect } from 'vue'

export type ThemeChoice = 'system' | 'light' | 'dark'

const kKey = 'gibbon-theme'
const system = window.matchMedia('(prefers-color-scheme: dark)')
const systemDark = ref(system.matches)
system.addEventListener('change', (event) => {
  systemDark.value = event.matches
})

function stored(): ThemeChoice {
  try {
    const value = localStorage.getItem(kKey)
    return value === 'light' || value === 'dark' ? value : 'system'
  } catch {
    return 'system'
  }
}

const choice = ref<ThemeChoice>(stored())
const dark = computed(() => (choice.value === 'system' ? systemDark.value : choice.value === 'dark'))

watchEffect(() => {
  const root = document.documentElement
  root.dataset.kuiTheme = dark.value ? 'electric-lime-night' : 'electric-lime-day'
  root.style.colorScheme = dark.value ? 'dark' : 'light'
})

/** The page's theme. Follows the system until the reader chooses; the choice is kept in the browser. */
export function useTheme() {
  function toggle(): void {
    const wanted = dark.value ? 'light' : 'dark'
    choice.value = (wanted === 'dark') === systemDark.value ? 'system' : wanted
    try {
      if (choice.value === 'system') localStorage.removeItem(kKey)
      else localStorage.setItem(kKey, choice.value)
    } catch {
      // Storage may be forbidden: the choice then lasts as long as the page.
    }
  }
  return { dark, toggle }
}
