import type { TimeBuffer } from '../../state/time-buffer.ts'
import type { Forward, ProcessorContext, ProcessorFactory } from '../../topology/processor.ts'
import type { StoreSpec } from '../../topology/store-spec.ts'
import type { TableView } from '../../topology/table.ts'

export interface StreamTableJoin<K, V, W, R> {
  /** Records without a row come out, too. */
  readonly left: boolean
  readonly view: TableView<K, W>
  readonly joiner: (value: V, row: W | null, key: K) => R
  /** Records wait here for out-of-order rows; with versioned tables only. */
  readonly buffer: { readonly store: StoreSpec<TimeBuffer<K, V>>; readonly grace: number } | undefined
}

/** Join of a stream with a table: only the stream's records give results (Kafka Streams: KStreamKTableJoinProcessor). */
export function streamTableJoin<K, V, W, R>(join: StreamTableJoin<K, V, W, R>): ProcessorFactory {
  const { left, view, joiner, buffer } = join
  return (context) => {
    const next = context.forward()
    const find = view(context)
    const joinNow: Forward<K, V> = (key, value, timestamp) => {
      const row = find(key, timestamp)
      if (row !== undefined) next(key, joiner(value, row.value, key), timestamp)
      else if (left) next(key, joiner(value, null, key), timestamp)
    }
    const waiting = buffer && waitingRoom(context, buffer.store, buffer.grace, joinNow)
    const take = waiting?.take ?? joinNow
    return {
      inputs: [
        (key: K, value: V, timestamp) => {
          if (value === null) context.drop('null-value')
          else if (key !== null) take(key, value, timestamp)
          else if (left) next(key, joiner(value, null, key), timestamp)
          else context.drop('null-key')
        },
        // The table has its store; that the row has changed gives no result.
        () => {},
      ],
      ...(waiting && { advance: waiting.giveDue }),
    }
  }
}

/**
 * Holds the stream's records until their time is `grace` ago, so that rows that come a little late are seen. Behind a
 * repartition: until it is for the slowest lane of the stream; what is older by its own lane is not held.
 */
function waitingRoom<K, V>(
  context: ProcessorContext,
  spec: StoreSpec<TimeBuffer<K, V>>,
  grace: number,
  give: Forward<K, V>,
): { take: Forward<K, V>; giveDue: () => void } {
  const store = context.store(spec)
  const time = context.streamTime(undefined, 0)
  const giveDue = () => {
    for (const { key, value, timestamp } of store.take(time.closing - grace + 1)) give(key, value, timestamp)
  }
  return {
    take(key, value, timestamp) {
      if (timestamp < time.observe(timestamp) - grace) return give(key, value, timestamp)
      store.add(key, timestamp, value)
      giveDue()
    },
    giveDue,
  }
}
