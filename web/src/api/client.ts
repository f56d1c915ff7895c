import type { Entry, Page } from './types'

/** The service answered, but not with what was asked for. `status` is 0 when it did not answer. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message)
    this.name = 'ApiError'
  }
}

/** Addresses are relative to the page, so the viewer also works behind a path prefix. */
function address(path: string): URL {
  return new URL(path, document.baseURI)
}

async function getJson(url: URL, signal?: AbortSignal): Promise<unknown> {
  let response: Response
  try {
    response = await fetch(url, { headers: { accept: 'application/json' }, signal })
  } catch (error) {
    if (signal?.aborted) throw error
    throw new ApiError('The log service does not answer.', 0)
  }
  if (!response.ok) {
    throw new ApiError(await errorMessage(response), response.status)
  }
  try {
    return await response.json()
  } catch {
    throw new ApiError('The log service sent an answer that is not JSON.', response.status)
  }
}

async function errorMessage(response: Response): Promise<string> {
  const fallback = `The log service answered ${response.status}.`
  try {
    const body: unknown = await response.json()
    if (body && typeof body === 'object' && 'message' in body) return `${fallback} ${String(body.message)}`
  } catch {
    // Not JSON: the status alone says enough.
  }
  return fallback
}

function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null
}

/** Fills in what the rest of the page relies on: `request` and `response` are objects. */
export function normalizeEntry(value: unknown): Entry | null {
  if (!isEntry(value)) return null
  return { ...value, request: value.request ?? {}, response: value.response ?? {} }
}

function toPage(value: unknown): Page {
  const page = value as Partial<Page> | null
  if (!page || !Array.isArray(page.data)) {
    throw new ApiError('The log service sent a list without "data".', 200)
  }
  const data = page.data.map(normalizeEntry).filter((entry): entry is Entry => entry !== null)
  return { data, next: typeof page.next === 'string' ? page.next : null }
}

/** The newest `limit` entries, newest first. Errors: ApiError; AbortError when `signal` fires. */
export async function fetchNewest(limit: number, signal?: AbortSignal): Promise<Page> {
  return toPage(await getJson(address(`logs?limit=${limit}`), signal))
}

/** The page that `next` of an earlier page names. Only its query is used: the origin stays ours. */
export async function fetchPage(next: string, signal?: AbortSignal): Promise<Page> {
  const query = new URL(next, 'http://localhost').search
  return toPage(await getJson(address(`logs${query}`), signal))
}

/** One whole entry. Errors: ApiError with status 404 when it is not stored (any more). */
export async function fetchEntry(entryId: string, signal?: AbortSignal): Promise<Entry> {
  const entry = normalizeEntry(await getJson(address(`logs/${encodeURIComponent(entryId)}`), signal))
  if (!entry) throw new ApiError('The log service sent an entry that is not an object.', 200)
  return entry
}

/** The live stream. Sends Last-Event-ID so that the service can replay what was missed. */
export async function openStream(lastEventId: string | null, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
  const headers: Record<string, string> = { accept: 'text/event-stream' }
  if (lastEventId !== null) headers['last-event-id'] = lastEventId
  const response = await fetch(address('logs/stream'), { headers, signal, cache: 'no-store' })
  if (!response.ok || !response.body) {
    throw new ApiError(await errorMessage(response), response.status)
  }
  return response.body
}
