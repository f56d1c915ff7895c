// A stand-in for the log service, for development and for the page's tests.
// `node test/mock-server.mjs [--port 3000] [--entries 2000] [--rate 3]` serves dist and lively traffic.
import { randomUUID } from 'node:crypto'
import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { makeEntries, makeEntry, randomFrom } from './sample-entries.mjs'

const kDist = fileURLToPath(new URL('../dist', import.meta.url))
const kTypes = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2' }
/** The log service's own policy: the page must live with it. */
const kPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
  "connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
/** How many missed entries a reconnecting reader is given; of more it is told the number. */
const kReplay = 1000

export class MockLogService {
  #entries = []
  #bySeq = 0
  #streams = new Set()
  #sockets = new Set()
  #server = null
  /** Requests seen, as "METHOD path". */
  requests = []
  /** Last-Event-ID of each stream opened, null where none was sent. */
  resumedFrom = []
  port = 0

  constructor(entries = []) {
    for (const entry of entries) this.#store(entry)
  }

  get url() {
    return `http://127.0.0.1:${this.port}/`
  }

  get streamCount() {
    return this.#streams.size
  }

  #store(entry) {
    this.#bySeq += 1
    const stored = { seq: this.#bySeq, entry }
    this.#entries.push(stored)
    return stored
  }

  /** Stores an entry and sends it to every open stream. */
  emit(entry) {
    const stored = this.#store(entry)
    for (const stream of this.#streams) stream.write(frame(stored))
  }

  /** Tells every open stream that `count` entries were left out. */
  skip(count) {
    for (const stream of this.#streams) stream.write(`event: skipped\ndata: {"count":${count}}\n\n`)
  }

  async start(port = 0) {
    this.#server = createServer((request, response) => this.#handle(request, response))
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
    await new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, '127.0.0.1', resolve)
    })
    this.port = this.#server.address().port
    return this
  }

  /** Ends every connection and frees the port; start(port) brings the service back with its entries. */
  async stop() {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    this.#streams.clear()
    await closed
  }

  #handle(request, response) {
    const url = new URL(request.url, 'http://localhost')
    this.requests.push(`${request.method} ${url.pathname}`)
    if (url.pathname === '/logs' && request.method === 'POST') return this.#take(request, response)
    if (url.pathname === '/logs') return this.#list(url, response)
    if (url.pathname === '/logs/stream') return this.#stream(request, response)
    if (url.pathname.startsWith('/logs/')) return this.#one(decodeURIComponent(url.pathname.slice(6)), response)
    if (url.pathname === '/status') return sendJson(response, 200, { entries: this.#entries.length })
    return sendFile(url.pathname, response)
  }

  async #take(request, response) {
    let text = ''
    for await (const piece of request) text += piece
    const entry = JSON.parse(text)
    if (entry.id === undefined) entry.entry_id ??= randomUUID()
    this.emit(entry)
    sendJson(response, 201, { stored: 1, duplicates: 0 })
  }

  #list(url, response) {
    const limit = Math.min(Math.max(Number(url.searchParams.get('limit') ?? 100), 1), 1000)
    const before = Number(url.searchParams.get('cursor') ?? Infinity)
    const end = Number.isFinite(before) ? before - 1 : this.#entries.length
    const start = Math.max(end - limit, 0)
    const data = this.#entries.slice(start, end).reverse().map(({ entry }) => entry)
    sendJson(response, 200, { data, next: start > 0 ? `/logs?limit=${limit}&cursor=${start + 1}` : null })
  }

  #one(id, response) {
    const found = this.#entries.findLast(({ entry }) => entry.entry_id === id || String(entry.id) === id)
    return found ? sendJson(response, 200, found.entry) : sendJson(response, 404, { message: 'Not found' })
  }

  #stream(request, response) {
    const last = request.headers['last-event-id']
    this.resumedFrom.push(last ?? null)
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.write(': hello\n\n')
    if (last !== undefined) {
      const missed = this.#entries.filter(({ seq }) => seq > Number(last))
      const replayed = missed.slice(-kReplay)
      if (missed.length > replayed.length) response.write(`event: skipped\ndata: {"count":${missed.length - replayed.length}}\n\n`)
      for (const stored of replayed) response.write(frame(stored))
    }
    this.#streams.add(response)
    response.on('close', () => this.#streams.delete(response))
  }
}

function frame({ seq, entry }) {
  return `id: ${seq}\nevent: entry\ndata: ${JSON.stringify(entry)}\n\n`
}

function sendJson(response, status, value) {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(value))
}

function sendFile(path, response) {
  const file = join(kDist, normalize(path === '/' ? '/index.html' : path))
  if (!file.startsWith(kDist) || !existsSync(file) || !statSync(file).isFile()) return sendJson(response, 404, { message: 'Not found' })
  response.writeHead(200, { 'content-type': kTypes[extname(file)] ?? 'application/octet-stream', 'content-security-policy': kPolicy })
  return createReadStream(file).pipe(response)
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const option = (name, fallback) => {
    const at = process.argv.indexOf(`--${name}`)
    return at < 0 ? fallback : Number(process.argv[at + 1])
  }
  const service = await new MockLogService(makeEntries(option('entries', 2000))).start(option('port', 3000))
  const random = randomFrom(Date.now())
  const rate = option('rate', 3)
  const tick = () => {
    service.emit(makeEntry(random, Date.now()))
    setTimeout(tick, (random() * 2000) / rate)
  }
  if (rate > 0) tick()
  console.log(`mock log service: ${service.url}`)
}
