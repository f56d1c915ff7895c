export type StatusClass = '1' | '2' | '3' | '4' | '5' | '0'

/** The first digit, or '0' for anything that is no HTTP status (not recorded, aborted). */
export function statusClass(code: number | undefined): StatusClass {
  if (code === undefined || code < 100 || code > 599) return '0'
  return String(Math.floor(code / 100)) as StatusClass
}

const reasons: Record<number, string> = {
  100: 'Continue', 101: 'Switching Protocols', 103: 'Early Hints',
  200: 'OK', 201: 'Created', 202: 'Accepted', 204: 'No Content', 206: 'Partial Content',
  301: 'Moved Permanently', 302: 'Found', 303: 'See Other', 304: 'Not Modified',
  307: 'Temporary Redirect', 308: 'Permanent Redirect',
  400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found', 405: 'Method Not Allowed',
  406: 'Not Acceptable', 408: 'Request Timeout', 409: 'Conflict', 410: 'Gone', 411: 'Length Required',
  412: 'Precondition Failed', 413: 'Content Too Large', 414: 'URI Too Long', 415: 'Unsupported Media Type',
  417: 'Expectation Failed', 418: "I'm a teapot", 421: 'Misdirected Request', 422: 'Unprocessable Content',
  425: 'Too Early', 426: 'Upgrade Required', 428: 'Precondition Required', 429: 'Too Many Requests',
  431: 'Request Header Fields Too Large', 451: 'Unavailable For Legal Reasons', 494: 'Request Header Too Large',
  499: 'Client Closed Request',
  500: 'Internal Server Error', 501: 'Not Implemented', 502: 'Bad Gateway', 503: 'Service Unavailable',
  504: 'Gateway Timeout', 505: 'HTTP Version Not Supported',
}

/** The reason phrase of a status code (RFC 9110 and nginx's own 494 and 499); empty when unknown. */
export function reasonPhrase(code: number | undefined): string {
  return code === undefined ? '' : (reasons[code] ?? '')
}
