import type { RecordPolicy } from '../runtime/task/task.ts'
import type { SchemaRegistry } from '../serde/serde.ts'
import type { DiskState } from '../topology/disk-table.ts'

export interface DriverOptions {
  /** 'update' (default): each update comes out at once, as in Kafka Streams without caches. 'commit': at `commit()`. */
  readonly emit?: 'update' | 'commit'
  /** Partitions of the user's topics; default 1. */
  readonly partitions?: number
  /** For Avro serdes: `memoryRegistry()`. One that answers with promises is refused, the driver does no I/O. */
  readonly registry?: SchemaRegistry
  /** Where state is kept: `diskState(directory)` of `millrace/disk`; default: in memory. Close it when you are done. */
  readonly state?: DiskState
  readonly errors?: { readonly undecodable?: RecordPolicy; readonly failing?: RecordPolicy }
}
