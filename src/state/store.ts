import { keep } from '../aggregates/keep.ts'
import type { ByteSource, ByteWriter } from '../serde/bytes.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreEnvironment } from '../topology/store-spec.ts'

/**
 * One value in a store. Operators change `value` and `timestamp` in place and then call the store's `touch`: nothing
 * is written until the commit, and then once, however often it changed.
 */
export interface Entry<K, A> {
  readonly key: K
  /** Start of the window in ms; 0 where there are no windows. */
  readonly start: number
  /** null: deleted. */
  value: A | null
  /** Event time of the newest record in it. */
  timestamp: number
  /** Changed since the last commit. */
  dirty: boolean
  /** Is in the changelog, so that its deletion must be, too. */
  logged: boolean
  /**
   * The result that was last given out, kept where somebody downstream needs old values; undefined after a restore, when
   * it is what the changelog holds.
   */
  given: unknown
}

/** Takes the changes of a store at a commit; `value` null deletes. The writers are reused: copy what must stay. */
export type ChangelogWriter = (key: ByteWriter, value: ByteWriter | null, timestamp: number) => void

/** What the runtime needs of every store. Each implementation passes `storeContract`. */
export interface StateStore {
  /** Writes every change since the last call, once per key. */
  flush(write: ChangelogWriter): void
  /** Writes one live entry as `flush` would, for a snapshot; it stays as changed or unchanged as it is. */
  writeEntry(entry: Entry<unknown, unknown>, write: ChangelogWriter): void
  /** Applies one record of the changelog; [valueStart, valueEnd) with valueStart -1 is a deletion. */
  restore(
    source: ByteSource,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
    timestamp: number,
  ): void
  /** Every live entry, in no particular order. */
  all(): Iterable<Entry<unknown, unknown>>
  /** Every entry as the changelog has it, where `all` shows only some of them. */
  history?(): Iterable<Entry<unknown, unknown>>
  /** The task is dropped: what the store holds outside of memory goes. */
  close?(): void
  /** Number of live entries. */
  readonly size: number
  /** It holds more in memory than it is meant to, and a commit would let it go. Asked now and then, not per record. */
  isCrowded?(): boolean
}

/** How accumulators or values are written to the changelog. */
export interface ValueCodec<A> {
  encode(value: A, out: ByteWriter): void
  decode(source: ByteSource, start: number, end: number): A
}

/** How a store's values are written, once it is known where. */
export type StoreValue<A> = (environment: StoreEnvironment) => ValueCodec<A>

/**
 * Values written with a serde. What is read from a changelog stays, and must not hold on to the batch that it came in: the text
 * of a megabyte for one that is left of it.
 */
export const serdeValue =
  <A>(serde: Serde<A>): StoreValue<A> =>
  (environment) => {
    const codec = environment.open(serde, 'value')
    return {
      encode: (value, out) => codec.encode(value, out),
      decode: (source, start, end) => keep(codec.decode(source, start, end)),
    }
  }
