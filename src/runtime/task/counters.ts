import type { DropReason } from '../../topology/processor.ts'

/** What one task did; plain numbers on the hot path, read by the metrics at each commit. */
export interface TaskCounters {
  /** By topic. */
  readonly recordsIn: Map<string, number>
  readonly recordsOut: Map<string, number>
  /** By node and reason. */
  readonly dropped: Map<string, Map<DropReason, number>>
  /** By error code or reason given. */
  readonly deadLettered: Map<string, number>
  readonly skipped: Map<string, number>
}

export function taskCounters(): TaskCounters {
  return {
    recordsIn: new Map(),
    recordsOut: new Map(),
    dropped: new Map(),
    deadLettered: new Map(),
    skipped: new Map(),
  }
}

export function add<K>(counts: Map<K, number>, key: K, n = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + n)
}

export function addDropped(counters: TaskCounters, node: string, reason: DropReason, n: number): void {
  let reasons = counters.dropped.get(node)
  if (reasons === undefined) counters.dropped.set(node, (reasons = new Map()))
  add(reasons, reason, n)
}
