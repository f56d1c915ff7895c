import { ref, shallowRef } from 'vue'
import { ApiError, fetchEntry, fetchNewest, fetchPage } from '../api/client'
import type { Entry, Page } from '../api/types'
import { entryKey, isEntryOf, keyAddress } from '../model/entry_key'
import { toRow, type Item, type Row } from '../model/row'

/** Rows the page holds at most; the oldest go first. */
export const kMaxRows = 100_000
const kFirstPage = 200
/** Whole entries kept at hand, so that a click on a recent row shows it at once. */
const kCachedEntries = 500

/** The loaded part of the log, newest first. One instance per page. */
export function useLogList() {
  const items = shallowRef<readonly Item[]>([])
  const phase = ref<'loading' | 'ready' | 'failed'>('loading')
  const error = ref('')
  const olderError = ref('')
  /** Where the next older page is; null at the end of the log. */
  const next = ref<string | null>(null)
  /** True once rows were let go at the old end. */
  const trimmed = ref(false)

  const keys = new Set<string>()
  const whole = new Map<string, Entry>()
  let gaps = 0
  let loadingOlder = false

  function remember(row: Row, entry: Entry): void {
    whole.set(row.key, entry)
    if (whole.size <= kCachedEntries) return
    // Entries without an id can not be asked for again: they stay as long as their row.
    for (const key of whole.keys()) {
      if (keyAddress(key) === null) continue
      whole.delete(key)
      break
    }
  }

  /** Rows for the entries that are not in the list yet; newest first in and out. */
  function fresh(entries: readonly Entry[]): Row[] {
    const rows: Row[] = []
    for (const entry of entries) {
      const key = entryKey(entry)
      if (keys.has(key)) continue
      const row = toRow(entry, key)
      keys.add(row.key)
      remember(row, entry)
      rows.push(row)
    }
    return rows
  }

  function put(list: Item[]): void {
    if (list.length > kMaxRows) {
      for (const item of list.slice(kMaxRows)) {
        keys.delete(item.key)
        whole.delete(item.key)
      }
      list.length = kMaxRows
      trimmed.value = true
      next.value = null
    }
    items.value = list
  }

  function replace(page: Page): void {
    keys.clear()
    whole.clear()
    trimmed.value = false
    olderError.value = ''
    next.value = page.next
    put(fresh(page.data))
  }

  async function load(known: 'keep' | 'forget'): Promise<void> {
    try {
      const page = await fetchNewest(kFirstPage)
      const touches = page.data.some((entry) => keys.has(entryKey(entry)))
      if (known === 'keep' && touches) put([...fresh(page.data), ...items.value])
      else replace(page)
      phase.value = 'ready'
      error.value = ''
    } catch (cause) {
      error.value = cause instanceof ApiError ? cause.message : String(cause)
      if (phase.value !== 'ready') phase.value = 'failed'
    }
  }

  /**
   * Loads the newest page and joins it to what is there; where the two do not touch, the newest
   * page replaces everything. Never throws: failures are in `phase` and `error`.
   */
  const refresh = () => load('keep')

  /** Replaces everything by the newest page. Failures as with refresh(). */
  const reload = () => load('forget')

  /** Loads the page before the oldest row; failures are in `olderError`. A second call meanwhile does nothing. */
  async function loadOlder(): Promise<void> {
    const from = next.value
    if (from === null || loadingOlder) return
    loadingOlder = true
    olderError.value = ''
    try {
      const page = await fetchPage(from)
      if (next.value !== from) return
      next.value = page.next
      put([...items.value, ...fresh(page.data)])
    } catch (cause) {
      olderError.value = cause instanceof ApiError ? cause.message : String(cause)
    } finally {
      loadingOlder = false
    }
  }

  /** Puts live entries on top; `entries` in the order of their arrival. Returns how many were new. */
  function addLive(entries: readonly Entry[]): number {
    const rows = fresh([...entries].reverse())
    if (rows.length > 0) put([...rows, ...items.value])
    return rows.length
  }

  /** Marks on top of the list that `count` entries were not sent. */
  function addGap(count: number): void {
    const top = items.value[0]
    if (top?.kind === 'gap') put([{ ...top, count: top.count + count }, ...items.value.slice(1)])
    else put([{ kind: 'gap', key: `gap-${(gaps += 1)}`, count }, ...items.value])
  }

  /** The whole entry of a row or an id: from memory or else from the service. Throws ApiError. */
  async function entry(key: string, signal: AbortSignal): Promise<Entry> {
    const known = whole.get(key)
    if (known) return known
    const address = keyAddress(key)
    const found = address === null ? null : await fetchEntry(address, signal)
    if (!found || !isEntryOf(key, found)) throw new ApiError('This entry is not stored.', 404)
    return found
  }

  return { items, phase, error, next, trimmed, olderError, refresh, reload, loadOlder, addLive, addGap, entry }
}

export type LogList = ReturnType<typeof useLogList>
