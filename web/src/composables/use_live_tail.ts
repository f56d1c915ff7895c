import { computed, onScopeDispose, ref } from 'vue'
import { normalizeEntry, openStream } from '../api/client'
import { SseParser, type ServerEvent } from '../api/sse'
import type { Entry } from '../api/types'

export interface TailHandlers {
  /** Entries in the order of their arrival, at most ten times a second. */
  onEntries(entries: Entry[]): void
  /** The stream left `count` entries out. */
  onSkipped(count: number): void
  /**
   * The stream is open (or could not be opened) and nothing can be replayed: load the newest page.
   * Live entries wait until the promise is settled.
   */
  onCatchUp(): Promise<void>
  /** The service's numbering started anew: nothing loaded is of use. */
  onReset(): Promise<void>
}

const kFlushMs = 100
const kFirstRetryMs = 500
const kMaxRetryMs = 10_000
/** Entries held back while paused. What goes beyond becomes a gap. */
const kMaxHeld = 5_000
/** How long the list waits for the stream to open before it is loaded without. */
const kStreamGraceMs = 700

/**
 * The live end of the log over server-sent events: reconnects by itself with back-off and
 * Last-Event-ID, can be paused, and tells what it had to leave out.
 */
export function useLiveTail(handlers: TailHandlers) {
  const connection = ref<'connecting' | 'open' | 'waiting'>('connecting')
  const paused = ref(false)
  const heldCount = ref(0)
  /** Epoch milliseconds of the next attempt while `waiting`. */
  const retryAt = ref(0)

  let lastId: string | null = null
  let attempts = 0
  let buffer: Entry[] = []
  let overflow = 0
  let catchingUp = false
  let flushTimer: ReturnType<typeof setTimeout> | undefined
  let wake: (() => void) | undefined
  let control = new AbortController()
  let stopped = false

  function scheduleFlush(): void {
    flushTimer ??= setTimeout(() => {
      flushTimer = undefined
      flush()
    }, kFlushMs)
  }

  function flush(): void {
    if (catchingUp || paused.value) return
    const entries = buffer
    const missed = overflow
    buffer = []
    overflow = 0
    heldCount.value = 0
    if (missed > 0) handlers.onSkipped(missed)
    if (entries.length > 0) handlers.onEntries(entries)
  }

  async function catchUp(load: () => Promise<void>): Promise<void> {
    catchingUp = true
    try {
      await load()
    } finally {
      catchingUp = false
      flush()
    }
  }

  function take(event: ServerEvent): void {
    if (event.event === 'skipped') {
      const count = Number((JSON.parse(event.data) as { count?: unknown }).count)
      if (count > 0) {
        flush()
        if (paused.value || catchingUp) overflow += count
        else handlers.onSkipped(count)
      }
    } else if (event.event === 'entry' || event.event === 'message') {
      const entry = normalizeEntry(JSON.parse(event.data))
      if (!entry) return
      buffer.push(entry)
      if (buffer.length > kMaxHeld && paused.value) {
        overflow += buffer.length - kMaxHeld
        buffer.splice(0, buffer.length - kMaxHeld)
      }
      if (paused.value) heldCount.value = buffer.length + overflow
      else scheduleFlush()
    }
    if (event.id !== null) {
      if (lastId !== null && Number(event.id) < Number(lastId)) void catchUp(handlers.onReset)
      lastId = event.id
    }
  }

  async function read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const reader = stream.getReader()
    const decoder = new TextDecoder()
    const parser = new SseParser(lastId)
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      for (const event of parser.push(decoder.decode(value, { stream: true }))) {
        try {
          take(event)
        } catch {
          // One event that is no JSON must not end the stream.
        }
      }
    }
  }

  async function attempt(): Promise<void> {
    control = new AbortController()
    connection.value = 'connecting'
    const opening = openStream(lastId, control.signal)
    if (lastId === null) {
      const grace = new Promise<'late'>((resolve) => setTimeout(() => resolve('late'), kStreamGraceMs))
      const first = await Promise.race([opening.then(() => 'open' as const, () => 'failed' as const), grace])
      // Loaded early, the list may miss what arrives before the stream opens: it is loaded again then.
      if (first !== 'open') await catchUp(handlers.onCatchUp)
      const stream = await opening
      connection.value = 'open'
      attempts = 0
      void catchUp(handlers.onCatchUp)
      await read(stream)
      return
    }
    const stream = await opening
    connection.value = 'open'
    attempts = 0
    await read(stream)
  }

  async function run(): Promise<void> {
    while (!stopped) {
      try {
        await attempt()
      } catch {
        // Every failure ends in the same place: wait, then try again.
      }
      if (stopped) return
      const delay = Math.min(kFirstRetryMs * 2 ** attempts, kMaxRetryMs) * (0.8 + Math.random() * 0.4)
      attempts += 1
      retryAt.value = Date.now() + delay
      connection.value = 'waiting'
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, delay)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      wake = undefined
    }
  }

  function retryNow(): void {
    attempts = 0
    wake?.()
  }

  function togglePause(): void {
    paused.value = !paused.value
    if (!paused.value) flush()
  }

  function onVisible(): void {
    if (document.visibilityState === 'visible') retryNow()
  }

  window.addEventListener('online', retryNow)
  document.addEventListener('visibilitychange', onVisible)
  onScopeDispose(() => {
    stopped = true
    control.abort()
    wake?.()
    clearTimeout(flushTimer)
    window.removeEventListener('online', retryNow)
    document.removeEventListener('visibilitychange', onVisible)
  })
  void run()

  const state = computed(() => (connection.value === 'open' && paused.value ? 'paused' : connection.value))
  return { state, connection, paused, heldCount, retryAt, togglePause, retryNow }
}

export type LiveTail = ReturnType<typeof useLiveTail>
