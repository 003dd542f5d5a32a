/**
 * One instance of a job that counts: what the fault tests start, freeze and kill. Its options come as JSON:
 * `{ application, instanceId?, sessionTimeoutMs, brokers, protocol?, words?, standbys?, version? }`. Says on stdout what state it is in.
 */
import { count, groupBy, groupByKey, json, run, stream, string, to, topology, toStream } from '../../src/index.ts'
import { type KafkaOptions, kafka } from '../../src/log/kafka/index.ts'

export interface InstanceOptions {
  readonly application: string
  readonly brokers: readonly string[]
  readonly instanceId?: string
  readonly sessionTimeoutMs: number
  readonly protocol?: KafkaOptions['protocol']
  readonly standbys?: number
  /** How many there are to count: the size of the state. */
  readonly words?: number
  /** Of the topology: the second has more in it, before and within what the first one does. */
  readonly version?: 1 | 2
}

const {
  application,
  brokers,
  protocol,
  words = 7,
  version = 1,
  ...options
} = JSON.parse(process.argv[2]) as InstanceOptions

/** Counts every value, and sends each input on: sums show what is missing, copies what is doubled. */
const input = stream(`${application}-in`, { key: string(), value: string() })
/** Counts each key where it comes in, and each key of a topic that nobody read before: all numbers of tasks are others. */
const added = () =>
  ['extra', 'in'].map((name) =>
    stream(`${application}-${name}`, { key: string(), value: string() }).pipe(
      groupByKey(),
      count(`keys-of-${name}`),
      toStream(),
      to(`${application}-keys-of-${name}`, { key: string(), value: json<number | null>() }),
    ),
  )
const job = topology(application, [
  ...(version === 2 ? added() : []),
  input.pipe(to(`${application}-copies`, { key: string(), value: string() })),
  input.pipe(
    groupBy((value) => `word-${Number(value) % words}`),
    count('counts'),
    toStream(),
    to(`${application}-counts`, { key: string(), value: json<number | null>() }),
  ),
])

const running = await run(job, {
  log: kafka({ brokers, protocol, requestTimeoutMs: 5_000 }),
  commitIntervalMs: 100,
  transactionTimeoutMs: 10_000,
  ...options,
})
running.state$.subscribe(({ phase, tasks, standbys, waitingFor }) => {
  process.stdout.write(`${JSON.stringify({ phase, tasks, standbys, waiting: [...waitingFor.keys()] })}\n`)
})
await running.done
