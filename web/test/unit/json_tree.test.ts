import { describe, expect, it } from 'vitest'
import { defaultFolds, toLines } from '../../src/model/json_lines'
import { parseJson, printJson } from '../../src/model/json_tree'
import { makeEntries, specialEntries } from '../sample-entries.mjs'

describe('parseJson', () => {
  it('prints what JSON.stringify prints', () => {
    const values = [{}, [], { a: [] }, [[], {}], { a: 1, b: [true, false, null, 'x\n"\u20ac'], c: { d: -1.5e-7 } }, ...makeEntries(40)]
    for (const value of values) {
      const node = parseJson(JSON.stringify(value), false)
      expect(node && printJson(node)).toBe(JSON.stringify(value, null, 2))
    }
  })

  it('keeps the digits of numbers and repeated keys', () => {
    const node = parseJson('{"n":90071992547409931,"n":1.10,"e":1E+2}', false)
    expect(node && printJson(node)).toBe('{\n  "n": 90071992547409931,\n  "n": 1.10,\n  "e": 1E+2\n}')
  })

  it.each([
    '', 'text', '"only a string"', '1', '{', '{"a"}', '{"a":}', '{a:1}', '[1,]', '[1 2]', '{"a":1,}', '[01]', '[1.]', '[+1]',
    '[nul]', '[truefalse]', '["a\nb"]', '["\\x"]', '[1] x', '{"a":1}}', "['a']", '[NaN]',
  ])('refuses %j', (text) => {
    expect(parseJson(text, false)).toBeNull()
  })

  it('refuses what is nested too deeply instead of failing', () => {
    expect(parseJson('['.repeat(50_000), true)).toBeNull()
  })

  it('reads every beginning of a text that was cut', () => {
    const text = '{"a":[1,-2.5e3,"x\\u20ac\\n"],"b":{"c":null,"d":[true,{}]},"e":false} '
    for (let length = 1; length < text.length - 1; length += 1) {
      const node = parseJson(text.slice(0, length), true)
      expect(node, text.slice(0, length)).not.toBeNull()
      expect(node!.cut).toBe(true)
    }
    expect(parseJson(text, true)!.cut).toBe(false)
  })

  it('still refuses what is malformed before the cut', () => {
    expect(parseJson('{"a":1,,', true)).toBeNull()
    expect(parseJson('[1,nope', true)).toBeNull()
  })

  it('shows the beginning of a string that was cut within an escape', () => {
    const node = parseJson('["ab\\u20', true)
    expect(node && printJson(node)).toBe('[\n  "ab')
  })
})

describe('toLines', () => {
  it('gives one line per scalar and two per filled container', () => {
    const root = parseJson('{"a":[1,2],"b":{}}', false)!
    const { lines, more } = toLines(root, new Set(), 100)
    expect(lines.map(({ part, depth, key, comma }) => [part, depth, key, comma])).toEqual([
      ['open', 0, null, false],
      ['open', 1, 'a', false],
      ['scalar', 2, null, true],
      ['scalar', 2, null, false],
      ['close', 1, null, true],
      ['scalar', 1, 'b', false],
      ['close', 0, null, false],
    ])
    expect(more).toBe(false)
  })

  it('folds and limits', () => {
    const root = parseJson(JSON.stringify(Array.from({ length: 50 }, (_, n) => n)), false)!
    expect(toLines(root, new Set(['$']), 10).lines.map(({ part }) => part)).toEqual(['folded'])
    const limited = toLines(root, new Set(), 10)
    expect(limited.lines).toHaveLength(10)
    expect(limited.more).toBe(true)
  })

  it('ends a cut body with a mark and no closing bracket', () => {
    const root = parseJson(specialEntries().truncated.response.body, true)!
    const parts = toLines(root, defaultFolds(root), 10_000).lines.map(({ part }) => part)
    expect(parts.at(-1)).toBe('cut')
    expect(parts.filter((part) => part === 'open').length).toBeGreaterThan(parts.filter((part) => part === 'close').length)
  })
})
