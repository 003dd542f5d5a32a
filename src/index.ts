export {
  type Aggregate,
  type AggregateField,
  type AggregateRecord,
  type AggregateState,
  type ApproximateDistinctOptions,
  approximateDistinct,
  argMax,
  argMin,
  type CombinedState,
  type Comparable,
  type CustomAggregate,
  collect,
  combine,
  custom,
  distinct,
  type Found,
  first,
  type HistogramOptions,
  histogram,
  keep,
  type LimitOptions,
  last,
  type MomentsOptions,
  max,
  mean,
  min,
  type NumberOf,
  type OrNull,
  type Primitive,
  type QuantileOptions,
  type QuantilesOptions,
  quantile,
  quantiles,
  type SumOptions,
  stddev,
  sum,
  variance,
} from './aggregates/index.ts'
export { type ErrorCode, type ErrorContext, type ErrorOptions, MillraceError, RejectedRecord } from './errors.ts'
export type { Log } from './log/log.ts'
export * from './operators/index.ts'
export type { Header, Headers, RecordOrigin, Window, Windowed } from './record.ts'
export type { ErrorPolicies, RunOptions } from './runtime/options.ts'
export { type Running, run } from './runtime/run.ts'
export type { SnapshotOptions } from './runtime/snapshots/snapshots.ts'
export type { RunPhase, RunState } from './runtime/status.ts'
export type { Thread, ThreadJob, ThreadJobFactory } from './runtime/threads/job.ts'
export {
  type OnThreadFailure,
  type RunningThreads,
  runThreads,
  type ThreadsOptions,
} from './runtime/threads/run-threads.ts'
export { avro } from './serde/avro/avro.ts'
export * from './serde/index.ts'
export { nullable } from './serde/nullable.ts'
export { type Observation, type ObservedBatch, type ObservedRecord, observe } from './sinks/observe.ts'
export type { Sink, SinkBatch, SinkContext, SinkDefinition } from './sinks/sink.ts'
export type { SnapshotStore } from './snapshots/snapshot-store.ts'
export {
  type Clock,
  days,
  hours,
  type ManualClock,
  manualClock,
  milliseconds,
  minutes,
  seconds,
  systemClock,
} from './time.ts'
export { type Description, describe } from './topology/describe/describe.ts'
export type {
  InputDescription,
  NodeDescription,
  SinkDescription,
  StoreDescription,
  SubtopologyDescription,
  TopicDescription,
  TopologyDescription,
} from './topology/describe/description.ts'
export { diff, type TopologyChange, type TopologyDiff } from './topology/describe/diff.ts'
export type { GlobalTable } from './topology/global-table.ts'
export type { Grouped } from './topology/grouped.ts'
export { type Plan, plan } from './topology/plan.ts'
export type { Stream } from './topology/stream.ts'
export type { Table } from './topology/table.ts'
export { type Output, type Topology, topology } from './topology/topology.ts'
export * from './windows/index.ts'
