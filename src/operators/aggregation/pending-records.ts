import { MillraceError, toError } from '../../errors.ts'
import type { RecordOrigin } from '../../record.ts'
import type { Entry } from '../../state/store.ts'
import { firstAtOrAfter } from '../../state/timelines.ts'

/** How accumulators are brought together; see `Aggregate`. */
interface Merging<A> {
  readonly kind: string
  merge(a: A, b: A): A
  copy(accumulator: A): A
}

/** Whose records they are. */
interface Owner<K> {
  readonly key: K
  /** Name of the operator. */
  readonly node: string
  /** Of the first of them. */
  readonly origin: RecordOrigin
}

/**
 * Records of one key on their way into its sliding windows: an accumulator for each timestamp, in the order of time. They
 * are swept into the windows from the left to the right, as a queue of two stacks (Tangwongsan, Hirzel & Schneider,
 * "Sliding-Window Aggregation Algorithms", 2018): each window takes two merges, and each record three, however many
 * windows it lies in.
 */
export class PendingRecords<K, A> {
  readonly key: K
  private readonly length: number
  private readonly merge: Merging<A>['merge']
  private readonly copy: Merging<A>['copy']
  private readonly times: number[] = []
  private readonly partials: A[] = []
  /** Windows that start in between have been marked as changed. */
  private markedFrom = Number.POSITIVE_INFINITY
  private markedTo = Number.NEGATIVE_INFINITY
  /** Start of the window that is being filled. */
  private filling = 0
  /** Windows that start up to here have what is theirs. */
  private sweptTo = Number.NEGATIVE_INFINITY
  /** The records of the last window: from `low` to `high`; those before `middle` are in `front`, the others in `back`. */
  private low = 0
  private middle = 0
  private high = 0
  /** What each record before `middle` comes to with all between it and `middle`. */
  private readonly front: A[] = []
  private back: A | undefined

  /** @param length - from the start of a window to its end, which it includes */
  constructor(owner: Owner<K>, length: number, { kind, merge, copy }: Merging<A>) {
    this.key = owner.key
    this.length = length
    this.copy = copy
    this.merge = (a, b) => {
      try {
        return merge(a, b)
      } catch (thrown) {
        throw mergeFailed(kind, owner, this.filling, this.filling + length, thrown)
      }
    }
  }

  /** The newest time in [from, to]; -1 where there is none. */
  newest(from: number, to: number): number {
    const at = this.after(to) - 1
    return at >= 0 && this.times[at] >= from ? this.times[at] : -1
  }

  hasSwept(entry: Entry<K, A>): boolean {
    return entry.start <= this.sweptTo
  }

  /** Puts a record in that is after all windows that have been swept. */
  add(timestamp: number, partial: A): void {
    const { times, partials } = this
    const at = this.after(timestamp)
    this.filling = timestamp - this.length
    if (at > 0 && times[at - 1] === timestamp) partials[at - 1] = this.merge(partials[at - 1], partial)
    else if (at === times.length) {
      times.push(timestamp)
      partials.push(partial)
    } else {
      times.splice(at, 0, timestamp)
      partials.splice(at, 0, partial)
    }
  }

  /** Marks the windows that start in [from, to], the last first, unless they have been. */
  mark(windows: readonly Entry<K, A>[], from: number, to: number, touch: (entry: Entry<K, A>) => void): void {
    const { markedFrom, markedTo } = this
    const apart = from > markedTo + 1 || to < markedFrom - 1
    const touchDown = (least: number, most: number) => {
      for (let i = firstAtOrAfter(windows, most + 1) - 1; i >= 0 && windows[i].start >= least; i--) touch(windows[i])
    }
    if (apart) {
      touchDown(from, to)
      this.markedFrom = from
      this.markedTo = to
      return
    }
    if (to > markedTo) {
      touchDown(markedTo + 1, to)
      this.markedTo = to
    }
    if (from < markedFrom) {
      touchDown(from, markedFrom - 1)
      this.markedFrom = from
    }
  }

  /** Merges them into the windows that start up to `upTo`, each of which is told of before. */
  sweep(windows: readonly Entry<K, A>[], upTo: number, change: (entry: Entry<K, A>) => void): void {
    const { times, partials, front, merge, length } = this
    const count = times.length
    if (this.low === count) {
      this.sweptTo = upTo
      return
    }
    const from = Math.max(times[this.low] - length, this.sweptTo + 1)
    for (let i = firstAtOrAfter(windows, from); i < windows.length && windows[i].start <= upTo; i++) {
      const entry = windows[i]
      const { start } = entry
      this.filling = start
      while (this.low < count && times[this.low] < start) this.low++
      if (this.low === count) break
      if (this.low >= this.middle) {
        while (this.high < count && times[this.high] <= start + length) this.high++
        if (this.low >= this.high) continue
        this.turn()
      } else {
        while (this.high < count && times[this.high] <= start + length) {
          const next = partials[this.high++]
          this.back = this.back === undefined ? this.copy(next) : merge(this.back, next)
        }
      }
      change(entry)
      entry.value = merge(entry.value!, front[this.low])
      if (this.back !== undefined) entry.value = merge(entry.value, this.back)
      const newest = times[this.high - 1]
      if (newest > entry.timestamp) entry.timestamp = newest
    }
    this.sweptTo = upTo
  }

  /** The front is used up: what there is becomes the front. */
  private turn(): void {
    const { partials, front } = this
    for (let i = front.length; i < this.high; i++) front.push(partials[i])
    for (let i = this.high - 2; i >= this.low; i--) front[i] = this.merge(partials[i], front[i + 1])
    this.middle = this.high
    this.back = undefined
  }

  /** Index of the first time after this one. */
  private after(time: number): number {
    const { times } = this
    let low = 0
    let high = times.length
    // Records come at the end, or nearly.
    if (high > 0 && times[high - 1] <= time) return high
    while (low < high) {
      const middle = (low + high) >>> 1
      if (times[middle] <= time) low = middle + 1
      else high = middle
    }
    return low
  }
}

/**
 * Which of its records it was nobody can tell, so that none can be set aside: the application stops, whatever its policies
 * are. What was not committed is read again.
 */
function mergeFailed(
  kind: string,
  { key, node, origin: { topic, partition, offset } }: Owner<unknown>,
  start: number,
  end: number,
  thrown: unknown,
): MillraceError {
  return new MillraceError(
    'MERGE_FAILED',
    `merging ${kind} threw in the window [${start}, ${end}], among records from here on: ${toError(thrown).message}`,
    {
      node,
      topic,
      partition,
      offset,
      key,
      cause: thrown,
      hint: 'mend merge, or leave out commutative: each record is then added by itself, and one that throws comes under errors.failing',
    },
  )
}
