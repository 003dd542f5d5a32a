/** What jobs have written, read from the beginning as committed, as checksums. */
import { avro, type Log } from 'millrace'
import { Checksum } from '../suite/checksum.ts'
import { readAll } from '../suite/topics.ts'
import { groupLine } from './references.ts'
import { attributionSchema, paymentSchema, registry, revenueSchema } from './schemas.ts'

export interface Revenue {
  readonly user_id: string
  readonly window_start: number
  readonly window_end: number
  readonly count: number
  readonly revenue: number
}

export interface Payment {
  readonly transaction_id: string
  readonly user_id: string
  readonly cents: number
  readonly category: string
  readonly created_at: number
}

export interface Attribution {
  readonly transaction_id: string
  readonly click_id: string
  readonly user_id: string
  readonly page: string
  readonly amount: number
  readonly created_at: number
}

export const revenueSerde = () => avro<Revenue>(revenueSchema, { subject: 'revenue' })
export const paymentSerde = () => avro<Payment>(paymentSchema, { subject: 'payments' })

export const attributionSerde = () => avro<Attribution>(attributionSchema, { subject: 'attributions' })

/** Records written, and the checksum of what they amount to. */
export interface Results {
  readonly outputs: number
  readonly checksum: Checksum
}

export type ReadResults = (log: Log, topic: string) => Promise<Results>

/** The last value of each group and window counts. */
export const latestRevenue: ReadResults = async (log, topic) => {
  const latest = new Map<string, Revenue>()
  const outputs = await readValues<Revenue>(log, topic, revenueSerde(), (value) => {
    latest.set(`${value.user_id}|${value.window_start}`, value)
  })
  const checksum = new Checksum()
  for (const { user_id, window_start, window_end, count, revenue } of latest.values()) {
    checksum.add(groupLine(user_id, window_start, window_end, count, Math.round(revenue * 100)))
  }
  return { outputs, checksum }
}

/** Each record counts. */
export const eachPayment: ReadResults = async (log, topic) => {
  const checksum = new Checksum()
  const outputs = await readValues<Payment>(log, topic, paymentSerde(), ({ transaction_id, cents }) => {
    checksum.add(`${transaction_id}|${cents}`)
  })
  return { outputs, checksum }
}

export const eachAttribution: ReadResults = async (log, topic) => {
  const checksum = new Checksum()
  const outputs = await readValues<Attribution>(log, topic, attributionSerde(), ({ transaction_id, click_id }) => {
    checksum.add(`${transaction_id}|${click_id}`)
  })
  return { outputs, checksum }
}

async function readValues<T>(
  log: Log,
  topic: string,
  serde: ReturnType<typeof avro<T>>,
  visit: (value: T) => void,
): Promise<number> {
  const codec = serde.open({ topic, part: 'value', registry: registry() })
  let outputs = 0
  await readAll(log, topic, (batch) => {
    outputs += batch.count
    for (let i = 0; i < batch.count; i++) {
      if (batch.valueStart[i] >= 0) visit(codec.decode(batch, batch.valueStart[i], batch.valueEnd[i]) as T)
    }
  })
  return outputs
}
