export { BatchWriter } from '../log/batch/batch-writer.ts'
export { partitionFor } from '../log/batch/partitioner.ts'
export { type MemoryLog, memoryLog } from '../log/memory.ts'
export { ByteWriter } from '../serde/bytes.ts'
export * from './simulation/index.ts'
export {
  type DriverEntry,
  type DriverOptions,
  type DriverRecord,
  type DriverRow,
  TopologyDriver,
} from './topology-driver.ts'
