/**
 * One life of the ledger: runs the job, feeds it, and kills itself at a step of a commit. Its options come as JSON.
 * What it says on stdout is written at once, so that the last line tells where it died.
 */
import { writeSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { run } from '../../src/index.ts'
import { embedded } from '../../src/log/embedded/embedded.ts'
import { type KafkaOptions, kafka } from '../../src/log/kafka/index.ts'
import type { CommitStep } from '../../src/runtime/committer.ts'
import { snapshotDirectory } from '../../src/snapshots/index.ts'
import { writeRecords } from '../support/records.ts'
import { type LedgerSinks, ledger, ledgerTopics, type Posting } from './ledger-job.ts'

export interface LedgerLife extends LedgerSinks {
  readonly brokers?: readonly string[]
  readonly protocol?: KafkaOptions['protocol']
  /** Of the embedded log, when there are no brokers. */
  readonly directory?: string
  readonly snapshots: string
  readonly partitions: number
  readonly round: number
  /** Where it dies; without it, it ends in good order when everything is done. */
  readonly die?: {
    readonly step: CommitStep
    /** Commits that come to the step before. */
    readonly after: number
    /** How long the step has been under way, in ms; 0: it has not begun. */
    readonly laterMs: number
  }
}

const EPOCH = Date.UTC(2026, 0, 1)
const ROUND_MS = 600_000
const ACCOUNTS = 8

const life = JSON.parse(process.argv[2]) as LedgerLife
const { application, brokers, protocol, directory, partitions, round, die } = life
const topics = ledgerTopics(application)
const open = () => (brokers ? kafka({ brokers, protocol, requestTimeoutMs: 5_000 }) : embedded(directory!))
const say = (line: string) => writeSync(1, `${line}\n`)

const feeding = open()
await feeding.connect()
if (round === 0) await feeding.admin.create(Object.values(topics).map((topic) => ({ topic, partitions })))

let passed = 0
const running = await run(
  ledger(life),
  {
    log: open(),
    commitIntervalMs: 50,
    sessionTimeoutMs: 20_000,
    instanceId: 'ledger',
    snapshots: { to: snapshotDirectory(life.snapshots), intervalMs: 300 },
  },
  {
    onStep(step) {
      if (step !== die?.step || passed++ !== die.after) return
      const end = () => {
        say(`dies at ${step}`)
        process.kill(process.pid, 'SIGKILL')
      }
      if (die.laterMs === 0) end()
      else setTimeout(end, die.laterMs)
    },
  },
)
running.done.catch((error) => {
  say(`failed: ${error.stack}`)
  process.exit(1)
})

const postingAt = (n: number): Posting => ({
  round,
  n,
  account: `account-${(n * 7) % ACCOUNTS}`,
  amount: (n % 101) - 20,
})
// Out of order, by less than the grace.
const timeOf = (n: number) => EPOCH + round * ROUND_MS + n * 20 - (n % 7) * 100
const write = (numbers: readonly number[], timestampOf: (n: number) => number) =>
  writeRecords(
    feeding,
    topics.in,
    numbers.map((n) => ({ key: `key-${n}`, value: JSON.stringify(postingAt(n)), timestamp: timestampOf(n) })),
  )
const numbersFrom = (n: number, count: number) => Array.from({ length: count }, (_, i) => n + i)

let n = 0
while (die !== undefined || n < 2_000) {
  await write(numbersFrom(n, 100), timeOf)
  n += 100
  await pause(20)
}
// Later than everything, in every partition: the windows before it close.
await running.caughtUp()
await write(numbersFrom(n, 40 * partitions), () => EPOCH + 10_000 * ROUND_MS)
await running.caughtUp()
// What the aggregates of `combine` keep: a count, and a sum with what rounding has left over.
const kept = running.query<string, { s0: number; s1: { sum: number } }>('totals')
const stored = [...kept].map(({ key, start, value }) => [
  `${key}@${start}`,
  { postings: value!.s0, amount: value!.s1.sum },
])
// More than fits into the pipe, of which writeSync would write a part.
await new Promise((resolve) => process.stdout.write(`ends with ${JSON.stringify(stored)}\n`, resolve))
await running.stop()
await feeding.close()
