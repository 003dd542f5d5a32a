import type { Logger } from 'pino'
import type { Log, LogReader, Position, TopicPartition } from '../log/log.ts'
import { PendingSchema } from '../serde/serde.ts'
import type { Clock } from '../time.ts'
import type { Patience } from './patience.ts'
import { restoreStore } from './task/restore.ts'
import type { Task } from './task/task.ts'

interface Restoring {
  readonly topic: string
  readonly partition: number
  readonly store: Task['stores'][number]['store']
  offset: number
  readonly end: number
}

const FETCH = { maxBytes: 32 * 1024 * 1024, maxBytesPerPartition: 4 * 1024 * 1024, maxWaitMs: 500 }
const PROGRESS_MS = 2_000

export interface RestoreDependencies {
  readonly log: Log
  readonly patiently: Patience
  readonly clock: Clock
  readonly logger: Logger
  readonly signal: AbortSignal
}

/**
 * Reads the changelogs of tasks into their stores, all together, up to the end of each. The end is that of the
 * uncommitted log: a transaction that a predecessor committed may still be getting its markers, and a committed reader
 * waits for them (KIP-447).
 */
export async function restoreTasks(tasks: readonly Task[], on: RestoreDependencies): Promise<number> {
  const { log, patiently, clock, logger, signal } = on
  const stores = tasks.flatMap(({ partition, stores }) =>
    stores.flatMap(({ changelog, store }) => (changelog === undefined ? [] : [{ topic: changelog, partition, store }])),
  )
  if (stores.length === 0) return 0
  const [starts, ends] = await patiently('log', () =>
    Promise.all([log.admin.startOffsets(stores), log.admin.endOffsets(stores, 'uncommitted')]),
  )
  // Answers come in the order of the brokers that gave them.
  const find = (positions: readonly Position[], { topic, partition }: TopicPartition): number =>
    positions.find((of) => of.topic === topic && of.partition === partition)!.offset
  const restoring: Restoring[] = stores.map((of) => ({ ...of, offset: find(starts, of), end: find(ends, of) }))
  const total = restoring.reduce((sum, { offset, end }) => sum + end - offset, 0)
  let remaining = restoring.filter(({ offset, end }) => offset < end)
  let records = 0
  let told = clock.now()
  const reader = log.reader({ isolation: 'committed' })
  try {
    while (remaining.length > 0 && !signal.aborted) {
      records += await restoreSome(remaining, reader, patiently)
      remaining = remaining.filter(({ offset, end }) => offset < end)
      if (clock.now() - told < PROGRESS_MS) continue
      told = clock.now()
      const left = remaining.reduce((sum, { offset, end }) => sum + end - offset, 0)
      logger.info({ records, percent: Math.floor(100 - (left / total) * 100) }, 'restoring state')
    }
  } finally {
    await reader.close()
  }
  return records
}

async function restoreSome(remaining: readonly Restoring[], reader: LogReader, patiently: Patience): Promise<number> {
  const fetched = await patiently('log', () => reader.fetch(remaining, FETCH))
  let records = 0
  for (const { topic, partition, batches, next, corrupt } of fetched) {
    const of = remaining.find((other) => other.topic === topic && other.partition === partition)!
    for (const batch of batches) {
      for (let done = false; !done; ) {
        try {
          // Again from the start of the batch after a schema was loaded: applying a record twice changes nothing.
          records += restoreStore(of.store, batch, 0)
          done = true
        } catch (thrown) {
          if (!(thrown instanceof PendingSchema)) throw thrown
          await patiently('registry', thrown.load)
        }
      }
    }
    if (corrupt) throw corrupt.error
    of.offset = next
  }
  return records
}
