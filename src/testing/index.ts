export {
  type DriverEntry,
  type DriverOptions,
  type DriverRecord,
  type DriverRow,
  TopologyDriver,
} from './topology-driver.ts'
export { partitionFor } from '../log/batch/partitioner.ts'
export { type MemoryLog, memoryLog } from '../log/memory.ts'
