import { readInt64 } from '../../serde/bytes.ts'
import type { Serde } from '../../serde/serde.ts'

/** What a left row tells the right side, under its foreign key. */
export interface Subscription<out K> {
  readonly key: K
  /** Of the left value; -1 for none. */
  readonly hash: number
  /**
   * 'end': it points there no more. 'leave': nor anywhere else, and has no result. 'begin': give the row if there is one.
   * 'ask': say so, too, if there is none.
   */
  readonly intent: (typeof INTENTS)[number]
}

/** What the right side answers, under the key of the left row. */
export interface Answer<out W> {
  /** Of the left value that asked: an answer to one that has changed since is stale. */
  readonly hash: number
  readonly right: W | null
}

const INTENTS = ['end', 'leave', 'begin', 'ask'] as const

/** A byte of intent ‖ the hash, int64 ‖ the key. */
export function subscriptionSerde<K>(keys: Serde<K>): Serde<Subscription<K>> {
  return {
    format: `subscription(${keys.format})`,
    open(context) {
      const codec = keys.open(context)
      return {
        encode({ key, hash, intent }, out) {
          out.uint8(INTENTS.indexOf(intent))
          out.int64(hash)
          codec.encode(key, out)
        },
        decode: (source, start, end) => ({
          intent: INTENTS[source.buffer[start]],
          hash: readInt64(source.view, start + 1),
          key: codec.decode(source, start + 9, end),
        }),
        prepare: () => codec.prepare?.(),
      }
    },
  }
}

/** The hash, int64 ‖ the right value, if there is one, behind a byte that says so. */
export function answerSerde<W>(values: Serde<W>): Serde<Answer<W>> {
  return {
    format: `answer(${values.format})`,
    open(context) {
      const codec = values.open(context)
      return {
        encode({ hash, right }, out) {
          out.int64(hash)
          out.uint8(right === null ? 0 : 1)
          if (right !== null) codec.encode(right, out)
        },
        decode: (source, start, end) => ({
          hash: readInt64(source.view, start),
          right: source.buffer[start + 8] === 0 ? null : codec.decode(source, start + 9, end),
        }),
        prepare: () => codec.prepare?.(),
      }
    },
  }
}
