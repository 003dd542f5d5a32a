import { MillraceError } from '../../errors.ts'
import type { Sink, SinkBatch, SinkDefinition } from '../../sinks/sink.ts'
import type { Faults } from './faults.ts'
import { fateOf, type Life } from './life.ts'
import type { Random } from './random.ts'

/** A row as the outside world holds it. */
export interface SimulatedRow<K = unknown, V = unknown> {
  readonly key: K
  readonly value: V
  readonly timestamp: number
  readonly offset: number
}

/** What all instances write to in place of ClickHouse or the lake: it keeps the contract of sinks to the letter. */
export interface SimulatedSinks {
  /** What an instance opens instead of the sink that its topology names. */
  open(definition: SinkDefinition<never, never>, node: string, life: Life): Sink<unknown, unknown>
  /** By the sink's name: for an append sink every row, for an upsert sink the newest of each key. */
  rows(name: string): SimulatedRow[]
}

export function simulatedSinks(random: Random, faults: () => Faults, trace: (what: string) => void): SimulatedSinks {
  const appended = new Map<string, Map<string, SimulatedRow[]>>()
  const upserted = new Map<string, Map<string, SimulatedRow & { readonly deleted: boolean }>>()

  const append = (name: string, token: string, { keys, values, timestamps, offsets }: SinkBatch<unknown, unknown>) => {
    let batches = appended.get(name)
    if (batches === undefined) appended.set(name, (batches = new Map()))
    const rows = keys.flatMap((key, i) =>
      values[i] === null ? [] : [{ key, value: values[i], timestamp: timestamps[i], offset: offsets[i] }],
    )
    const known = batches.get(token)
    if (known === undefined) batches.set(token, rows)
    // A range that comes again must be the same batch: this is what deduplication by range stands on.
    else if (JSON.stringify(known) !== JSON.stringify(rows)) {
      throw new MillraceError('SINK_REFUSED', `simulated: other rows under the token ${token}`, { node: name })
    }
  }
  const upsert = (name: string, { keys, values, timestamps, offsets }: SinkBatch<unknown, unknown>) => {
    let table = upserted.get(name)
    if (table === undefined) upserted.set(name, (table = new Map()))
    keys.forEach((key, i) => {
      const identity = JSON.stringify(key)
      const old = table.get(identity)
      if (old !== undefined && old.offset > offsets[i]) return
      const deleted = values[i] === null
      table.set(identity, { key, value: values[i], timestamp: timestamps[i], offset: offsets[i], deleted })
    })
  }

  return {
    open: ({ name, mode }, node, life) => ({
      async write(batch) {
        await life.gate()
        await life.delay(faults().sinkLatencyMs)
        const { sinkUnavailable: unavailable, sinkLostAnswers: lostAnswers } = faults()
        const fate = fateOf(random, { unavailable, lostAnswers })
        const { topic, partition, firstOffset, lastOffset } = batch.range
        const token = `${node} ${topic}/${partition} ${firstOffset}-${lastOffset}`
        trace(`sink ${token}: ${fate}`)
        if (fate !== 'unavailable') {
          if (mode === 'append') append(name, token, batch)
          else upsert(name, batch)
        }
        await life.delay(faults().sinkLatencyMs)
        if (fate === 'done') return []
        throw new MillraceError('UNAVAILABLE', 'simulated: the sink gave no answer', { retriable: true })
      },
      close: async () => {},
    }),
    rows: (name) => [
      ...[...(appended.get(name)?.values() ?? [])].flat(),
      ...[...(upserted.get(name)?.values() ?? [])]
        .filter(({ deleted }) => !deleted)
        .map(({ deleted: _, ...row }) => row),
    ],
  }
}
