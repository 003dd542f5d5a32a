import { MillraceError } from '../errors.ts'
import type { Windowed } from '../record.ts'
import { readInt64 } from './bytes.ts'
import { undecodable } from './faults.ts'
import type { Serde } from './serde.ts'

export interface WindowedOptions {
  /**
   * What is added to a window's start to get its end, since the bytes hold the start alone: the size of tumbling and
   * hopping windows, the time difference of sliding ones, `Infinity` for an unlimited window. In ms. Where windows have no
   * one length (calendar days), a function that gives the end: the `endOf` of the windows.
   */
  readonly size: number | ((start: number) => number)
}

/**
 * Keys of time windows as Kafka Streams writes them to a topic: the key, then the start as int64. Written by any
 * tumbling, hopping, sliding or unlimited window; to read them back the size must be given (else `INVALID_OPTION`).
 *
 * @example
 * ```ts
 * revenue.pipe(
 *   toStream(),
 *   to('revenue-per-minute', { key: windowed(string(), { size: minutes(1) }), value: json() }),
 * )
 * ```
 */
export function windowed<K>(inner: Serde<K>, options?: WindowedOptions): Serde<Windowed<K>> {
  const size = options?.size
  if (typeof size === 'number' && !(size >= 0)) {
    throw new MillraceError('INVALID_OPTION', `windowed: size must be a duration in ms, got ${size}`)
  }
  const endOf = typeof size === 'number' ? (start: number) => start + size : size
  return {
    format: `windowed(${inner.format})`,
    keySuffix: 8 + (inner.keySuffix ?? 0),
    open(context) {
      const codec = inner.open(context)
      return {
        ...(codec.prepare && { prepare: () => codec.prepare?.() }),
        encode({ key, window }, out) {
          codec.encode(key, out)
          out.int64(window.start)
        },
        decode(source, start, end) {
          if (endOf === undefined) {
            throw new MillraceError('INVALID_OPTION', 'the end of a window cannot be told from its key alone', {
              topic: context.topic,
              hint: 'declare the size: windowed(inner, { size: minutes(1) })',
            })
          }
          const split = end - 8
          if (split < start) throw undecodable(context, `a windowed key has at least 8 bytes, got ${end - start}`)
          const from = readInt64(source.view, split)
          return { key: codec.decode(source, start, split), window: { start: from, end: endOf(from) } }
        },
      }
    },
  }
}

/** Keys of sessions as Kafka Streams writes them to a topic: the key, the session's end, its start, both int64. */
export function sessionWindowed<K>(inner: Serde<K>): Serde<Windowed<K>> {
  return {
    format: `sessionWindowed(${inner.format})`,
    keySuffix: 16 + (inner.keySuffix ?? 0),
    open(context) {
      const codec = inner.open(context)
      return {
        ...(codec.prepare && { prepare: () => codec.prepare?.() }),
        encode({ key, window }, out) {
          codec.encode(key, out)
          out.int64(window.end)
          out.int64(window.start)
        },
        decode(source, start, end) {
          const split = end - 16
          if (split < start) throw undecodable(context, `a session's key has at least 16 bytes, got ${end - start}`)
          return {
            key: codec.decode(source, start, split),
            window: { start: readInt64(source.view, split + 8), end: readInt64(source.view, split) },
          }
        },
      }
    },
  }
}
