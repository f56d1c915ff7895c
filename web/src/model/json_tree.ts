/**
 * A JSON reader for showing, not for computing: numbers keep their digits, repeated keys stay,
 * and a text that was cut in the middle still gives the part that is there.
 */
export type JsonNode =
  | { type: 'object'; members: { key: string; value: JsonNode }[]; cut: boolean }
  | { type: 'array'; items: JsonNode[]; cut: boolean }
  | { type: 'string'; value: string; cut: boolean }
  | { type: 'number' | 'literal'; text: string; cut: boolean }

/** Deeper than this is shown as raw text: the reader is recursive. */
const kMaxDepth = 200

class Malformed extends Error {}
class Cut extends Error {}

class Reader {
  private at = 0

  constructor(private readonly text: string) {}

  /** Reads the whole text. Throws Malformed. */
  document(): JsonNode {
    const node = this.value(0)
    this.space()
    if (this.at < this.text.length) throw new Malformed()
    return node
  }

  private space(): void {
    while (this.at < this.text.length && ' \t\r\n'.includes(this.text[this.at]!)) this.at += 1
  }

  /** The next character that is not space. Throws Cut at the end. */
  private peek(): string {
    this.space()
    const next = this.text[this.at]
    if (next === undefined) throw new Cut()
    return next
  }

  private value(depth: number): JsonNode {
    if (depth > kMaxDepth) throw new Malformed()
    const next = this.peek()
    if (next === '{') return this.object(depth)
    if (next === '[') return this.array(depth)
    if (next === '"') return this.string()
    return this.scalar()
  }

  private object(depth: number): JsonNode {
    const node: JsonNode = { type: 'object', members: [], cut: false }
    this.at += 1
    return this.closing(node, () => {
      if (this.peek() === '}') return this.skip()
      for (;;) {
        if (this.peek() !== '"') throw new Malformed()
        const key = this.string()
        if (key.type !== 'string' || key.cut) throw new Cut()
        if (this.peek() !== ':') throw new Malformed()
        this.at += 1
        const value = this.value(depth + 1)
        node.members.push({ key: key.value, value })
        if (value.cut) throw new Cut()
        if (this.more('}')) return
      }
    })
  }

  private array(depth: number): JsonNode {
    const node: JsonNode = { type: 'array', items: [], cut: false }
    this.at += 1
    return this.closing(node, () => {
      if (this.peek() === ']') return this.skip()
      for (;;) {
        const value = this.value(depth + 1)
        node.items.push(value)
        if (value.cut) throw new Cut()
        if (this.more(']')) return
      }
    })
  }

  /** Runs `fill`; where the text ends inside, the node keeps what it has and is marked. */
  private closing<T extends JsonNode>(node: T, fill: () => void): T {
    try {
      fill()
    } catch (error) {
      if (!(error instanceof Cut)) throw error
      node.cut = true
    }
    return node
  }

  private skip(): void {
    this.at += 1
  }

  /** Takes "," (false) or `close` (true). */
  private more(close: string): boolean {
    const next = this.peek()
    if (next !== ',' && next !== close) throw new Malformed()
    this.at += 1
    return next === close
  }

  private string(): JsonNode {
    const start = this.at
    let end = start + 1
    for (; end < this.text.length; end += 1) {
      const c = this.text[end]!
      if (c === '"') {
        this.at = end + 1
        try {
          return { type: 'string', value: JSON.parse(this.text.slice(start, end + 1)) as string, cut: false }
        } catch {
          throw new Malformed()
        }
      }
      if (c === '\\') end += 1
    }
    this.at = this.text.length
    return { type: 'string', value: partialString(this.text.slice(start + 1)), cut: true }
  }

  private scalar(): JsonNode {
    const match = /[^\s,\]}:]*/y
    match.lastIndex = this.at
    const text = match.exec(this.text)?.[0] ?? ''
    this.at += text.length
    const atEnd = this.at >= this.text.length
    if (text === 'true' || text === 'false' || text === 'null') return { type: 'literal', text, cut: false }
    if (/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return { type: 'number', text, cut: false }
    const isPrefix =
      ['true', 'false', 'null'].some((word) => word.startsWith(text)) ||
      /^-?((0|[1-9]\d*)(\.\d*)?([eE][+-]?\d*)?)?$/.test(text)
    if (!atEnd || text === '' || !isPrefix) throw new Malformed()
    return { type: /^[-\d]/.test(text) ? 'number' : 'literal', text, cut: true }
  }
}

/** The characters of a string whose end is missing; a broken last escape is left out. */
function partialString(raw: string): string {
  for (let drop = 0; drop <= 6 && drop <= raw.length; drop += 1) {
    try {
      return JSON.parse(`"${raw.slice(0, raw.length - drop)}"`) as string
    } catch {
      // One character less.
    }
  }
  throw new Malformed()
}

/**
 * Reads `text` as JSON. `cut` says whether its end is known to be missing; only then may it stop
 * early. Returns null for anything that is no JSON object or array.
 */
export function parseJson(text: string, cut: boolean): JsonNode | null {
  if (!/^\s*[{[]/.test(text)) return null
  try {
    const node = new Reader(text).document()
    return node.cut && !cut ? null : node
  } catch (error) {
    if (error instanceof Malformed || error instanceof Cut) return null
    throw error
  }
}

/** Members of an object or items of an array; undefined for a scalar. */
export function childCount(node: JsonNode): number | undefined {
  if (node.type === 'object') return node.members.length
  if (node.type === 'array') return node.items.length
  return undefined
}

/** The tree as indented text, with numbers as they were written. */
export function printJson(node: JsonNode, indent = ''): string {
  const inner = `${indent}  `
  switch (node.type) {
    case 'string':
      return node.cut ? JSON.stringify(node.value).slice(0, -1) : JSON.stringify(node.value)
    case 'number':
    case 'literal':
      return node.text
    case 'array': {
      const items = node.items.map((item) => inner + printJson(item, inner))
      return bracket('[', ']', items, node.cut, indent)
    }
    case 'object': {
      const members = node.members.map(({ key, value }) => `${inner}${JSON.stringify(key)}: ${printJson(value, inner)}`)
      return bracket('{', '}', members, node.cut, indent)
    }
  }
}

function bracket(open: string, close: string, lines: string[], cut: boolean, indent: string): string {
  const end = cut ? '' : `\n${indent}${close}`
  if (lines.length === 0) return cut ? open : open + close
  return `${open}\n${lines.join(',\n')}${end}`
}
