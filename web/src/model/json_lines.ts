import { childCount, type JsonNode } from './json_tree'

/** One line of the JSON view. */
export interface JsonLine {
  /** Where the node stands: "$", "$.a", "$.a.0"; unique for the lines that open one. */
  id: string
  depth: number
  key: string | null
  part: 'scalar' | 'open' | 'close' | 'folded' | 'cut'
  node: JsonNode
  comma: boolean
}

/** Nodes that are folded at first: all below the third level that hold more than a handful. */
export function defaultFolds(root: JsonNode): Set<string> {
  const folds = new Set<string>()
  walk(root, '$', 0)
  return folds

  function walk(node: JsonNode, id: string, depth: number): void {
    const count = childCount(node)
    if (count === undefined || count === 0) return
    if ((depth >= 3 && count > 8) || depth >= 6) {
      folds.add(id)
      return
    }
    eachChild(node, (_key, child, index) => walk(child, `${id}.${index}`, depth + 1))
  }
}

function eachChild(node: JsonNode, visit: (key: string | null, child: JsonNode, index: number) => void): void {
  if (node.type === 'object') node.members.forEach(({ key, value }, index) => visit(key, value, index))
  else if (node.type === 'array') node.items.forEach((item, index) => visit(null, item, index))
}

/** The tree as lines, without what is folded; at most `limit`, so that huge bodies stay quick. */
export function toLines(root: JsonNode, folds: ReadonlySet<string>, limit: number): { lines: JsonLine[]; more: boolean } {
  const lines: JsonLine[] = []
  let more = false
  emit(root, '$', 0, null, false)
  return { lines, more }

  function add(line: JsonLine): void {
    if (lines.length < limit) lines.push(line)
    else more = true
  }

  function emit(node: JsonNode, id: string, depth: number, key: string | null, comma: boolean): void {
    if (more) return
    const count = childCount(node)
    if (count === undefined || (count === 0 && !node.cut)) {
      add({ id, depth, key, part: 'scalar', node, comma })
      return
    }
    if (folds.has(id)) {
      add({ id, depth, key, part: 'folded', node, comma })
      return
    }
    add({ id, depth, key, part: 'open', node, comma: false })
    eachChild(node, (childKey, child, index) =>
      emit(child, `${id}.${index}`, depth + 1, childKey, index < count - 1 || node.cut && !child.cut))
    add({ id, depth: node.cut ? depth + 1 : depth, key: null, part: node.cut ? 'cut' : 'close', node, comma })
  }
}
