import { computed, nextTick, onBeforeUnmount, onMounted, ref, watch, type Ref } from 'vue'

/** Rows rendered beyond each edge of the view. */
const kOverscan = 12

/** Which rows of `total` to render for a view of `height` pixels at `top`. `end` is exclusive. */
export function visibleRange(top: number, height: number, rowHeight: number, total: number): { start: number; end: number } {
  const first = Math.floor(top / rowHeight) - kOverscan
  const last = Math.ceil((top + height) / rowHeight) + kOverscan
  const end = Math.min(Math.max(last, 0), total)
  return { start: Math.min(Math.max(first, 0), end), end }
}

/**
 * Windowing for rows of one height. Rows that are put in above the view do not move what is in
 * view: the scroll position follows the first visible row's key.
 */
export function useVirtualRows<T extends { key: string }>(
  scroller: Ref<HTMLElement | null>,
  items: Ref<readonly T[]>,
  rowHeight: number,
) {
  const top = ref(0)
  const height = ref(0)
  /** Rows that came in above while the view was not at the top. */
  const above = ref(0)
  const atTop = computed(() => top.value < rowHeight / 2)
  const range = computed(() => visibleRange(top.value, height.value, rowHeight, items.value.length))
  const rendered = computed(() => items.value.slice(range.value.start, range.value.end))
  let observer: ResizeObserver | undefined

  function onScroll(): void {
    if (!scroller.value) return
    top.value = scroller.value.scrollTop
    if (atTop.value) above.value = 0
  }

  watch(items, (now, before) => {
    // The reader may have scrolled since the last scroll event.
    if (scroller.value) top.value = scroller.value.scrollTop
    if (atTop.value || before.length === 0) return
    const index = Math.min(Math.floor(top.value / rowHeight), before.length - 1)
    const anchor = before[index]
    const moved = anchor ? now.findIndex((item) => item.key === anchor.key) : -1
    if (moved < 0) return
    above.value += Math.max(moved - index, 0)
    if (moved !== index) scrollTo(top.value + (moved - index) * rowHeight)
  })

  /** Waits for the spacer to have its new height, then scrolls without animation. */
  function scrollTo(position: number): void {
    top.value = position
    void nextTick(() => {
      if (scroller.value) scroller.value.scrollTop = position
    })
  }

  function toTop(): void {
    above.value = 0
    scrollTo(0)
  }

  /** Scrolls as little as needed for the row to be in view. `inset`: height of what covers the top edge. */
  function reveal(index: number, inset: number): void {
    const view = scroller.value
    if (!view) return
    const rowTop = index * rowHeight
    if (rowTop < view.scrollTop) scrollTo(rowTop)
    else if (rowTop + rowHeight + inset > view.scrollTop + view.clientHeight) {
      scrollTo(rowTop + rowHeight + inset - view.clientHeight)
    }
  }

  onMounted(() => {
    if (!scroller.value) return
    height.value = scroller.value.clientHeight
    observer = new ResizeObserver(() => {
      height.value = scroller.value?.clientHeight ?? 0
    })
    observer.observe(scroller.value)
  })
  onBeforeUnmount(() => observer?.disconnect())

  return { range, rendered, above, atTop, height, onScroll, toTop, reveal }
}
