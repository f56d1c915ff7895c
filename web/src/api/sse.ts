/** One server-sent event. `id` is the last id seen on the stream, null before the first. */
export interface ServerEvent {
  event: string
  data: string
  id: string | null
}

/**
 * Splits a text/event-stream into events (HTML Living Standard, 9.2.6). Feed it decoded text in
 * any pieces. `retry` lines are ignored: the caller owns the back-off.
 */
export class SseParser {
  private rest = ''
  private data: string[] = []
  private event = ''
  private lastId: string | null
  private started = false

  constructor(lastId: string | null = null) {
    this.lastId = lastId
  }

  push(text: string): ServerEvent[] {
    if (!this.started && text.length > 0) {
      this.started = true
      if (text.charCodeAt(0) === 0xfeff) text = text.slice(1)
    }
    this.rest += text
    const events: ServerEvent[] = []
    for (;;) {
      const end = this.rest.search(/[\r\n]/)
      if (end < 0) break
      // A trailing CR may be the first half of CRLF: wait for the next piece.
      if (this.rest[end] === '\r' && end === this.rest.length - 1) break
      const width = this.rest.startsWith('\r\n', end) ? 2 : 1
      const line = this.rest.slice(0, end)
      this.rest = this.rest.slice(end + width)
      const event = this.line(line)
      if (event) events.push(event)
    }
    return events
  }

  private line(line: string): ServerEvent | null {
    if (line === '') return this.dispatch()
    const colon = line.indexOf(':')
    if (colon === 0) return null
    const field = colon < 0 ? line : line.slice(0, colon)
    let value = colon < 0 ? '' : line.slice(colon + 1)
    if (value.startsWith(' ')) value = value.slice(1)
    if (field === 'data') this.data.push(value)
    else if (field === 'event') this.event = value
    else if (field === 'id' && !value.includes('\0')) this.lastId = value
    return null
  }

  private dispatch(): ServerEvent | null {
    const { data, event } = this
    this.data = []
    this.event = ''
    if (data.length === 0) return null
    return { event: event || 'message', data: data.join('\n'), id: this.lastId }
  }
}
