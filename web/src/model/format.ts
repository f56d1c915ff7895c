const time = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
})
const full = new Intl.DateTimeFormat('en-GB', {
  year: 'numeric',
  month: 'short',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  timeZoneName: 'short',
})
const number = new Intl.NumberFormat('en-US')

/** 14:03:22.993 in the reader's time zone; a dash where the time is not known. */
export function formatTime(ms: number): string {
  return Number.isFinite(ms) ? time.format(ms) : '–'
}

/** 07-23, for entries of another day; empty for today's and for unknown times. */
export function formatDay(ms: number, now = Date.now()): string {
  if (!Number.isFinite(ms)) return ''
  const then = new Date(ms)
  const today = new Date(now)
  if (then.toDateString() === today.toDateString()) return ''
  const day = `${String(then.getMonth() + 1).padStart(2, '0')}-${String(then.getDate()).padStart(2, '0')}`
  return then.getFullYear() === today.getFullYear() ? day : `${then.getFullYear()}-${day}`
}

/** 23 Jul 2025, 19:20:22.993 UTC */
export function formatFull(ms: number): string {
  return Number.isFinite(ms) ? full.format(ms) : 'Not recorded'
}

/** A duration given in milliseconds: 0.4 ms, 12 ms, 1.24 s, 2 min 5 s. */
export function formatDuration(ms: number | undefined): string {
  if (ms === undefined || !Number.isFinite(ms) || ms < 0) return '–'
  if (ms < 1) return ms === 0 ? '0 ms' : `${ms.toFixed(1)} ms`
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 10_000) return `${(ms / 1000).toFixed(2)} s`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** Bytes in units of 1000, as browsers' network panels do: 17 B, 2.1 kB, 3.4 MB. */
export function formatSize(bytes: number | undefined): string {
  if (bytes === undefined || !Number.isFinite(bytes) || bytes < 0) return '–'
  if (bytes < 1000) return `${bytes} B`
  const units = ['kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = -1
  do {
    value /= 1000
    unit += 1
  } while (value >= 999.5 && unit < units.length - 1)
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`
}

/** 1,024 */
export function formatCount(count: number): string {
  return number.format(count)
}

/** "1 entry", "2,000 entries" */
export function plural(count: number, one: string, many: string): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`
}
