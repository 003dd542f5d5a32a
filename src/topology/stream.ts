import type { Input, Serdes } from './node.ts'
import { Pipeable } from './pipe.ts'

/**
 * An unbounded sequence of records with keys `K` and values `V`. Immutable: every operator makes a new one, and one
 * stream may be used many times. Made by `stream(topic, …)`. `L` is the stream of the records that came too late, where it
 * comes of a join of streams.
 */
export class Stream<out K, out V, out L = unknown> extends Pipeable<Stream<K, V, L>> {
  /** Only at compile time. */
  declare readonly types?: { readonly stream: readonly [K, V] }
  readonly input: Input
  readonly serdes: Serdes
  /** The key may have changed since the records were partitioned: what needs them by key repartitions first. */
  readonly rekeyed: boolean
  /** See `late`. */
  readonly late: L

  constructor(input: Input, serdes: Serdes, rekeyed = false, late?: L) {
    super()
    this.input = input
    this.serdes = serdes
    this.rekeyed = rekeyed
    this.late = late as L
  }
}
