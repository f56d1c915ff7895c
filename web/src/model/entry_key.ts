import type { Entry } from '../api/types'

/** Between an id that need not be unique and the hash that makes it so. */
const kMark = '~'
const kUnnamed = 'unnamed-'

let unnamed = 0

/** FNV-1a, 32 bits, in hex. */
function hash(text: string): string {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) {
    value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  }
  return (value >>> 0).toString(16).padStart(8, '0')
}

/**
 * What names an entry in the list and in the page's address: its entry_id. The guide's entry has an
 * id alone, which two entries can share: they are the same only if their texts are, so a hash is
 * added. Without either, the key lasts as long as the page.
 */
export function entryKey(entry: Entry): string {
  if (typeof entry.entry_id === 'string' && entry.entry_id !== '') return entry.entry_id
  const id = entry.id ?? entry.request_id
  if ((typeof id !== 'number' && typeof id !== 'string') || id === '') return `${kUnnamed}${(unnamed += 1)}`
  return `${id}${kMark}${hash(JSON.stringify(entry))}`
}

/** What GET /logs/{…} finds the entry by; null when nothing would. */
export function keyAddress(key: string): string | null {
  if (key.startsWith(kUnnamed)) return null
  const mark = key.lastIndexOf(kMark)
  return mark < 0 ? key : key.slice(0, mark)
}

/** Whether the service's answer for keyAddress(key) is the entry meant, and not one with the same id. */
export function isEntryOf(key: string, entry: Entry): boolean {
  return keyAddress(key) === key || entryKey(entry) === key
}
