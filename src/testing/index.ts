export {
  type DriverEntry,
  type DriverOptions,
  type DriverRecord,
  type DriverRow,
  TopologyDriver,
} from './topology-driver.ts'
export { partitionFor } from '../log/batch/partitioner.ts'
export { type MemoryLog, memoryLog } from '../log/memory.ts'
export { BatchWriter } from '../log/batch/batch-writer.ts'
export { ByteWriter } from '../serde/bytes.ts'
