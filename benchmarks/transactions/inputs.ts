import { avro, type Log, type Serde, string } from 'millrace'
import type { ByteWriter } from 'millrace/testing'
import { load, recordsIn } from '../suite/topics.ts'
import type { RunSettings } from '../suite/workload.ts'
import { type Click, clicks, type Transaction, transactions } from './generate.ts'
import { clickSchema, registry, transactionSchema } from './schemas.ts'

/** A topic that jobs read: by which name, and how it is filled when it is not there. */
export interface InputTopic {
  readonly name: string
  fill(log: Log, topic: string, n: number, seed: number): Promise<void>
  /** How many records it then has; default: n. */
  records?(n: number, seed: number): number
}

function writer<T>(serde: Serde<T>, subject: string, key: (of: T) => string, timestamp: (of: T) => number) {
  const keys = string().open({ topic: subject, part: 'key' })
  const values = serde.open({ topic: subject, part: 'value', registry: registry() })
  return (of: T, keyBytes: ByteWriter, valueBytes: ByteWriter): number => {
    keys.encode(key(of), keyBytes)
    values.encode(of, valueBytes)
    return timestamp(of)
  }
}

export const transactionsInput: InputTopic = {
  name: 'transactions',
  fill: (log, topic, n, seed) => {
    const serde = avro<Transaction>(transactionSchema, { subject: 'transactions' })
    const write = writer(
      serde,
      'transactions',
      (of) => of.user_id,
      (of) => of.created_at,
    )
    return load(log, topic, transactions(n, seed), write)
  },
}

export const clicksInput: InputTopic = {
  name: 'clicks',
  fill: (log, topic, n, seed) => {
    const serde = avro<Click>(clickSchema, { subject: 'clicks' })
    const write = writer(
      serde,
      'clicks',
      (of) => of.user_id,
      (of) => of.clicked_at,
    )
    return load(log, topic, clicks(n, seed), write)
  },
}

/** The topic of a run for one of the inputs, in their order. */
export function topicOf(inputs: readonly InputTopic[], index: number, settings: RunSettings, n: number): string {
  return settings.topics[index] ?? `bench-${inputs[index].name}-${n}-${settings.seed}`
}

/** Fills the topics that are not there; a loaded one must hold as many records as the run is about. */
export async function prepareInputs(log: Log, inputs: readonly InputTopic[], settings: RunSettings, n: number) {
  for (const [index, input] of inputs.entries()) {
    const topic = topicOf(inputs, index, settings, n)
    const found = await recordsIn(log, topic)
    const wanted = input.records?.(n, settings.seed) ?? n
    if (found === undefined) await input.fill(log, topic, n, settings.seed)
    else if (found !== wanted) throw new Error(`topic ${topic} holds ${found} records, not ${wanted}: see --records`)
  }
}
