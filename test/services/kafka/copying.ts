import { type RunOptions, run, stream, string, to, topology } from '../../../src/index.ts'
import { kafka } from '../../../src/log/kafka/index.ts'
import type { Log } from '../../../src/log/log.ts'
import { readRecords } from '../../support/records.ts'
import { kafkaBrokers, uniqueName } from '../../support/services.ts'

/** Of a topic that takes any time in the future. */
export const FOREVER = { 'message.timestamp.after.max.ms': '9223372036854775807' }

/** A job that copies a topic, and the topics. */
export async function copying(log: Log, config: Record<string, string> = {}) {
  const name = uniqueName('copying')
  const [source, target] = [`${name}-in`, `${name}-out`]
  await log.admin.create([
    { topic: source, partitions: 1, config: { ...FOREVER, ...config } },
    { topic: target, partitions: 1, config: FOREVER },
  ])
  const copy = topology(name, [
    stream(source, { key: string(), value: string() }).pipe(to(target, { key: string(), value: string() })),
  ])
  const start = (options: Partial<RunOptions> = {}) =>
    run(copy, { log: kafka({ brokers: kafkaBrokers() }), logger: false, commitIntervalMs: 50, ...options })
  const copied = async () => (await readRecords(log, target)).map(({ value }) => value)
  return { name, source, target, start, copied }
}
