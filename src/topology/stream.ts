import type { Input, Serdes } from './node.ts'
import { Pipeable } from './pipe.ts'

/**
 * An unbounded sequence of records with keys `K` and values `V`. Immutable: every operator makes a new one, and one
 * stream may be used many times. Made by `stream(topic, …)`.
 */
export class Stream<out K, out V> extends Pipeable<Stream<K, V>> {
  /** Only at compile time. */
  declare readonly types?: { readonly stream: readonly [K, V] }
  readonly input: Input
  readonly serdes: Serdes
  /** The key may have changed since the records were partitioned: what needs them by key repartitions first. */
  readonly rekeyed: boolean

  constructor(input: Input, serdes: Serdes, rekeyed = false) {
    super()
    this.input = input
    this.serdes = serdes
    this.rekeyed = rekeyed
  }
}
