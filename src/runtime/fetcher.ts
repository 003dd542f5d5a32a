import { MillraceError } from '../errors.ts'
import type { Fetched, Log, LogReader } from '../log/log.ts'
import { WAIT_ENDED } from '../time.ts'
import type { OpenTask } from './assignment.ts'
import { batchBytes, type Input } from './task/input.ts'
import type { Task } from './task/task.ts'

/**
 * What is asked of a partition at once, as a share of what may wait: 256 KiB by default. What has been processed before it has
 * lived through two collections of the young generation needs no full one to be freed; of answers of 2 MB hardly any has.
 */
const PARTITION_SHARE = 1 / 32
const ANSWER_SHARE = 1 / 2
const LEAST_PARTITION_BYTES = 64 * 1024
/** A batch that is larger is asked for alone. */
const MOST_PARTITION_BYTES = 1024 * 1024

/** Keeps one fetch under way for the inputs that have room: memory is bounded, and a slow task slows its source. */
export interface Fetcher {
  /**
   * Starts a fetch unless one is under way or no input has room. `done` is called when it has ended. One that waits for
   * inputs which have nothing is ended when another, which was full when it began, runs empty.
   */
  start(tasks: readonly OpenTask[], done: () => void): void
  /** Puts what has arrived into the tasks. Throws what the fetch threw. */
  deliver(tasks: readonly OpenTask[]): void
  /** What is under way belongs to tasks that are gone. */
  forget(): void
  close(): Promise<void>
}

export function createFetcher(log: Log, committedOnly: boolean, maxBufferedBytes: number): Fetcher {
  const reader: LogReader = log.reader({ isolation: committedOnly ? 'committed' : 'uncommitted' })
  /** What is being fetched; undefined: nothing. */
  let asked: ReadonlySet<Input> | undefined
  /** Of a batch that is cut off a broker sends nothing: never ask for less than one. */
  let largestBatch = 0
  let round = 0
  let arrived: { round: number; fetched?: readonly Fetched[]; error?: unknown } | undefined
  let stop = new AbortController()
  /** Spans that cannot be read and whose turn has not come: what lies before them is still waiting to be processed. */
  const held = new Map<Input, { readonly task: Task; readonly corrupt: NonNullable<Fetched['corrupt']> }>()

  function stopWaiting(): void {
    stop.abort(WAIT_ENDED)
    stop = new AbortController()
  }

  /** A dead letter must not be committed before the position that it is at, or it would be written twice. */
  function deliverHeld(): void {
    for (const [input, { task, corrupt }] of held) {
      if (input.queue.length > 0 || input.fetched >= input.limit) continue
      held.delete(input)
      task.addCorrupt(input.topic, corrupt)
    }
  }

  const partitionBytes = () => {
    const batch = Math.min(MOST_PARTITION_BYTES, Math.ceil(largestBatch * 1.25))
    return Math.max(LEAST_PARTITION_BYTES, Math.ceil(maxBufferedBytes * PARTITION_SHARE), batch)
  }

  return {
    start(tasks, done) {
      if (arrived) return
      const inputs = tasks.flatMap(({ task }) => task.inputs.map((of) => ({ of, partition: task.partition })))
      const room = maxBufferedBytes / Math.max(1, inputs.length)
      if (asked !== undefined) {
        const isStarving = inputs.some(({ of }) => of.bytes < room / 2 && !asked!.has(of) && !held.has(of))
        if (isStarving) stopWaiting()
        return
      }
      const wanted = inputs.filter(({ of }) => of.bytes < room && !held.has(of))
      if (wanted.length === 0) return
      asked = new Set(wanted.map(({ of }) => of))
      const mine = round
      reader
        .fetch(
          wanted.map(({ of, partition }) => ({ topic: of.topic, partition, offset: of.fetched })),
          {
            maxBytes: Math.max(MOST_PARTITION_BYTES, Math.ceil(maxBufferedBytes * ANSWER_SHARE)),
            maxBytesPerPartition: partitionBytes(),
            maxWaitMs: 500,
            signal: stop.signal,
          },
        )
        .then(
          (fetched) => {
            arrived = { round: mine, fetched }
          },
          (error) => {
            arrived = { round: mine, error }
          },
        )
        .finally(() => {
          asked = undefined
          done()
        })
    },
    deliver(tasks) {
      deliverHeld()
      if (!arrived) return
      const { round: of, fetched, error } = arrived
      arrived = undefined
      if (of !== round) return
      if (error) throw error
      for (const { topic, partition, batches, next, end, corrupt } of fetched ?? []) {
        const task = tasks.find(
          (open) => open.task.partition === partition && open.task.inputs.some((input) => input.topic === topic),
        )?.task
        if (!task) throw new MillraceError('INTERNAL', 'fetched for a task that is not here', { topic, partition })
        task.add(topic, batches, next, end)
        for (const batch of batches) largestBatch = Math.max(largestBatch, batchBytes(batch))
        const input = task.inputs.find((of) => of.topic === topic)
        if (corrupt && input) held.set(input, { task, corrupt })
      }
      deliverHeld()
    },
    forget() {
      round++
      held.clear()
      stopWaiting()
    },
    async close() {
      stop.abort(WAIT_ENDED)
      await reader.close()
    },
  }
}
