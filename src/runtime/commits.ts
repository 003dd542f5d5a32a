import type { Logger } from 'pino'
import { MillraceError, toError } from '../errors.ts'
import type { LogGroup, LogProducer, Position } from '../log/log.ts'
import type { OpenTask } from './assignment.ts'
import {
  type CommitStep,
  type Committer,
  type CommitterDependencies,
  createCommitter,
  refusedRowLetter,
} from './committer.ts'
import type { Metrics } from './metrics.ts'
import type { Settings } from './options.ts'
import type { Patience } from './patience.ts'
import type { Sinks } from './sinks.ts'
import type { CommittedBatch, Snapshots } from './snapshots/snapshots.ts'
import type { StampGate } from './stamp-gate.ts'

const TRIM_MS = 30_000

/** The tasks of a worker. */
export interface TaskSet {
  /** They process records. In the order of their ids. */
  running: readonly OpenTask[]
  /** They process nothing any more, and are there until what they have done is committed. */
  parting: readonly OpenTask[]
}

export interface CommitsDependencies {
  readonly tasks: TaskSet
  /** Bytes of the largest batch that a topic takes. */
  readonly largestBatch: (topic: string) => number
  readonly gate: StampGate
  readonly settings: Settings
  readonly group: LogGroup
  readonly sinks: Sinks
  readonly snapshots: Snapshots | undefined
  readonly metrics: Metrics
  readonly patiently: Patience
  readonly logger: Logger
  readonly onStep?: (step: CommitStep) => void | Promise<void>
  readonly onCommitted: () => void
  /** A commit has failed: of what it held nothing may be relied on. Called before `settled` resolves. */
  readonly onFailed: (error: Error) => void
  /** A commit has ended, well or not. */
  readonly wake: () => void
}

/** The commits of a worker, one after the other, beside its loop. */
export interface Commits {
  /** Begins to commit everything that its tasks have done. Only when none is under way. */
  start(): void
  readonly underWay: boolean
  /** When the newest one was begun. */
  readonly began: number
  /** Where what the newest one wrote ends, by topic and partition. */
  readonly written: readonly Position[]
  /** Resolves when none is under way. */
  settled(): Promise<void>
  /** Sends what has been written so far, ahead of its commit. */
  sendAhead(): void
  readonly hasSentAhead: boolean
  /** The tasks of what was sent are forgotten: it is not committed any more, whoever asks, until `renew`. */
  forsake(): void
  /** Forgets what was sent and not committed, and takes a new producer, which fences the old one. */
  renew(): Promise<void>
  abort(): Promise<void>
  /** The wall clock was set back. */
  notAfter(now: number): void
  close(): Promise<void>
}

export function createCommits(on: CommitsDependencies): Commits {
  const { tasks, gate, settings, group, sinks, snapshots, metrics, patiently, logger } = on
  const { log, clock } = settings
  const transactional = settings.guarantee === 'exactly-once'
  const transactionalId = transactional ? transactionalIdOf(settings) : undefined
  const onRefused = refusal(settings, logger, on.largestBatch)

  let producer: LogProducer | undefined
  let committer: Committer | undefined
  let isForsaken = false
  let written: readonly Position[] = []
  let underWay: Promise<void> | undefined
  let began = clock.now()
  let trimmed = clock.now()

  /**
   * A planned range is replayed to where it ended before anything of it is committed; when its task parts before that, it
   * is replayed by the next owner.
   */
  const ready = () => [...tasks.running, ...tasks.parting].filter(({ task }) => !task.limited || task.atLimit)

  /** Repartition topics are trimmed behind their readers; not at every commit, and nobody waits for it. */
  function trim(): void {
    if (clock.now() - trimmed < TRIM_MS) return
    trimmed = clock.now()
    const behind = tasks.running.flatMap(({ task, committed }) =>
      task.inputs
        .filter(({ internal }) => internal)
        .map(({ topic }) => ({ topic, partition: task.partition, offset: committed.positions.get(topic)! })),
    )
    if (behind.length) log.admin.trim(behind).catch((error) => logger.debug({ err: error }, 'trim'))
  }

  return {
    start() {
      if (isForsaken) return
      const started = clock.now()
      began = started
      const committed = ready()
      const flushed = () => {
        const commit = snapshots?.begin() ?? 0
        const work = committed.map((open) => ({ open, output: open.task.flush() }))
        const done = committed.map(({ task }) => task)
        const counts = done.map((task) => metrics.take(task))
        return committer!.commit(work, (batches) => {
          moveOn(committed, batches)
          if (batches.length > 0) written = endsOf(batches)
          snapshots?.committed(commit, batches, done)
          for (const count of counts) count()
        })
      }
      // Calls to the outside come back first; other tasks go on meanwhile.
      const resting = committed.flatMap(({ task }) => task.rest() ?? [])
      underWay = (resting.length > 0 ? Promise.all(resting).then(flushed) : flushed())
        .then(({ batches, rows }) => {
          on.onCommitted()
          if (batches + rows > 0) metrics.committed((clock.now() - started) / 1000)
          trim()
        })
        .catch((error) => on.onFailed(toError(error)))
        .finally(() => {
          underWay = undefined
          on.wake()
        })
    },
    get underWay() {
      return underWay !== undefined
    },
    get written() {
      return written
    },
    get began() {
      return began
    },
    async settled() {
      while (underWay !== undefined) await underWay
    },
    sendAhead() {
      try {
        committer!.send(ready().flatMap(({ task }) => task.drain()))
      } catch (error) {
        // The producer was fenced between two transactions.
        on.onFailed(toError(error))
      }
    },
    get hasSentAhead() {
      return !isForsaken && (committer?.hasSent ?? false)
    },
    forsake() {
      isForsaken = true
    },
    async abort() {
      await committer?.abort().catch((error) => logger.debug({ err: error }, 'abort'))
    },
    async renew() {
      await producer?.close().catch(() => {})
      const fresh = log.producer({ transactionalId, transactionTimeoutMs: settings.transactionTimeoutMs })
      await patiently('log', () => fresh.init())
      producer = fresh
      const { stamped } = gate
      const { onStep } = on
      committer = createCommitter({
        producer: fresh,
        transactional,
        group,
        sinks,
        patiently,
        onRefused,
        stamped,
        keeps: snapshots?.keeps,
        onStep,
      })
      isForsaken = false
    },
    notAfter(now) {
      began = Math.min(began, now)
      trimmed = Math.min(trimmed, now)
    },
    async close() {
      await producer?.close().catch(() => {})
    },
  }
}

function endsOf(batches: readonly CommittedBatch[]): readonly Position[] {
  const ends = new Map<string, Position>()
  for (const { topic, partition, records, offset } of batches) {
    const end = offset + records
    const id = `${topic}/${partition}`
    if (end > (ends.get(id)?.offset ?? -1)) ends.set(id, { topic, partition, offset: end })
  }
  return [...ends.values()]
}

/** What has been written to the changelogs is in the states: a standby that goes on from one reads from there. */
function moveOn(tasks: readonly OpenTask[], batches: readonly CommittedBatch[]): void {
  const positions = new Map(
    tasks.flatMap(({ state: { partition, positions } }) =>
      Array.from(positions.keys(), (topic) => [`${topic}/${partition}`, positions] as const),
    ),
  )
  for (const { topic, partition, records, offset } of batches) {
    const of = positions.get(`${topic}/${partition}`)
    if (of) of.set(topic, Math.max(of.get(topic)!, offset + records))
  }
}

/** What becomes of a row that a sink refuses, by the application's policy. */
function refusal(
  { errors, deadLetterTopic }: Settings,
  logger: Logger,
  largestBatch: (topic: string) => number,
): CommitterDependencies['onRefused'] {
  return (sink, batch, row) => {
    const { range, offsets } = batch
    const at = { topic: range.topic, partition: range.partition, offset: offsets[row.index] }
    if (errors.refused === 'fail' || (errors.refused === 'dead-letter' && !deadLetterTopic)) {
      throw new MillraceError('SINK_REFUSED', `${sink} refuses a row: ${row.error.message}`, {
        ...at,
        cause: row.error,
        hint: "mend the row or the table, or set errors: { refused: 'dead-letter' }",
      })
    }
    logger.warn({ ...at, sink, err: { message: row.error.message } }, `row refused by a sink: ${errors.refused}`)
    if (errors.refused === 'skip') return
    return refusedRowLetter({ topic: deadLetterTopic!, most: largestBatch(deadLetterTopic!) }, sink, batch, row)
  }
}

/**
 * One transactional producer per worker (KIP-447). A fixed instance keeps its id over a restart, so that `init` ends
 * at once what the old process left open; any other gets a new one, and what it leaves open ends by time-out.
 */
function transactionalIdOf({ application, instanceId }: Settings): string {
  return `${application}-${instanceId ?? crypto.randomUUID()}`
}
