type LooseEntry = { entry_id: string; response: { body: string } } & Record<string, unknown>

export function makeEntries(count: number, endMs?: number, seed?: number): LooseEntry[]
export function specialEntries(timeMs?: number): Record<string, LooseEntry> & { truncated: LooseEntry }
