import type { Entry } from '../api/types'
import { cutOf } from './body'
import { splitUrl } from './row'

export const kRedacted = '[REDACTED]'

/** Headers that curl sets by itself, or that belonged to the one connection. */
const kLeftOut = new Set(['host', 'content-length', 'connection', 'transfer-encoding', 'accept-encoding', 'keep-alive', 'upgrade', 'te'])

function quote(text: string): string {
  return `'${text.replace(/'/g, `'\\''`)}'`
}

/** The request as a curl command for a POSIX shell. What cannot be repeated is said in a comment above. */
export function toCurl(entry: Entry): string {
  const { request } = entry
  const notes: string[] = []
  const method = (request.method ?? 'GET').toUpperCase()
  const body = typeof request.body === 'string' && request.body !== '' ? request.body : null
  const args: string[] = []
  const implied = body === null ? 'GET' : 'POST'
  if (method === 'HEAD') args.push('--head')
  else if (method !== implied) args.push(`-X ${/^[A-Z]+$/.test(method) ? method : quote(method)}`)
  args.push(quote(request.url ?? ''))

  const { host } = splitUrl(request.url ?? '')
  for (const [name, value] of Object.entries(request.headers ?? {})) {
    const lower = name.toLowerCase()
    const values = Array.isArray(value) ? value : [value]
    for (const one of values) {
      if (lower === 'host' ? one === host : kLeftOut.has(lower)) continue
      if (one === kRedacted) notes.push(`# ${name} was redacted: put your own value in.`)
      args.push(`-H ${quote(one === '' ? `${name};` : `${name}: ${one}`)}`)
    }
  }

  const cut = cutOf(request)
  if (cut) {
    const of = cut.total === undefined ? '' : ` of ${cut.total}`
    notes.push(`# The recorded body was cut: ${cut.recorded}${of} bytes.`)
  } else if (body === null && (request.body_size ?? 0) > 0) {
    notes.push('# The request had a body that was not recorded.')
  }
  const isBinary = body !== null && request.body_encoding === 'base64'
  if (body !== null) args.push(isBinary ? '--data-binary @-' : `--data-raw ${quote(body)}`)
  const pipe = isBinary ? `printf %s ${quote(body)} | base64 -d | ` : ''
  return [...notes, `${pipe}curl ${args.join(' \\\n  ')}`].join('\n')
}
