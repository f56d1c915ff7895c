import type { Latencies } from '../api/types'

export interface Segment {
  name: 'gateway' | 'upstream' | 'transfer'
  label: string
  ms: number
  /** 0 to 1 of the whole. */
  share: number
}

const kLabels = { gateway: 'Gateway', upstream: 'Waiting for upstream', transfer: 'Receiving and sending' } as const

/**
 * Splits the total into gateway (latencies.kong), upstream (latencies.proxy) and the rest.
 * Returns null when the total was not recorded. Steps that did not happen (-1) count nothing.
 */
export function timingSegments(latencies: Latencies | undefined): { total: number; segments: Segment[] } | null {
  const total = latencies?.request
  if (typeof total !== 'number' || !Number.isFinite(total) || total < 0) return null
  const gateway = Math.min(Math.max(latencies?.kong ?? 0, 0), total)
  const upstream = Math.min(Math.max(latencies?.proxy ?? 0, 0), total - gateway)
  const parts = { gateway, upstream, transfer: total - gateway - upstream }
  const whole = total > 0 ? total : 1
  const segments = (Object.keys(parts) as (keyof typeof parts)[])
    .filter((name) => parts[name] > 0)
    .map((name) => ({ name, label: kLabels[name], ms: parts[name], share: parts[name] / whole }))
  return { total, segments }
}
