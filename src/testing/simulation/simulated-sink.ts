import { isDeepStrictEqual } from 'node:util'
import { MillraceError } from '../../errors.ts'
import type { RefusedRow, Sink, SinkBatch, SinkDefinition } from '../../sinks/sink.ts'
import type { Link } from './link.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

/** A row as the outside world holds it. */
export interface SimulatedRow<K = unknown, V = unknown> {
  readonly key: K
  readonly value: V
  readonly timestamp: number
  readonly offset: number
}

/** Whether a sink, by its name, takes no such row. */
export type Refusal = (sink: string, row: Pick<SimulatedRow, 'key' | 'value'>) => boolean

export interface SimulatedSinksOptions {
  readonly random: Random
  readonly scheduler: Scheduler
  /** Probability that a batch is written late and its sender is told nothing. */
  readonly lateWrites: () => number
  readonly refuses: Refusal
  readonly injected: (fault: 'sinkLateWrites') => void
  readonly observed: (what: string) => void
}

/** What all instances write to in place of ClickHouse or the lake: it keeps the contract of sinks to the letter. */
export interface SimulatedSinks {
  /** What an instance opens instead of the sink that its topology names. */
  open(definition: SinkDefinition<never, never>, node: string, link: Link): Sink<unknown, unknown>
  /** By the sink's name: for an append sink every row, for an upsert sink the newest of each key. */
  rows(name: string): SimulatedRow[]
}

/** The longest that a late write takes, ms. */
export const LATE_WRITE_MS = 2_000

export function simulatedSinks(on: SimulatedSinksOptions): SimulatedSinks {
  const { random, scheduler, lateWrites, refuses, injected, observed } = on
  const appended = new Map<string, Map<string, SimulatedRow[]>>()
  const upserted = new Map<string, Map<string, SimulatedRow>>()

  const append = (name: string, token: string, rows: readonly SimulatedRow[]) => {
    let batches = appended.get(name)
    if (batches === undefined) appended.set(name, (batches = new Map()))
    const kept = rows.filter(({ value }) => value !== null)
    const known = batches.get(token)
    if (known === undefined) return void batches.set(token, kept)
    // A range that comes again must be the same batch: this is what deduplication by range stands on.
    if (!isDeepStrictEqual(known, kept)) {
      throw new MillraceError('SINK_REFUSED', `simulated: other rows under the token ${token}`, { node: name })
    }
    observed('batch known by its range')
  }
  const upsert = (name: string, rows: readonly SimulatedRow[]) => {
    let table = upserted.get(name)
    if (table === undefined) upserted.set(name, (table = new Map()))
    for (const row of rows) {
      const identity = JSON.stringify(row.key)
      const old = table.get(identity)
      if (old !== undefined && old.offset > row.offset) observed('row older than the one there')
      else table.set(identity, row)
    }
  }

  return {
    open: ({ name, mode }, node, link) => ({
      async write(batch) {
        const { topic, partition, firstOffset, lastOffset } = batch.range
        const token = `${node} ${topic}/${partition} ${firstOffset}-${lastOffset}`
        const { rows, refused } = rowsOf(name, batch, refuses)
        const write = () => (mode === 'append' ? append(name, token, rows) : upsert(name, rows))
        return link.call(
          `sink ${token}`,
          async () => {
            if (random.chance(lateWrites())) {
              injected('sinkLateWrites')
              scheduler.after(random.next() * LATE_WRITE_MS, write)
              return link.noAnswer(`sink ${token}: late`)
            }
            write()
            return refused
          },
          true,
        )
      },
      close: async () => {},
    }),
    rows: (name) => [
      ...[...(appended.get(name)?.values() ?? [])].flat(),
      ...[...(upserted.get(name)?.values() ?? [])].filter(({ value }) => value !== null),
    ],
  }
}

/** What goes over the network: copies, as they are at this moment. */
function rowsOf(
  name: string,
  { keys, values, timestamps, offsets }: SinkBatch<unknown, unknown>,
  refuses: Refusal,
): { rows: SimulatedRow[]; refused: RefusedRow[] } {
  const rows: SimulatedRow[] = []
  const refused: RefusedRow[] = []
  keys.forEach((key, index) => {
    const row = { key: copyOf(key), value: copyOf(values[index]), timestamp: timestamps[index], offset: offsets[index] }
    if (!refuses(name, row)) rows.push(row)
    else refused.push({ index, error: new MillraceError('SINK_REFUSED', 'simulated: no such row', { node: name }) })
  })
  return { rows, refused }
}

const copyOf = <T>(value: T): T => (typeof value === 'object' && value !== null ? structuredClone(value) : value)
