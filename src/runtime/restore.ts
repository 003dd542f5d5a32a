import type { Logger } from 'pino'
import type { Log, LogReader, Position, TopicPartition } from '../log/log.ts'
import type { SnapshotStore } from '../snapshots/snapshot-store.ts'
import type { StateStore } from '../state/store.ts'
import type { Clock } from '../time.ts'
import { type HeapWatch, holderOf } from './heap.ts'
import type { Patience } from './patience.ts'
import { loadSnapshot } from './snapshots/load.ts'
import type { Manifest } from './snapshots/manifest.ts'
import type { OpenedStore } from './snapshots/snapshots.ts'
import { createTail, type Tail } from './snapshots/tail.ts'
import { applyFetched } from './state/changelog.ts'
import type { TaskState } from './state/task-state.ts'
import { storeFull } from './task/store-full.ts'

/** One changelog of a state, and where it ends. */
export interface Restoring extends TopicPartition {
  readonly state: TaskState
  readonly store: StateStore
  readonly end: number
  readonly snapshot: Manifest | undefined
  /** What comes behind the snapshot. */
  readonly tail: Tail | undefined
  /** Read from the changelog. */
  records: number
}

const FETCH = { maxBytes: 32 * 1024 * 1024, maxBytesPerPartition: 4 * 1024 * 1024, maxWaitMs: 500 }
const PROGRESS_MS = 2_000
/**
 * Snapshots that are loaded at the same time: each holds two segments in memory, and what it has applied stays until V8 collects
 * it. With four, two million keys took 1.8 GB at the peak instead of 1.5, and no less time.
 */
const LOADED_AT_ONCE = 2

export interface RestoreDependencies {
  readonly log: Log
  readonly patiently: Patience
  readonly clock: Clock
  readonly logger: Logger
  readonly signal: AbortSignal
  readonly heap: HeapWatch
  /** Where snapshots are, and the identity of each task's state. */
  readonly snapshots?: {
    readonly from: SnapshotStore
    readonly application: string
    identity(task: string): string | undefined
  }
}

/**
 * Restores states, all together, up to the ends of their changelogs. The end is that of the uncommitted log: a transaction
 * that a predecessor committed may still be getting its markers, and a committed reader waits for them (KIP-447).
 */
export async function restoreStates(states: readonly TaskState[], on: RestoreDependencies): Promise<Restoring[]> {
  const { log, clock, logger, signal, heap } = on
  const restoring = await startStates(states, on)
  const offsetOf = ({ state, topic }: Restoring) => state.positions.get(topic)!
  const left = () => restoring.reduce((sum, of) => sum + Math.max(0, of.end - offsetOf(of)), 0)
  const isBehind = (of: Restoring) => offsetOf(of) < of.end
  const total = left()
  let remaining = restoring.filter(isBehind)
  const onTurn = () =>
    heap.check('restoring', () => ({ holders: states.map(holderOf), records: total - left(), of: total }))
  let told = clock.now()
  if (remaining.length === 0) return restoring
  const reader = log.reader({ isolation: 'committed' })
  try {
    while (remaining.length > 0 && !signal.aborted) {
      await restoreSome(remaining, reader, onTurn, on)
      remaining = remaining.filter(isBehind)
      if (clock.now() - told < PROGRESS_MS) continue
      told = clock.now()
      const records = restoring.reduce((sum, of) => sum + of.records, 0)
      logger.info({ records, percent: Math.floor(100 - (left() / total) * 100) }, 'restoring state')
    }
  } finally {
    await reader.close()
  }
  return restoring
}

/** What the next snapshot of a store that has been restored goes on from. */
export function openedStore({ topic: changelog, end: offset, snapshot: manifest, tail }: Restoring): OpenedStore {
  const changes = tail?.take()
  return { changelog, offset, snapshot: manifest && changes && { manifest, changes } }
}

/**
 * Makes states ready for reading their changelogs: what has been begun goes on where it is; what has not begins at the end
 * of a snapshot where there is one, and at the start of the changelog where there is none.
 */
export async function startStates(states: readonly TaskState[], on: RestoreDependencies): Promise<Restoring[]> {
  const { snapshots, heap } = on
  const onTurn = () => heap.check('restoring', () => ({ holders: states.map(holderOf) }))
  const stores = states.flatMap((state) =>
    state.stores.all.flatMap(({ changelog, store }) =>
      changelog === undefined ? [] : [{ state, topic: changelog, partition: state.partition, store }],
    ),
  )
  const { starts, ends } = await boundsOf(stores, on)
  return someAtOnce(LOADED_AT_ONCE, stores, async (of, i) => {
    const { state, topic: changelog, partition, store } = of
    const [start, end] = [starts[i], ends[i]]
    const restoring = { ...of, end, snapshot: undefined, tail: undefined, records: 0 }
    if (state.positions.has(changelog)) return restoring
    state.positions.set(changelog, start)
    const identity = snapshots?.identity(state.id)
    if (!snapshots || identity === undefined) return restoring
    const what = { application: snapshots.application, changelog, partition, identity }
    const loading = loadSnapshot(what, store, { start, end }, { ...on, from: snapshots.from, onTurn })
    const snapshot = await loading.catch((thrown) =>
      Promise.reject(storeFull(thrown, `task ${state.id}`, state.stores.all)),
    )
    if (!snapshot) return restoring
    state.positions.set(changelog, snapshot.offset)
    return { ...restoring, snapshot, tail: createTail() }
  })
}

/** `Promise.all` of work that takes memory. */
async function someAtOnce<T, R>(limit: number, items: readonly T[], work: (item: T, i: number) => Promise<R>) {
  const results: R[] = []
  let next = 0
  const take = async () => {
    while (next < items.length) {
      const i = next++
      results[i] = await work(items[i], i)
    }
  }
  await Promise.all(Array.from({ length: limit }, take))
  return results
}

/**
 * Whether a state that has been begun can go on: all of its positions are still on their changelogs. If not, records may
 * have gone that nobody here has read, or the log is another one.
 */
export async function canGoOn(
  { partition, positions }: TaskState,
  on: Pick<RestoreDependencies, 'log' | 'patiently'>,
): Promise<boolean> {
  const at = Array.from(positions, ([topic, offset]) => ({ topic, partition, offset }))
  const { starts, ends } = await boundsOf(at, on)
  return at.every(({ offset }, i) => offset >= starts[i] && offset <= ends[i])
}

/** First and last offsets, in the order of the question. */
async function boundsOf(
  partitions: readonly TopicPartition[],
  { log, patiently }: Pick<RestoreDependencies, 'log' | 'patiently'>,
): Promise<{ starts: number[]; ends: number[] }> {
  if (partitions.length === 0) return { starts: [], ends: [] }
  const [starts, ends] = await patiently('log', () =>
    Promise.all([log.admin.startOffsets(partitions), log.admin.endOffsets(partitions, 'uncommitted')]),
  )
  // Answers come in the order of the brokers that gave them.
  const inOrder = (found: readonly Position[]) =>
    partitions.map(
      (of) => found.find(({ topic, partition }) => topic === of.topic && partition === of.partition)!.offset,
    )
  return { starts: inOrder(starts), ends: inOrder(ends) }
}

async function restoreSome(
  remaining: readonly Restoring[],
  reader: LogReader,
  onTurn: () => void,
  { patiently, clock }: RestoreDependencies,
): Promise<void> {
  const positions = remaining.map(({ state, topic, partition }) => ({
    topic,
    partition,
    offset: state.positions.get(topic)!,
  }))
  for (const fetched of await patiently('log', () => reader.fetch(positions, FETCH))) {
    const of = remaining.find(({ topic, partition }) => topic === fetched.topic && partition === fetched.partition)!
    of.records += await applyFetched(fetched, of.state, {
      patiently,
      clock,
      isWanted: () => true,
      onBatch: of.tail?.add,
      onTurn,
    })
  }
}
