import type { Windows } from '../windows/windows.ts'
import type { Input, Serdes } from './node.ts'
import { Pipeable } from './pipe.ts'

/**
 * A stream, or a table, grouped by key and, after `windowedBy`, by window: what aggregations start from. `R` is the key of their
 * results: `K`, or `Windowed<K>`.
 */
export class Grouped<out K, out V, out R> extends Pipeable<Grouped<K, V, R>> {
  /** Only at compile time. */
  declare readonly types?: { readonly grouped: readonly [K, V, R] }
  readonly input: Input
  readonly serdes: Serdes
  readonly rekeyed: boolean
  readonly windows: Windows | undefined
  /** It comes from a table: what arrives are changes, `{ old, now }`. */
  readonly changes: boolean

  constructor(input: Input, serdes: Serdes, rekeyed: boolean, windows?: Windows, changes = false) {
    super()
    this.input = input
    this.serdes = serdes
    this.rekeyed = rekeyed
    this.windows = windows
    this.changes = changes
  }
}
