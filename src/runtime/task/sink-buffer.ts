import type { Serde } from '../../serde/serde.ts'
import type { SinkBatch, SinkDefinition, SourceRange } from '../../sinks/sink.ts'
import type { CurrentRecord, Forward } from '../../topology/processor.ts'

/** Rows of one task for one sink, as columns, until the commit takes them. */
export interface SinkBuffer {
  /** Name of the node in the plan: what tells two uses of one sink apart. */
  readonly node: string
  readonly sink: SinkDefinition<never, never>
  readonly serdes: { readonly key?: Serde<unknown>; readonly value?: Serde<unknown> }
  readonly append: Forward
  readonly rows: number
  /** One batch per topic that rows came from, in the ranges given. */
  take(ranges: ReadonlyMap<string, SourceRange>): SinkBatch<unknown, unknown>[]
}

interface Columns {
  keys: unknown[]
  values: unknown[]
  timestamps: number[]
  offsets: number[]
}

const columns = (): Columns => ({ keys: [], values: [], timestamps: [], offsets: [] })

export function sinkBuffer(
  node: string,
  sink: SinkDefinition<never, never>,
  serdes: { readonly key?: Serde<unknown>; readonly value?: Serde<unknown> },
  record: CurrentRecord,
): SinkBuffer {
  let byTopic = new Map<string, Columns>()
  let topic: string | undefined
  let current = columns()
  let rows = 0
  return {
    node,
    sink,
    serdes,
    append(key, value, timestamp) {
      if (record.topic !== topic) {
        topic = record.topic
        const found = byTopic.get(topic)
        if (found) current = found
        else byTopic.set(topic, (current = columns()))
      }
      current.keys.push(key)
      current.values.push(value)
      current.timestamps.push(timestamp)
      current.offsets.push(record.offset)
      rows++
    },
    get rows() {
      return rows
    },
    take(ranges) {
      const taken = byTopic
      byTopic = new Map()
      topic = undefined
      rows = 0
      return [...taken].map(([from, { keys, values, timestamps, offsets }]) => ({
        range: ranges.get(from)!,
        keys,
        values,
        timestamps,
        offsets,
      }))
    },
  }
}
