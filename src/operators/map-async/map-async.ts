import { checkWhole } from '../../options.ts'
import { node, out } from '../../topology/node.ts'
import { Stream } from '../../topology/stream.ts'
import { type AsyncCall, asyncCalls } from './calls.ts'

export interface MapAsyncOptions {
  /** How many calls may be under way in a task; when it is reached the task takes no more records. Default 16. */
  readonly concurrency?: number
  /**
   * 'all' (default): results go on in the order of the records. 'key': those of one key do; others may overtake, so that
   * a slow call holds up its key alone. false: as they come back.
   */
  readonly ordered?: 'key' | 'all' | false
  /** How long one attempt may take, in ms; it is then aborted and has failed. Default 30,000. */
  readonly timeout?: number
  /** What is done about an attempt that fails. Default: nothing, the record has failed. */
  readonly retry?: {
    /** How often it is tried again. */
    readonly times: number
    /** Wait before the first repetition, in ms, doubled for each further one up to `maxDelay`. Default 100. */
    readonly delay?: number
    /** Default 10,000. */
    readonly maxDelay?: number
  }
}

/**
 * Gives each record a new value by a call to the outside: an HTTP lookup, a model, another database.
 *
 * - Part of the commit: it waits for every call under way, so that no offset passes a record whose answer has not come. A
 *   call may be made again after a crash: let it change nothing, or be safe to repeat.
 * - Bounded: at most `concurrency` calls per task; when they are under way the task takes no records until one is back.
 * - Failures: a call that throws, rejects or times out is retried as `retry` says; then the record, as it was read, goes
 *   the way of `errors.failing` (fail, dead letter, skip). Throw a `RejectedRecord` to send it to the dead letters at once.
 * - `call.signal` aborts at the time-out, and when the task is dropped (a rebalance, a crash): pass it on to `fetch`.
 * - A call that answers at once, from a cache say, costs no promise.
 *
 * Throws `INVALID_OPTION`.
 *
 * @ordering As `ordered` says: in full, per key, or none. Key, timestamp and headers stay, each record's own. With
 * `'key'` and false, results come later than records that went past them: give windows behind it a grace. An append
 * sink behind it is then refused, since a replay has them in another order (write them to a topic first).
 * @state None.
 * @nulls Null keys are in order with each other; null values are given to `fn`.
 * @late Time plays no part: nothing is late.
 * @kafkaStreams None (KIP-311). Flink: `AsyncDataStream`. RxJS: `mergeMap`, `concatMap`.
 *
 * @marble
 * ```ts
 * numbers.pipe(mapAsync((n) => n * 2))
 * ```
 * ```marbles
 * numbers | a=1@1 | b=2@2
 * out     | a=2@1 | b=4@2
 * ```
 *
 * @example
 * ```ts
 * payments.pipe(
 *   mapAsync(
 *     async (payment, _key, { signal }) => {
 *       const answer = await fetch(`http://localhost:8080/risk/${payment.user}`, { signal })
 *       return { ...payment, risk: Number(await answer.text()) }
 *     },
 *     { concurrency: 32, ordered: 'key', timeout: seconds(2), retry: { times: 3 } },
 *   ),
 * )
 * ```
 */
export function mapAsync<K, V, V2>(
  fn: (value: V, key: K, call: AsyncCall) => V2 | Promise<V2>,
  options: MapAsyncOptions = {},
): (stream: Stream<K, V>) => Stream<K, V2> {
  const { concurrency = 16, ordered = 'all', timeout = 30_000, retry } = options
  const { times = 0, delay = 100, maxDelay = 10_000 } = retry ?? {}
  checkWhole('mapAsync', 'concurrency', concurrency, 1)
  checkWhole('mapAsync', 'timeout', timeout, 1)
  checkWhole('mapAsync', 'retry.times', times, 0)
  checkWhole('mapAsync', 'retry.delay', delay, 0)
  checkWhole('mapAsync', 'retry.maxDelay', maxDelay, 0)
  return ({ input, serdes, rekeyed }) => {
    const mapped = node({
      kind: 'mapAsync',
      inputs: [input],
      parameters: { concurrency, ordered, timeout, retries: times },
      ...(ordered !== 'all' && { unrepeatable: `ordered: ${ordered}` }),
      processor: asyncCalls({
        fn: fn as (value: unknown, key: unknown, call: AsyncCall) => unknown,
        concurrency,
        ordered,
        timeout,
        retries: times,
        delayOf: (attempt) => Math.min(maxDelay, delay * 2 ** (attempt - 1)),
      }),
    })
    return new Stream(out(mapped), { key: serdes.key }, rekeyed)
  }
}
