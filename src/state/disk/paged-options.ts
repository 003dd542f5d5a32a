import type { StoreDisk } from '../../topology/store-spec.ts'
import type { Keys } from '../keys.ts'
import type { ValueCodec } from '../store.ts'

/** What a paged store is made of: its disk, and the store in memory that does the work. */
export interface PagedStoreOptions<K, S> {
  readonly disk: StoreDisk
  readonly keys: Keys<K>
  readonly values: Pick<ValueCodec<unknown>, 'decode'>
  readonly make: () => S
}
