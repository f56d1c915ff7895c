import type { Entry } from '../api/types'
import { entryKey } from './entry_key'

/** What the list shows of an entry: small, flat and frozen, so that 100,000 of them are cheap. */
export interface Row {
  kind: 'entry'
  /** See entryKey(). */
  key: string
  timeMs: number
  method: string
  status: number | undefined
  host: string
  path: string
  durationMs: number | undefined
  /** Bytes of the response body. */
  size: number | undefined
  service: string
  /** Lower-case text that the filter looks into. */
  haystack: string
}

/** A place where the live stream left entries out. */
export interface Gap {
  kind: 'gap'
  key: string
  count: number
}

export type Item = Row | Gap

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined
}

/** Milliseconds since the epoch, from `timestamp` or else `id`; NaN when neither is usable. */
export function entryTime(entry: Entry): number {
  const parsed = Date.parse(text(entry.timestamp))
  if (Number.isFinite(parsed)) return parsed
  return typeof entry.id === 'number' ? entry.id : Number.NaN
}

/** Splits an address into host and path with query; what is no address counts as a path. */
export function splitUrl(url: string): { host: string; path: string } {
  const match = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)(.*)$/i.exec(url)
  if (!match) return { host: '', path: url }
  return { host: match[1] ?? '', path: match[2] || '/' }
}

/** Bytes of a body: as reported, or else counted. */
export function bodySize(part: Entry['response']): number | undefined {
  const reported = count(part.body_size)
  if (reported !== undefined) return reported
  if (typeof part.body !== 'string' || part.body_truncated === true) return undefined
  if (part.body_encoding === 'base64') return Math.floor((part.body.replace(/=+$/, '').length * 3) / 4)
  return new TextEncoder().encode(part.body).length
}

export function toRow(entry: Entry, key = entryKey(entry)): Row {
  const { host, path } = splitUrl(text(entry.request.url))
  const method = text(entry.request.method).toUpperCase()
  const status = count(entry.response.status_code)
  const service = text(entry.service?.name) || text(entry.service?.id)
  return Object.freeze({
    kind: 'entry' as const,
    key,
    timeMs: entryTime(entry),
    method,
    status,
    host,
    path,
    durationMs: count(entry.latencies?.request),
    size: bodySize(entry.response),
    service,
    haystack: `${method} ${status ?? ''} ${host}${path} ${service}`.toLowerCase(),
  })
}
