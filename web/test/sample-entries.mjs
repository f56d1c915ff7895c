// Entries as the log service sends them, made from a seed: the same seed gives the same log.

/** A small generator of numbers in [0, 1) (mulberry32). */
function randomFrom(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const json = (value) => JSON.stringify(value)

const kinds = [
  { weight: 22, method: 'GET', path: '/httpbin/get?page=2&sort=-created', status: 200, service: 'httpbin', type: 'application/json',
    body: (r) => json({ args: { page: '2', sort: '-created' }, headers: { Accept: '*/*', Host: 'localhost:8080', 'User-Agent': 'curl/7.88.1' }, origin: `127.0.0.${1 + Math.floor(r() * 9)}`, url: 'http://localhost:8080/get?page=2&sort=-created' }) },
  { weight: 16, method: 'POST', path: '/httpbin/post', status: 200, service: 'httpbin', type: 'application/json',
    request: { type: 'application/json', body: () => json({ test: 'plugin verification' }) },
    body: () => json({ args: {}, data: '{"test": "plugin verification"}', files: {}, form: {}, headers: { Accept: '*/*', 'Content-Length': '31', 'Content-Type': 'application/json', Host: 'localhost:8080' }, json: { test: 'plugin verification' }, origin: '127.0.0.1', url: 'http://localhost:8080/post' }) },
  { weight: 12, method: 'GET', path: '/orders/v1/orders/7f3a9c?expand=items,customer', status: 200, service: 'orders', type: 'application/json',
    body: (r) => json({ id: '7f3a9c', number: 'BIG', state: 'paid', total: { amount: 128.5, currency: 'EUR' }, items: Array.from({ length: 3 + Math.floor(r() * 4) }, (_, i) => ({ sku: `GB-${1000 + i}`, quantity: 1 + i, price: 12.5 * (i + 1), gift: i === 1, note: null })), customer: { id: 4711, name: 'Ada Żółć', tags: ['vip', 'newsletter'] } }).replace('"BIG"', '90071992547409931') },
  { weight: 8, method: 'PUT', path: '/orders/v1/orders/7f3a9c', status: 204, service: 'orders', request: { type: 'application/json', body: () => json({ state: 'shipped', tracking: 'JD0146000' }) } },
  { weight: 6, method: 'PATCH', path: '/customers/4711', status: 200, service: 'customers', type: 'application/json', request: { type: 'application/merge-patch+json', body: () => json({ newsletter: false }) }, body: () => json({ id: 4711, newsletter: false }) },
  { weight: 5, method: 'DELETE', path: '/customers/4711/sessions/9', status: 204, service: 'customers' },
  { weight: 6, method: 'POST', path: '/login', status: 302, service: 'accounts', type: 'text/html', request: { type: 'application/x-www-form-urlencoded', body: () => 'user=ada%40example.com&remember=yes&next=%2Faccount+settings' }, body: () => '<a href="/account">Found</a>' },
  { weight: 5, method: 'GET', path: '/assets/logo.png', status: 304, service: 'assets' },
  { weight: 5, method: 'GET', path: '/orders/v1/orders/unknown', status: 404, service: 'orders', type: 'application/json', body: () => json({ message: 'order not found' }) },
  { weight: 4, method: 'GET', path: '/private/report', status: 401, service: 'reports', kongOnly: true, type: 'application/json', body: () => json({ message: 'Unauthorized' }) },
  { weight: 3, method: 'GET', path: '/nowhere', status: 404, kongOnly: true, type: 'application/json', body: () => json({ message: 'no Route matched with those values' }) },
  { weight: 3, method: 'POST', path: '/orders/v1/orders', status: 422, service: 'orders', type: 'application/json', request: { type: 'application/json', body: () => json({ items: [] }) }, body: () => json({ message: 'items: at least one is required', fields: { items: 'empty' } }) },
  { weight: 2, method: 'GET', path: '/search?q=gibbon%20song&limit=20', status: 503, service: 'search', type: 'application/json', body: () => json({ message: 'name resolution failed' }), slow: true },
  { weight: 2, method: 'GET', path: '/reports/yearly', status: 504, service: 'reports', type: 'application/json', body: () => json({ message: 'The upstream server is timing out' }), slow: true },
  { weight: 1, method: 'GET', path: '/events', status: 499, service: 'events', slow: true },
  { weight: 1, method: 'OPTIONS', path: '/orders/v1/orders', status: 200, service: 'orders' },
  { weight: 1, method: 'HEAD', path: '/assets/catalog.pdf', status: 200, service: 'assets' },
]
const total = kinds.reduce((sum, kind) => sum + kind.weight, 0)

function pick(random) {
  let at = random() * total
  for (const kind of kinds) {
    at -= kind.weight
    if (at < 0) return kind
  }
  return kinds[0]
}

const hex = (random, length) => Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join('')

function uuid(random) {
  return `${hex(random, 8)}-${hex(random, 4)}-4${hex(random, 3)}-a${hex(random, 3)}-${hex(random, 12)}`
}

function part(type, body) {
  if (body === undefined) return { body: '', body_size: 0, body_truncated: false }
  return { body, body_size: Buffer.byteLength(body), body_truncated: false, type }
}

/** One entry of the usual traffic at `timeMs`. */
export function makeEntry(random, timeMs, kind = pick(random)) {
  const proxy = kind.kongOnly ? -1 : Math.round(kind.slow ? 1200 + random() * 8000 : 2 + random() ** 4 * 420)
  const kong = Math.round(random() * 2)
  const { type: requestType, ...requestBody } = part(kind.request?.type, kind.request?.body(random))
  const { type: responseType, ...responseBody } = part(kind.type, kind.body?.(random))
  return {
    id: timeMs + Math.floor(random() * 1000) / 1000,
    type: 'kong_request_response',
    timestamp: new Date(timeMs).toISOString(),
    request: {
      url: `http://localhost:8000${kind.path}`,
      method: kind.method,
      headers: {
        host: 'localhost:8000', 'user-agent': 'curl/7.88.1', accept: '*/*',
        ...(requestType ? { 'content-type': requestType, 'content-length': String(requestBody.body_size) } : {}),
        ...(kind.service === 'orders' || kind.service === 'reports' ? { authorization: '[REDACTED]' } : {}),
      },
      ...requestBody,
    },
    response: {
      status_code: kind.status,
      headers: {
        ...(responseType ? { 'content-type': responseType, 'content-length': String(responseBody.body_size) } : {}),
        date: new Date(timeMs).toUTCString(), 'x-kong-request-id': hex(random, 32),
        ...(kind.kongOnly ? { 'x-kong-response-latency': String(kong) } : { via: '1.1 gibbon', 'x-kong-upstream-latency': String(proxy), 'x-kong-proxy-latency': String(kong) }),
        ...(kind.status === 302 ? { location: '/account', 'set-cookie': '[REDACTED]' } : {}),
      },
      ...responseBody,
    },
    entry_id: uuid(random),
    request_id: hex(random, 32),
    client_ip: '127.0.0.1',
    protocol: 'HTTP/1.1',
    ...(kind.service ? { service: { id: uuid(random), name: kind.service }, route: { id: uuid(random), name: `${kind.service}-route` } } : {}),
    latencies: { request: kong + Math.max(proxy, 0) + Math.round(random() * 2), kong, proxy },
    ...(kind.kongOnly ? {} : { upstream: '127.0.0.1:8080', tries: 1 }),
  }
}

/** `count` entries ending at `endMs`, oldest first. */
export function makeEntries(count, endMs = Date.now(), seed = 7) {
  const random = randomFrom(seed)
  const entries = []
  let time = endMs - count * 350
  for (let n = 0; n < count; n += 1) {
    time += random() * 700
    entries.push(makeEntry(random, Math.round(Math.min(time, endMs))))
  }
  return entries
}

/** Entries that are special in one respect each, by name. */
export function specialEntries(timeMs = Date.now()) {
  const random = randomFrom(99)
  const plain = kinds[1]
  const make = (kind, change) => {
    const entry = makeEntry(random, timeMs, { ...plain, ...kind })
    change?.(entry)
    return entry
  }
  const png = Buffer.from('89504e470d0a1a0a0000000d49484452000000100000001008060000001ff3ff61', 'hex')
  return {
    truncated: make({ path: '/reports/export', service: 'reports' }, (entry) => {
      const whole = json({ report: 'yearly', rows: Array.from({ length: 900 }, (_, n) => ({ n, name: `row ${n}` })) })
      Object.assign(entry.response, { body: whole.slice(0, 1024), body_size: 20000, body_truncated: true })
    }),
    redacted: make({ path: '/private/profile', method: 'GET', request: undefined }, (entry) => {
      Object.assign(entry.request.headers, { authorization: '[REDACTED]', cookie: ['[REDACTED]', '[REDACTED]'], 'x-dup': ['first', 'second'] })
    }),
    binary: make({ path: '/assets/icon.png', method: 'GET', request: undefined }, (entry) => {
      entry.response.headers['content-type'] = 'image/png'
      Object.assign(entry.response, { body: png.toString('base64'), body_size: png.length, body_encoding: 'base64' })
    }),
    form: make({ path: '/login', request: { type: 'application/x-www-form-urlencoded', body: () => 'user=ada%40example.com&next=%2Faccount+settings' } }),
    text: make({ path: '/robots.txt', method: 'GET', request: undefined, type: 'text/plain', body: () => 'User-agent: *\nDisallow: /private\n' }),
    bare: { request: { url: '/only/a/path' }, response: {} },
    hostile: make({ path: '/<script>alert(1)</script>?a="><img src=x onerror=alert(2)>' }, (entry) => {
      entry.response.headers['x-html'] = '<b>bold</b>'
      entry.response.body = json({ '<i>key</i>': '<img src=x onerror=alert(3)>' })
    }),
  }
}

export { randomFrom }
