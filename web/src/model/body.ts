import type { Headers, Message } from '../api/types'
import { parseJson, type JsonNode } from './json_tree'

/** A body in the form in which it is best shown. */
export type BodyView =
  | { kind: 'absent' }
  | { kind: 'empty' }
  | { kind: 'json'; root: JsonNode; text: string }
  | { kind: 'form'; pairs: { name: string; value: string }[]; text: string }
  | { kind: 'text'; text: string }
  | { kind: 'binary'; bytes: Uint8Array; text: string }

export interface Cut {
  recorded: number
  /** Undefined when only the fact is known. */
  total: number | undefined
}

/** The first value of a header, whatever its case. */
export function headerValue(headers: Headers | undefined, name: string): string {
  for (const [key, value] of Object.entries(headers ?? {})) {
    if (key.toLowerCase() === name) return String(Array.isArray(value) ? (value[0] ?? '') : value)
  }
  return ''
}

export function decodeBase64(text: string): Uint8Array | null {
  try {
    const binary = atob(text)
    return Uint8Array.from(binary, (c) => c.charCodeAt(0))
  } catch {
    return null
  }
}

/** Bytes of the body that stand in the entry. */
export function recordedSize(message: Message): number {
  if (typeof message.body !== 'string') return 0
  if (message.body_encoding === 'base64') return decodeBase64(message.body)?.length ?? 0
  return new TextEncoder().encode(message.body).length
}

/** Set when the entry holds only the beginning of the body. */
export function cutOf(message: Message): Cut | null {
  if (message.body_truncated !== true) return null
  return { recorded: recordedSize(message), total: message.body_size }
}

function parseForm(text: string): { name: string; value: string }[] | null {
  if (text.includes('\n') || !text.includes('=')) return null
  const decode = (part: string) => {
    const spaced = part.replace(/\+/g, ' ')
    try {
      return decodeURIComponent(spaced)
    } catch {
      return spaced
    }
  }
  return text.split('&').filter((pair) => pair !== '').map((pair) => {
    const equals = pair.indexOf('=')
    return equals < 0
      ? { name: decode(pair), value: '' }
      : { name: decode(pair.slice(0, equals)), value: decode(pair.slice(equals + 1)) }
  })
}

export function viewBody(message: Message): BodyView {
  const { body } = message
  if (body === undefined || body === null) return message.body_size === 0 ? { kind: 'empty' } : { kind: 'absent' }
  // Some shippers send an already parsed body.
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  // A body switched off by configuration may be sent as "" beside its true size.
  if (text === '') return (message.body_size ?? 0) > 0 ? { kind: 'absent' } : { kind: 'empty' }
  if (message.body_encoding === 'base64') {
    const bytes = decodeBase64(text)
    return bytes ? { kind: 'binary', bytes, text } : { kind: 'text', text }
  }
  const type = headerValue(message.headers, 'content-type').toLowerCase()
  if (type.startsWith('application/x-www-form-urlencoded')) {
    const pairs = parseForm(text)
    if (pairs) return { kind: 'form', pairs, text }
  }
  const root = parseJson(text, message.body_truncated === true)
  if (root) return { kind: 'json', root, text }
  return { kind: 'text', text }
}
