import { describe, expect, it } from 'vitest'
import { SseParser } from '../../src/api/sse'

const stream = ': hello\n\nid: 1\nevent: entry\ndata: {"a":1}\n\nid:2\r\nevent: skipped\r\ndata: {"count":\r\ndata: 3}\r\n\r\nevent: nothing\n\ndata: last\n\n'
const expected = [
  { event: 'entry', data: '{"a":1}', id: '1' },
  { event: 'skipped', data: '{"count":\n3}', id: '2' },
  { event: 'message', data: 'last', id: '2' },
]

describe('SseParser', () => {
  it('reads a whole stream', () => {
    expect(new SseParser().push(stream)).toEqual(expected)
  })

  it('reads the same in pieces of any size', () => {
    for (let size = 1; size < 12; size += 1) {
      const parser = new SseParser()
      const events = []
      for (let at = 0; at < stream.length; at += size) events.push(...parser.push(stream.slice(at, at + size)))
      expect(events).toEqual(expected)
    }
  })

  it('starts with the id it is given, drops a byte order mark, and ignores ids with NUL', () => {
    expect(new SseParser('41').push('\ufeffid: a\0b\ndata: x\n\n')).toEqual([{ event: 'message', data: 'x', id: '41' }])
  })

  it('keeps an event that is not finished', () => {
    expect(new SseParser().push('data: half\n')).toEqual([])
  })
})
