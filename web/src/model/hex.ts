export interface HexLine {
  offset: string
  hex: string
  ascii: string
}

/** Sixteen bytes per line, as `hexdump -C` shows them. */
export function hexLines(bytes: Uint8Array, maxLines: number): HexLine[] {
  const lines: HexLine[] = []
  for (let at = 0; at < bytes.length && lines.length < maxLines; at += 16) {
    const slice = bytes.subarray(at, at + 16)
    const pairs = Array.from(slice, (byte) => byte.toString(16).padStart(2, '0'))
    lines.push({
      offset: at.toString(16).padStart(8, '0'),
      hex: `${pairs.slice(0, 8).join(' ').padEnd(23)}  ${pairs.slice(8).join(' ').padEnd(23)}`,
      ascii: Array.from(slice, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join(''),
    })
  }
  return lines
}
