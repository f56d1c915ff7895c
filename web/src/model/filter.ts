import type { Item, Row } from './row'
import { statusClass, type StatusClass } from './status'

export interface Filter {
  /** Words that must all occur in method, status, host, path or service. A leading "-" excludes. */
  text: string
  /** Empty: every class. */
  classes: ReadonlySet<StatusClass>
}

export function isActive(filter: Filter): boolean {
  return filter.text.trim() !== '' || filter.classes.size > 0
}

/** A predicate for one filter; compile once, run over all rows. */
export function compileFilter(filter: Filter): (row: Row) => boolean {
  const words = filter.text.toLowerCase().split(/\s+/).filter((word) => word !== '' && word !== '-')
  const wanted = words.filter((word) => !word.startsWith('-'))
  const unwanted = words.filter((word) => word.startsWith('-')).map((word) => word.slice(1))
  const { classes } = filter
  return (row) =>
    (classes.size === 0 || classes.has(statusClass(row.status))) &&
    wanted.every((word) => row.haystack.includes(word)) &&
    !unwanted.some((word) => row.haystack.includes(word))
}

/** Items that pass, in the same order. Gaps always pass: they tell of what is not here. */
export function applyFilter(items: readonly Item[], filter: Filter): readonly Item[] {
  if (!isActive(filter)) return items
  const passes = compileFilter(filter)
  return items.filter((item) => item.kind === 'gap' || passes(item))
}
