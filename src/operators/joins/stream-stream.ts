import type { JoinStore } from '../../state/join-store.ts'
import type { TimeBuffer } from '../../state/time-buffer.ts'
import type { Forward, ProcessorContext, ProcessorFactory, StreamTime } from '../../topology/processor.ts'
import type { StoreSpec } from '../../topology/store-spec.ts'
import type { JoinWindows } from '../../windows/join-windows.ts'

/** One side of a join, as its node is made with it. */
export interface JoinSide<K, V> {
  readonly store: StoreSpec<JoinStore<K, V>>
  /** Records that wait for a partner, where those without one come out (the outer side). */
  readonly unmatched: StoreSpec<TimeBuffer<K, V>> | undefined
}

export interface StreamStreamJoin<K, L, R, O> {
  readonly windows: JoinWindows
  readonly left: JoinSide<K, L>
  readonly right: JoinSide<K, R>
  readonly joiner: (left: L | null, right: R | null, key: K) => O
  /** Both sides are one stream: its records are kept once. */
  readonly self: boolean
}

/**
 * Join of two streams (window-semantics, "Stream–stream join"; Kafka Streams: KStreamKStreamJoin). A record first gives
 * out what was due, then probes the other side, then is stored.
 *
 * With one lane of time it is Kafka Streams' to the letter. Where a side comes through a repartition, what a pair of
 * records gives must not depend on which upstream task was faster (docs/decisions/0012-joins-and-lanes.md): a pair is
 * joined iff neither was too old by the time of its own lane, and a record is without partner once none can come in time.
 */
export function streamStreamJoin<K, L, R, O>(join: StreamStreamJoin<K, L, R, O>): ProcessorFactory {
  const { windows, left, right, joiner, self } = join
  const { before, after, grace } = windows
  return (context) => {
    const time = context.streamTime()
    const next = context.forward()
    const late = context.listens('late') ? context.forward('late') : undefined
    const common = { context, time, next, late, retention: before + after + grace, grace }
    const leftSide = openSide<K, L>(common, left, { before, after }, 'left')
    const rightSide = openSide<K, R>(
      common,
      right,
      { before: after, after: before },
      'right',
      self ? leftSide : undefined,
    )

    const alone = {
      left: (key: K, value: L, timestamp: number) => next(key, joiner(value, null, key), timestamp),
      right: (key: K, value: R, timestamp: number) => next(key, joiner(null, value, key), timestamp),
    }
    /** In the order (timestamp, right before left, key). */
    const giveDue = () => {
      const lefts = leftSide.due()
      const rights = rightSide.due()
      let l = 0
      for (const { key, value, timestamp } of rights) {
        for (; l < lefts.length && lefts[l].timestamp < timestamp; l++) {
          alone.left(lefts[l].key, lefts[l].value, lefts[l].timestamp)
        }
        alone.right(key, value, timestamp)
      }
      for (; l < lefts.length; l++) alone.left(lefts[l].key, lefts[l].value, lefts[l].timestamp)
    }
    return {
      inputs: [
        receiver(common, giveDue, leftSide, rightSide, joiner, alone.left),
        receiver(common, giveDue, rightSide, leftSide, (own, other, key) => joiner(other, own, key), alone.right),
      ],
      advance: giveDue,
      flush() {
        leftSide.expire()
        if (!self) rightSide.expire()
      },
    }
  }
}

interface Common {
  readonly context: ProcessorContext
  readonly time: StreamTime
  readonly next: Forward
  readonly late: Forward | undefined
  readonly retention: number
  readonly grace: number
}

interface OpenSide<K, V> {
  readonly store: JoinStore<K, V>
  readonly unmatched: TimeBuffer<K, V> | undefined
  /** Time of the store alone. */
  readonly clock: StreamTime
  /** From when to when, around one of its records, the partner may be. */
  readonly before: number
  readonly after: number
  /** Sees a record's time before it is stored; true: it is too old to be. */
  tooOld(timestamp: number, laneTime: number): boolean
  put(key: K, timestamp: number, value: V): void
  /** Partners older than this are not seen. */
  visibleFrom(): number
  /** A record that finds no partner now gets none that would have been in time. */
  settled(timestamp: number): boolean
  due(): ReturnType<TimeBuffer<K, V>['take']>
  expire(): void
}

const NOTHING: readonly never[] = []

function openSide<K, V>(
  { context, time, retention, grace }: Common,
  { store: spec, unmatched: waiting }: JoinSide<K, V>,
  { before, after }: Pick<JoinWindows, 'before' | 'after'>,
  name: string,
  shared?: OpenSide<K, unknown>,
): OpenSide<K, V> {
  const store = shared ? (shared.store as JoinStore<K, V>) : context.store(spec)
  const unmatched = waiting && context.store(waiting)
  const put: OpenSide<K, V>['put'] = shared ? () => {} : store.put
  const due = (until: number) => (unmatched === undefined ? NOTHING : unmatched.take(until))
  const manyLanes = time.lanes > 1
  // Each store has a time of its own, in Kafka Streams too; by lanes, what is too old is told from the lane's.
  const clock = manyLanes ? time : (shared?.clock ?? context.streamTime(name))
  const fields = { store, unmatched, clock, before, after, put }
  if (!manyLanes) {
    return {
      ...fields,
      tooOld: (timestamp) => timestamp <= clock.observe(timestamp) - retention,
      visibleFrom: () => clock.closing - retention + 1,
      settled: (timestamp) => timestamp + after < time.closing,
      due: () => due(time.closing - after - grace),
      expire: () => store.expire(clock.closing - retention + 1),
    }
  }
  return {
    ...fields,
    tooOld: (timestamp, laneTime) => timestamp <= laneTime - retention,
    visibleFrom: () => Number.NEGATIVE_INFINITY,
    settled: (timestamp) => timestamp + after + retention < time.closing,
    due: () => due(time.closing - after - retention),
    // A partner that is in time may still come, and may be up to `after` later than the record.
    expire: () => store.expire(time.closing - retention - Math.max(before, after) + 1),
  }
}

function receiver<K, V, W>(
  { context, time, next, late }: Common,
  giveDue: () => void,
  own: OpenSide<K, V>,
  other: OpenSide<K, W>,
  join: (own: V, other: W, key: K) => unknown,
  alone: (key: K, value: V, timestamp: number) => void,
): Forward {
  const { before, after } = own
  const outer = own.unmatched !== undefined
  const manyLanes = time.lanes > 1
  // One closure for the task: nothing is made per record.
  let key: K
  let value: V
  let timestamp: number
  const match = (otherTimestamp: number, otherValue: W) => {
    other.unmatched?.remove(key, otherTimestamp)
    next(key, join(value, otherValue, key), Math.max(timestamp, otherTimestamp))
  }
  const dropLate = () => {
    context.drop('late')
    late?.(key, value, timestamp)
  }
  return (k: K, v: V, t) => {
    const laneTime = time.observe(t)
    if (v === null) {
      // It counts for the time of its store, and is counted there once more when it is too old (Kafka Streams, too).
      if (k !== null && own.tooOld(t, laneTime)) context.drop('late')
      return context.drop('null-value')
    }
    if (k === null) return outer ? alone(k, v, t) : context.drop('null-key')
    key = k
    value = v
    timestamp = t
    if (manyLanes || t === time.closing) giveDue()
    if (manyLanes && own.tooOld(t, laneTime)) {
      dropLate()
      if (outer) alone(k, v, t)
      return
    }
    const matched = other.store.fetch(k, Math.max(t - before, other.visibleFrom()), t + after, match)
    if (!matched && own.unmatched) {
      if (own.settled(t)) alone(k, v, t)
      else own.unmatched.add(k, t, v)
    }
    if (!manyLanes && own.tooOld(t, laneTime)) dropLate()
    else own.put(k, t, v)
  }
}
