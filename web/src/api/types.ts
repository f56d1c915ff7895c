// What the log service sends. Shippers other than Gibbon's leave fields out, so everything
// but `request` and `response` is optional, and readers must not trust the types blindly.

export type HeaderValue = string | string[]
export type Headers = Record<string, HeaderValue>

export interface Message {
  headers?: Headers
  /** Text, or base64 where `body_encoding` says so. Absent: not recorded. */
  body?: string | null
  /** Bytes that crossed the wire, recorded or not. */
  body_size?: number
  /** True when `body` holds only the first bytes. */
  body_truncated?: boolean
  body_encoding?: 'base64' | string
}

export interface RequestPart extends Message {
  url?: string
  method?: string
}

export interface ResponsePart extends Message {
  status_code?: number
}

export interface Named {
  id?: string
  name?: string
}

/** Milliseconds; -1 where a step did not happen. */
export interface Latencies {
  request?: number
  kong?: number
  proxy?: number
}

export interface Entry {
  /** Milliseconds since the epoch with a fraction; not unique. */
  id?: number
  type?: string
  timestamp?: string
  request: RequestPart
  response: ResponsePart
  /** The key of GET /logs/{entry_id}. */
  entry_id?: string
  request_id?: string
  client_ip?: string
  protocol?: string
  service?: Named | null
  route?: Named | null
  latencies?: Latencies
  upstream?: string
  tries?: number
}

export interface Page {
  data: Entry[]
  /** The address of the next older page; null at the end. */
  next: string | null
}
