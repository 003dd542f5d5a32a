import { checkWhole } from '../../options.ts'
import { string } from '../../serde/index.ts'
import type { Serde } from '../../serde/serde.ts'
import { node, out } from '../../topology/node.ts'
import { Stream } from '../../topology/stream.ts'
import { partitionedByKey } from '../repartition.ts'
import { passedStore, spaced } from './spaced.ts'

export interface DeduplicateOptions<K, V, I> {
  /** What two copies of a record have in common: an id, or a digest. null: the record is nobody's copy, and passes. */
  readonly by: (value: V, key: K) => I | null
  /** How far apart in event time two copies may be, in ms, either way. */
  readonly within: number
  /** Required where `by` does not give a string. */
  readonly id?: Serde<I>
}

/**
 * Lets the first record of each id pass and drops its copies: those whose timestamp is at most `within` away from it,
 * before or after. The first to arrive wins.
 *
 * Copies are found within a partition: where the id does not decide the key, put `selectKey` before it; the stream is
 * repartitioned by key if that has changed. Copies are counted (`reason="duplicate"`). Throws `INVALID_OPTION` for a
 * `within` below 1.
 *
 * @ordering Stays, as do key, timestamp and headers.
 * @state One timestamp per id, for three times `within` of stream time, in the changelog
 * `<application>-<name>-changelog`.
 * @nulls A record whose id is null passes. Null keys and values reach `by` where their serdes are `nullable`.
 * @late A record more than `within` + 1 ms behind stream time is dropped and counted as late, since its twin may be
 * forgotten.
 * @kafkaStreams None (KIP-655). RxJS: `distinct`, in event time.
 *
 * @marble
 * ```ts
 * words.pipe(deduplicate('once', { by: (word) => word, within: 10 }))
 * ```
 * ```marbles
 * words   | a=x@1 | a=x@5     | b=y@6 | a=x@12
 * dropped |       | duplicate |       |
 * out     | a=x@1 |           | b=y@6 | a=x@12
 * ```
 *
 * @example
 * ```ts
 * payments.pipe(deduplicate('payments-once', { by: (payment) => payment.id, within: hours(1) }))
 * ```
 */
export function deduplicate<K, V>(
  name: string,
  options: { readonly by: (value: V, key: K) => string | null; readonly within: number },
): (stream: Stream<K, V>) => Stream<K, V>
export function deduplicate<K, V, I>(
  name: string,
  options: DeduplicateOptions<K, V, I> & { readonly id: Serde<I> },
): (stream: Stream<K, V>) => Stream<K, V>
export function deduplicate<K, V>(
  name: string,
  { by, within, id = string() as Serde<unknown> }: DeduplicateOptions<K, V, unknown>,
): (stream: Stream<K, V>) => Stream<K, V> {
  checkWhole(`deduplicate '${name}'`, 'within', within, 1)
  const spec = passedStore(name, id, { within })
  return (stream) => {
    const { input } = partitionedByKey(stream, name)
    const idOf = (value: unknown, key: unknown) => by(value as V, key as K)
    return new Stream(
      out(
        node({
          kind: 'deduplicate',
          name,
          inputs: [input],
          parameters: { within },
          stores: [spec],
          recordsOnly: true,
          processor: spaced({ spec, gap: within + 1, idOf, withoutId: 'pass', reason: 'duplicate' }),
        }),
      ),
      stream.serdes,
    )
  }
}
