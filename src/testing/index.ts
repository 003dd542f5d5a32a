export {
  type DriverEntry,
  type DriverOptions,
  type DriverRecord,
  type DriverRow,
  TopologyDriver,
} from './topology-driver.ts'
