import type { RecordBatch } from '../../log/batch/record-batch.ts'
import type { Fetched } from '../../log/log.ts'
import { PendingSchema } from '../../serde/serde.ts'
import type { Clock } from '../../time.ts'
import type { Patience } from '../patience.ts'
import { restoreStore } from '../task/restore.ts'
import { storeFull } from '../task/store-full.ts'
import type { TaskState } from './task-state.ts'

/** So long records are applied before others on the event loop have a turn: heartbeats, and the tasks that run. */
const SLICE_MS = 10

export interface ApplyDependencies {
  readonly patiently: Patience
  readonly clock: Clock
  /** Looked at between batches. */
  isWanted(): boolean
  readonly onBatch?: (batch: RecordBatch) => void
  /** Called before others have a turn. */
  readonly onTurn?: () => void
}

/**
 * Applies what was fetched of a changelog to its store, and returns how many records that were. It may be ended after any
 * batch: the state's position says where to go on. Throws what makes the changelog unreadable.
 */
export async function applyFetched(
  { topic, batches, next, corrupt }: Fetched,
  state: TaskState,
  { patiently, clock, isWanted, onBatch, onTurn }: ApplyDependencies,
): Promise<number> {
  const of = state.stores.all.find(({ changelog }) => changelog === topic)!
  let records = 0
  let since = clock.now()
  for (const batch of batches) {
    // The first may begin before the offset that was asked for.
    const first = firstFrom(batch, state.positions.get(topic)!)
    for (let done = false; !done; ) {
      if (!isWanted()) return records
      try {
        // Again from there after a schema was loaded: applying a record twice changes nothing.
        records += restoreStore(of.store, batch, first)
        done = true
      } catch (thrown) {
        if (!(thrown instanceof PendingSchema)) throw storeFull(thrown, `task ${state.id}`, [of])
        await patiently('registry', thrown.load)
      }
    }
    onBatch?.(batch)
    state.positions.set(topic, batch.lastOffset + 1)
    if (clock.now() - since < SLICE_MS) continue
    onTurn?.()
    await clock.breathe()
    since = clock.now()
  }
  if (!isWanted()) return records
  if (corrupt) throw corrupt.error
  state.positions.set(topic, next)
  return records
}

function firstFrom({ offsets, count }: RecordBatch, position: number): number {
  let first = 0
  while (first < count && offsets[first] < position) first++
  return first
}
