import type { Logger } from 'pino'
import type { SnapshotStore } from '../../snapshots/snapshot-store.ts'
import type { Clock } from '../../time.ts'
import type { OutgoingBatch } from '../task/outbox.ts'
import type { Task } from '../task/task.ts'
import { createKeeper, type Keeper } from './keeper.ts'
import type { Manifest } from './manifest.ts'

export interface SnapshotOptions {
  /** Where they are kept: `snapshotDirectory(path)` or `snapshotBucket({ bucket })` of `millrace/snapshots`. */
  readonly to: SnapshotStore
  /** How often what has changed is written down, in ms. Default 30,000. */
  readonly intervalMs?: number
}

/** A batch that a commit has made durable, and where it is. */
export interface CommittedBatch extends Pick<OutgoingBatch, 'topic' | 'partition' | 'records'> {
  readonly offset: number
  /** Of what a snapshot `keeps`. */
  readonly bytes: Buffer | undefined
}

/** How a task's store was opened: what its next snapshot goes on from. */
export interface OpenedStore {
  readonly changelog: string
  readonly offset: number
  /** The snapshot it was opened from, and what the changelog had behind it. */
  readonly snapshot: { readonly manifest: Manifest; readonly changes: readonly Buffer[] } | undefined
}

/** The snapshots of all tasks of a worker: written beside its loop, in small pieces. */
export interface Snapshots {
  opened(task: Task, identity: string, stores: readonly OpenedStore[]): void
  /** Asks for the bytes of what is committed of this changelog. */
  keeps(topic: string, partition: number): boolean
  /** A commit begins; its number goes to `committed`. */
  begin(): number
  /** `tasks`: whose changes it has made durable. */
  committed(commit: number, batches: readonly CommittedBatch[], tasks: readonly Task[]): void
  /** True when there is more to do at once. */
  work(): boolean
  drop(task: Task): void
  /** All tasks are dropped. */
  clear(): void
  /** Writes down what has changed, for whoever opens the tasks next. */
  finish(): Promise<void>
}

export interface SnapshotsDependencies extends SnapshotOptions {
  readonly application: string
  readonly clock: Clock
  /** Gives names that nobody else gives. */
  readonly nonce: () => string
  readonly logger: Logger
  readonly observer: { written(bytes: number): void; failed(): void }
}

export function createSnapshots(on: SnapshotsDependencies): Snapshots {
  const { application, clock, nonce, logger, observer, to, intervalMs = 30_000 } = on
  const keepers = new Map<string, Keeper>()
  const placeOf = (topic: string, partition: number) => `${topic}/${partition}`
  let begun = 0
  return {
    opened(task, identity, stores) {
      for (const { changelog, offset, snapshot } of stores) {
        const { partition } = task
        const of = { application, changelog, partition, identity }
        keepers.set(
          placeOf(changelog, partition),
          createKeeper({
            of,
            store: task.stores.find((store) => store.changelog === changelog)!.store,
            offset,
            snapshot,
            to,
            intervalMs,
            nonce,
            onWritten: observer.written,
            onFailed(error) {
              observer.failed()
              logger.warn({ err: error, changelog, partition }, 'snapshot not written: trying again at the next')
            },
            now: clock.now(),
          }),
        )
      }
    },
    keeps: (topic, partition) => keepers.has(placeOf(topic, partition)),
    begin: () => ++begun,
    committed(commit, batches, tasks) {
      for (const { topic, partition, bytes, offset, records } of batches) {
        if (bytes !== undefined) keepers.get(placeOf(topic, partition))?.wrote(bytes, offset, records)
      }
      for (const { stores, partition } of tasks) {
        for (const { changelog } of stores) {
          if (changelog !== undefined) keepers.get(placeOf(changelog, partition))?.committed(commit)
        }
      }
    },
    work() {
      const now = clock.now()
      let more = false
      for (const keeper of keepers.values()) if (keeper.work(now, begun)) more = true
      return more
    },
    drop({ stores, partition }) {
      for (const { changelog } of stores) {
        if (changelog === undefined) continue
        const place = placeOf(changelog, partition)
        keepers.get(place)?.drop()
        keepers.delete(place)
      }
    },
    clear() {
      for (const keeper of keepers.values()) keeper.drop()
      keepers.clear()
    },
    async finish() {
      for (const keeper of keepers.values()) await keeper.finish()
    },
  }
}
