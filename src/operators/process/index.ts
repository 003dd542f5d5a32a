export type {
  ForwardOptions,
  ProcessContext,
  ProcessHandlers,
  RecordMetadata,
  Stores,
  Timer,
  TimerKeys,
  Timers,
} from './context.ts'
export {
  type BranchingContext,
  type ForwardingContext,
  type OutputDefinition,
  type Outputs,
  output,
  type ProcessOptions,
  process,
  type StreamsOf,
} from './process.ts'
export { processValues, type ValuesContext } from './process-values.ts'
export {
  type KeyValues,
  keyValueStore,
  type StoreDefinition,
  type WindowStoreDefinition,
  type WindowValues,
  windowStore,
} from './stores.ts'
