import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8'
import { isMainThread, resourceLimits } from 'node:worker_threads'
import type { Logger } from 'pino'
import type { Clock } from '../time.ts'
import type { TaskState } from './state/task-state.ts'

/**
 * What is held for long in the heap of this thread (V8's old generation), in bytes, and how much may be: past the limit V8
 * ends the thread, and in the main thread the process.
 */
export interface Heap {
  readonly used: number
  readonly limit: number
}

/** Some microseconds: not for every record. */
export function readHeap(): Heap {
  const { used_heap_size, heap_size_limit } = getHeapStatistics()
  let young = 0
  for (const { space_name, space_used_size } of getHeapSpaceStatistics()) {
    if (space_name.startsWith('new_')) young += space_used_size
  }
  return { used: used_heap_size - young, limit: Math.max(heap_size_limit - youngLimit, heap_size_limit / 4) }
}

const MiB = 1024 * 1024
/**
 * V8's limit is that of both generations, but the old one may not use what is left of the young one. That has three semi-spaces
 * (Heap::YoungGenerationSizeFromSemiSpaceSize), of 16 MiB each by default, and from V8 13 on (Node 24) of 64.
 */
const youngLimit = youngLimitOf(
  [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' '),
  isMainThread ? undefined : resourceLimits.maxYoungGenerationSizeMb,
)

/** A flag counts in threads, too, whatever their own limits are. */
function youngLimitOf(flags: string, ofThread: number | undefined): number {
  const flag = /--max[-_]semi[-_]space[-_]size[= ](\d+)/.exec(flags)?.[1]
  if (flag !== undefined) return 3 * Number(flag) * MiB
  return (ofThread ?? (Number.parseInt(process.versions.v8, 10) >= 13 ? 192 : 48)) * MiB
}

/** What holds state while the heap fills: of a task that runs, is being restored, or is kept as a standby. */
export interface StateHolder {
  readonly id: string
  readonly stores: readonly { readonly name: string; readonly store: { readonly size: number } }[]
}

export const holderOf = ({ id, stores }: TaskState): StateHolder => ({ id, stores: stores.all })

/** Where the state is, and how far a restore has come. */
export interface HeapUse {
  readonly holders: readonly StateHolder[]
  /** Records of changelogs that have been read, and of how many: of a restore that is under way. */
  readonly records?: number
  readonly of?: number
}

export type HeapWork = 'restoring' | 'processing' | 'following standbys' | 'following global tables'

/** Warns before V8 ends the thread without a word about whose memory it was. */
export interface HeapWatch {
  /** For every turn of a loop, not for every record. */
  check(doing: HeapWork, use: () => HeapUse): void
}

/** V8 collects garbage long before this: what is in use here is mostly alive. */
const NEARLY_FULL = 0.85
/** Between a warning and the next. */
const AGAIN_MS = 10 * 60_000

const REMEDY = `${
  isMainThread ? 'raise it' : 'raise oldGenerationMb of runThreads, or it for all threads'
} with NODE_OPTIONS=--max-old-space-size=<MB>, keep the state on disk (the option state), or run more instances`

export function createHeapWatch(logger: Logger, clock: Pick<Clock, 'now'>, read = readHeap): HeapWatch {
  let warned = Number.NEGATIVE_INFINITY
  return {
    check(doing, use) {
      const { used, limit } = read()
      // A clock may be set back.
      if (used < limit * NEARLY_FULL || Math.abs(clock.now() - warned) < AGAIN_MS) return
      warned = clock.now()
      const { holders, ...restore } = use()
      logger.warn(
        { doing, ...largestOf(holders), ...restore, heapMb: megabytes(used), heapLimitMb: megabytes(limit) },
        `the heap is ${Math.floor((used / limit) * 100)} % full, and V8 ends what comes to its limit: ${REMEDY}`,
      )
    },
  }
}

/** The store with the most entries, and the entries of all. */
function largestOf(holders: readonly StateHolder[]) {
  const stores = holders.flatMap(({ id: task, stores }) =>
    stores.map(({ name, store }) => ({ task, store: name, entries: store.size })),
  )
  if (stores.length === 0) return {}
  const largest = stores.reduce((a, b) => (b.entries > a.entries ? b : a))
  return { ...largest, entriesOfAll: stores.reduce((sum, { entries }) => sum + entries, 0) }
}

const megabytes = (bytes: number) => Math.round(bytes / MiB)
