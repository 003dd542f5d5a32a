import type { Logger } from 'pino'
import type { Log, LogReader, Position, TopicPartition } from '../log/log.ts'
import { PendingSchema } from '../serde/serde.ts'
import type { SnapshotStore } from '../snapshots/snapshot-store.ts'
import type { Clock } from '../time.ts'
import type { Patience } from './patience.ts'
import { loadSnapshot } from './snapshots/load.ts'
import type { Manifest } from './snapshots/manifest.ts'
import type { OpenedStore } from './snapshots/snapshots.ts'
import { createTail, type Tail } from './snapshots/tail.ts'
import { restoreStore } from './task/restore.ts'
import type { Task } from './task/task.ts'

interface Restoring {
  readonly task: Task
  readonly topic: string
  readonly partition: number
  readonly store: Task['stores'][number]['store']
  offset: number
  readonly end: number
  manifest: Manifest | undefined
  /** What comes behind the snapshot. */
  tail: Tail | undefined
}

const FETCH = { maxBytes: 32 * 1024 * 1024, maxBytesPerPartition: 4 * 1024 * 1024, maxWaitMs: 500 }
const PROGRESS_MS = 2_000

export interface Restored {
  /** Read from changelogs. */
  readonly records: number
  readonly stores: readonly (OpenedStore & { readonly task: Task })[]
}

export interface RestoreDependencies {
  readonly log: Log
  readonly patiently: Patience
  readonly clock: Clock
  readonly logger: Logger
  readonly signal: AbortSignal
  /** Where snapshots are, and the identity of each task's state. */
  readonly snapshots?: {
    readonly from: SnapshotStore
    readonly application: string
    identity(task: Task): string | undefined
  }
}

/**
 * Restores the stores of tasks, all together: from a snapshot where there is one, and from there on, or from its start,
 * from the changelog up to its end. The end is that of the
 * uncommitted log: a transaction that a predecessor committed may still be getting its markers, and a committed reader
 * waits for them (KIP-447).
 */
export async function restoreTasks(tasks: readonly Task[], on: RestoreDependencies): Promise<Restored> {
  const { log, patiently, clock, logger, signal } = on
  const restoring = await startingPoints(tasks, on)
  const left = () => restoring.reduce((sum, { offset, end }) => sum + Math.max(0, end - offset), 0)
  const total = left()
  let remaining = restoring.filter(({ offset, end }) => offset < end)
  let records = 0
  let told = clock.now()
  if (remaining.length === 0) return { records, stores: restoring.map(openedStore) }
  const reader = log.reader({ isolation: 'committed' })
  try {
    while (remaining.length > 0 && !signal.aborted) {
      records += await restoreSome(remaining, reader, patiently)
      remaining = remaining.filter(({ offset, end }) => offset < end)
      if (clock.now() - told < PROGRESS_MS) continue
      told = clock.now()
      logger.info({ records, percent: Math.floor(100 - (left() / total) * 100) }, 'restoring state')
    }
  } finally {
    await reader.close()
  }
  return { records, stores: restoring.map(openedStore) }
}

function openedStore({ task, topic: changelog, end: offset, manifest, tail }: Restoring): Restored['stores'][number] {
  const changes = tail?.take()
  return { task, changelog, offset, snapshot: manifest && changes && { manifest, changes } }
}

/** Where the changelog of each store is read from: its start, or where a snapshot ends. */
async function startingPoints(tasks: readonly Task[], on: RestoreDependencies): Promise<Restoring[]> {
  const { log, patiently, snapshots } = on
  const stores = tasks.flatMap((task) =>
    task.stores.flatMap(({ changelog, store }) =>
      changelog === undefined ? [] : [{ task, topic: changelog, partition: task.partition, store }],
    ),
  )
  if (stores.length === 0) return []
  const [starts, ends] = await patiently('log', () =>
    Promise.all([log.admin.startOffsets(stores), log.admin.endOffsets(stores, 'uncommitted')]),
  )
  // Answers come in the order of the brokers that gave them.
  const find = (positions: readonly Position[], { topic, partition }: TopicPartition): number =>
    positions.find((of) => of.topic === topic && of.partition === partition)!.offset
  const restoring: Restoring[] = stores.map((of) => ({
    ...of,
    offset: find(starts, of),
    end: find(ends, of),
    manifest: undefined,
    tail: undefined,
  }))
  if (snapshots === undefined) return restoring
  await Promise.all(
    restoring.map(async (of) => {
      const { task, topic: changelog, partition, store, offset: start, end } = of
      const identity = snapshots.identity(task)
      if (identity === undefined) return
      const what = { application: snapshots.application, changelog, partition, identity }
      of.manifest = await loadSnapshot(what, store, { start, end }, { ...on, from: snapshots.from })
      if (!of.manifest) return
      of.offset = of.manifest.offset
      of.tail = createTail()
    }),
  )
  return restoring
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
          of.tail?.add(batch)
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
