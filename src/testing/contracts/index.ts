/** Contract suites for authors of adapters; call one in a vitest file. They need `vitest` and `fast-check`. */
export { type AggregateCase, aggregateContract } from './aggregate.ts'
export { type LogCapabilities, logContract, type MakeLog } from './log.ts'
export { registryContract } from './registry.ts'
export { type SerdeContractOptions, serdeContract } from './serde.ts'
export { type SinkContractOptions, type SinkUnderTest, sinkContract } from './sink.ts'
export {
  type ContractRow,
  contractBatch,
  contractContext,
  contractRow,
} from './sink-fixtures.ts'
export { snapshotStoreContract } from './snapshot-store.ts'
export { type StoreUnderTest, storeContract } from './store.ts'
export { type WindowAssignerCase, windowAssignerContract } from './window-assigner.ts'
