import { describe, expect, it } from 'vitest'
import { visibleRange } from '../../src/composables/use_virtual_rows'
import { cutOf, recordedSize, viewBody } from '../../src/model/body'
import { entryKey, isEntryOf, keyAddress } from '../../src/model/entry_key'
import { toCurl } from '../../src/model/curl'
import { applyFilter } from '../../src/model/filter'
import { formatDay, formatDuration, formatSize } from '../../src/model/format'
import { hexLines } from '../../src/model/hex'
import { bodySize, entryTime, splitUrl, toRow } from '../../src/model/row'
import { reasonPhrase, statusClass } from '../../src/model/status'
import { timingSegments } from '../../src/model/timing'
import { normalizeEntry } from '../../src/api/client'
import type { Entry } from '../../src/api/types'
import { specialEntries } from '../sample-entries.mjs'

const special = specialEntries(Date.parse('2025-07-23T19:20:22.993Z')) as unknown as Record<string, Entry>

describe('format', () => {
  it.each([
    [undefined, '–'], [-1, '–'], [0, '0 ms'], [0.44, '0.4 ms'], [12.4, '12 ms'], [999, '999 ms'],
    [1240, '1.24 s'], [59_900, '59.9 s'], [125_000, '2 min 5 s'],
  ])('shows %s milliseconds as %s', (ms, text) => expect(formatDuration(ms)).toBe(text))

  it.each([
    [undefined, '–'], [0, '0 B'], [999, '999 B'], [1000, '1.0 kB'], [20_000, '20 kB'], [999_900, '1.0 MB'], [3_400_000_000, '3.4 GB'],
  ])('shows %s bytes as %s', (bytes, text) => expect(formatSize(bytes)).toBe(text))

  it('shows the day only where it is not today', () => {
    const now = new Date(2025, 6, 23, 12).getTime()
    expect(formatDay(new Date(2025, 6, 23, 1).getTime(), now)).toBe('')
    expect(formatDay(new Date(2025, 6, 22, 23).getTime(), now)).toBe('07-22')
    expect(formatDay(new Date(2024, 11, 31).getTime(), now)).toBe('2024-12-31')
    expect(formatDay(Number.NaN, now)).toBe('')
  })
})

describe('rows', () => {
  it.each([
    ['http://localhost:8000/a?b=c', 'localhost:8000', '/a?b=c'],
    ['https://[::1]:8443', '[::1]:8443', '/'],
    ['/only/a/path', '', '/only/a/path'],
    ['', '', ''],
  ])('splits %s', (url, host, path) => expect(splitUrl(url)).toEqual({ host, path }))

  it('survives an entry in which nearly everything is missing', () => {
    const row = toRow(normalizeEntry({})!)
    expect(row).toMatchObject({ method: '', status: undefined, host: '', path: '', service: '', durationMs: undefined })
    expect(row.timeMs).toBeNaN()
    expect(toRow(special.bare!).key).not.toBe(row.key)
    expect(normalizeEntry(null)).toBeNull()
  })

  it('survives fields of the wrong type', () => {
    const odd = { request: { url: 5, method: null }, response: { status_code: '200' }, latencies: { request: -1 } }
    expect(toRow(normalizeEntry(odd)!)).toMatchObject({ method: '', path: '', status: undefined, durationMs: undefined })
  })

  it('takes the time from the timestamp, or else from the id', () => {
    expect(entryTime({ ...special.text!, timestamp: undefined, id: 1753298422993.25 })).toBe(1753298422993.25)
    expect(entryTime(special.text!)).toBe(1753298422993)
  })

  it('counts bytes, not characters, and not those of a cut body', () => {
    expect(bodySize({ body: '€' })).toBe(3)
    expect(bodySize({ body: 'AAECAw==', body_encoding: 'base64' })).toBe(4)
    expect(bodySize({ body: 'abc', body_truncated: true })).toBeUndefined()
    expect(bodySize({})).toBeUndefined()
  })

  it('classes and names status codes', () => {
    expect([undefined, 99, 100, 204, 399, 499, 599, 600].map(statusClass)).toEqual(['0', '0', '1', '2', '3', '4', '5', '0'])
    expect(reasonPhrase(499)).toBe('Client Closed Request')
    expect(reasonPhrase(299)).toBe('')
  })
})

describe('keys', () => {
  const guide = { id: 1753298422993.2773, request: { url: '/a' }, response: {} }

  it('takes the entry_id where there is one', () => {
    expect(entryKey({ ...guide, entry_id: 'abc' })).toBe('abc')
    expect(keyAddress('abc')).toBe('abc')
    expect(isEntryOf('abc', { ...guide, entry_id: 'abc' })).toBe(true)
  })

  it('tells entries with the same id apart, and finds a repeat', () => {
    const key = entryKey(guide)
    const twin = { ...guide, request: { url: '/b' } }
    expect(entryKey({ ...guide })).toBe(key)
    expect(entryKey(twin)).not.toBe(key)
    expect(keyAddress(key)).toBe('1753298422993.2773')
    expect(isEntryOf(key, { ...guide })).toBe(true)
    expect(isEntryOf(key, twin)).toBe(false)
  })

  it('gives nameless entries keys that no one is asked for', () => {
    const nameless = { request: {}, response: {} }
    expect(entryKey(nameless)).not.toBe(entryKey(nameless))
    expect(keyAddress(entryKey(nameless))).toBeNull()
  })
})

describe('filter', () => {
  const rows = Object.values(special).map((entry) => toRow(entry))
  const run = (text: string, classes: ('2' | '4')[] = []) =>
    applyFilter(rows, { text, classes: new Set(classes) }).map((item) => (item.kind === 'entry' ? item.path : 'gap'))

  it('wants all words, in any order and case', () => expect(run('200 ROBOTS get')).toEqual(['/robots.txt']))
  it('leaves out what a minus names', () => expect(run('get -assets -private')).toEqual(['/robots.txt']))
  it('takes a class of status codes', () => expect(run('', ['4'])).toEqual([]))
  it('gives the same list when nothing is asked', () => expect(applyFilter(rows, { text: ' ', classes: new Set() })).toBe(rows))
  it('keeps gaps', () => {
    expect(applyFilter([{ kind: 'gap', key: 'g', count: 3 }], { text: 'nothing', classes: new Set() })).toHaveLength(1)
  })
})

describe('bodies', () => {
  it.each([
    ['absent', {}],
    ['absent', { body: null, body_size: 12 }],
    ['absent', { body: '', body_size: 12 }],
    ['empty', { body: '' }],
    ['empty', { body: '', body_size: 0 }],
    ['json', { body: ' [1]' }],
    ['text', { body: '[1' }],
    ['json', { body: '[1', body_truncated: true }],
    ['text', { body: 'a=b&c=d' }],
    ['form', { body: 'a=b&c=d', headers: { 'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8' } }],
    ['binary', { body: 'AAE=', body_encoding: 'base64' }],
    ['text', { body: 'no base64!', body_encoding: 'base64' }],
  ] as const)('shows as %s: %j', (kind, message) => expect(viewBody(message).kind).toBe(kind))

  it('decodes a form, also a broken one', () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    expect(viewBody({ body: 'a=b%20c+d&e&f=%zz', headers })).toMatchObject({
      pairs: [{ name: 'a', value: 'b c d' }, { name: 'e', value: '' }, { name: 'f', value: '%zz' }],
    })
  })

  it('tells how much of a cut body is there', () => {
    expect(cutOf(special.truncated!.response)).toEqual({ recorded: 1024, total: 20000 })
    expect(cutOf({ body: '€', body_truncated: true })).toEqual({ recorded: 3, total: undefined })
    expect(cutOf({ body: 'all' })).toBeNull()
    expect(recordedSize({ body: 'AAE=', body_encoding: 'base64' })).toBe(2)
  })

  it('prints bytes like hexdump', () => {
    const lines = hexLines(Uint8Array.from({ length: 18 }, (_, n) => n + 0x38), 10)
    expect(lines).toHaveLength(2)
    expect(lines[0]).toEqual({
      offset: '00000000',
      hex: '38 39 3a 3b 3c 3d 3e 3f  40 41 42 43 44 45 46 47',
      ascii: '89:;<=>?@ABCDEFG',
    })
    expect(lines[1]).toMatchObject({ offset: '00000010', ascii: 'HI' })
    expect(lines[1]!.hex).toHaveLength(48)
  })
})

describe('toCurl', () => {
  const post: Entry = {
    request: {
      url: "http://localhost:8000/it's?x=1",
      method: 'POST',
      headers: { host: 'localhost:8000', 'content-type': 'application/json', 'content-length': '11', 'x-dup': ['a', 'b'], 'x-empty': '' },
      body: `{"a":"it's"}`,
    },
    response: {},
  }

  it('quotes for the shell, repeats headers, and leaves curl its own', () => {
    expect(toCurl(post)).toBe([
      `curl 'http://localhost:8000/it'\\''s?x=1'`,
      `-H 'content-type: application/json'`,
      `-H 'x-dup: a'`,
      `-H 'x-dup: b'`,
      `-H 'x-empty;'`,
      `--data-raw '{"a":"it'\\''s"}'`,
    ].join(' \\\n  '))
  })

  it('names a method only where curl would take another', () => {
    expect(toCurl({ ...post, request: { url: 'http://localhost/', method: 'GET' } })).toBe(`curl 'http://localhost/'`)
    expect(toCurl({ ...post, request: { url: 'http://localhost/', method: 'DELETE' } })).toContain('-X DELETE')
    expect(toCurl({ ...post, request: { url: 'http://localhost/', method: 'HEAD' } })).toContain('--head')
    expect(toCurl({ ...post, request: { url: 'http://localhost/', method: 'GET', body: 'x' } })).toContain('-X GET')
  })

  it('keeps a host header that differs from the address', () => {
    expect(toCurl({ ...post, request: { url: 'http://localhost/', headers: { Host: 'example.com' } } })).toContain(`-H 'Host: example.com'`)
  })

  it('says what it cannot repeat', () => {
    expect(toCurl(special.redacted!)).toMatch(/^# authorization was redacted/)
    expect(toCurl({ ...post, request: { ...post.request, body_truncated: true, body_size: 99 } })).toMatch(/^# The recorded body was cut: 12 of 99 bytes\.\n/)
    expect(toCurl({ ...post, request: { url: 'http://localhost/', method: 'POST', body: '', body_size: 5 } })).toMatch(/not recorded/)
  })

  it('sends binary bodies through base64', () => {
    expect(toCurl({ ...post, request: { url: 'http://localhost/', method: 'POST', body: 'AAE=', body_encoding: 'base64' } }))
      .toBe(`printf %s 'AAE=' | base64 -d | curl 'http://localhost/' \\\n  --data-binary @-`)
  })
})

describe('timing', () => {
  it('splits the total', () => {
    const timing = timingSegments({ request: 12, kong: 1, proxy: 10 })
    expect(timing!.segments.map(({ name, ms }) => [name, ms])).toEqual([['gateway', 1], ['upstream', 10], ['transfer', 1]])
    expect(timing!.segments.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1)
  })

  it('never gives more than the total, and nothing for steps that did not happen', () => {
    expect(timingSegments({ request: 5, kong: 9, proxy: 9 })!.segments.map(({ ms }) => ms)).toEqual([5])
    expect(timingSegments({ request: 5, kong: 5, proxy: -1 })!.segments).toHaveLength(1)
    expect(timingSegments({ request: 0 })).toEqual({ total: 0, segments: [] })
    expect(timingSegments({ kong: 3 })).toBeNull()
    expect(timingSegments(undefined)).toBeNull()
  })
})

describe('visibleRange', () => {
  it('covers the view and stays inside the list', () => {
    expect(visibleRange(0, 600, 30, 100_000)).toEqual({ start: 0, end: 32 })
    expect(visibleRange(30_000, 600, 30, 100_000)).toEqual({ start: 988, end: 1032 })
    expect(visibleRange(2_999_400, 600, 30, 100_000)).toEqual({ start: 99_968, end: 100_000 })
    expect(visibleRange(9_000_000, 600, 30, 10)).toEqual({ start: 10, end: 10 })
    expect(visibleRange(0, 600, 30, 0)).toEqual({ start: 0, end: 0 })
  })
})
