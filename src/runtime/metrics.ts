import { type Aggregator, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { readHeap } from './heap.ts'
import type { Task } from './task/task.ts'

/** The metrics of one application, by the conventions of Prometheus; every name begins with `millrace_`. */
export interface Metrics {
  readonly registry: Registry
  /** The text that /metrics serves. */
  text(): Promise<string>
  /**
   * Takes what a task has counted since the last call; the result adds it, and is called once it is committed: what is
   * undone and done again counts once. Called once per commit, never per record.
   */
  take(task: Task): () => void
  /** Rows of a global table. */
  globalRows(store: string, rows: number): void
  /** A row of a global table that cannot be decoded. */
  globalSkipped(store: string): void
  /** A task that does not run here any more: its gauges go. */
  forget(task: Task): void
  committed(seconds: number): void
  rebalanced(): void
  restored(records: number): void
  sinkWrote(sink: string, rows: number, ms: number): void
  sinkRetried(sink: string): void
  snapshotWritten(bytes: number): void
  snapshotFailed(): void
  /** A range that had been planned for sinks is not in its topic any more. */
  planDropped(topic: string): void
  /** Tasks whose state is kept here and that run elsewhere. */
  standbyTasks(standbys: number, warmups: number): void
  /** Offsets of changelogs between the state of a standby and what is committed. */
  standbyLag(task: string, records: number): void
  standbyGone(task: string): void
  /** A task runs that was a standby before; seconds from its assignment on. */
  promoted(seconds: number): void
  /** Copies that the group has too few members for. */
  standbysMissing(copies: number): void
  phase(ready: boolean, waiting: number): void
}

export function createMetrics(application: string, registry = new Registry()): Metrics {
  const registers = [registry]
  const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Counter({ name: `millrace_${name}`, help, labelNames: ['application', ...labelNames], registers })
  /** `aggregator`: of the threads of an application. */
  const gauge = <L extends string>(name: string, help: string, labelNames: L[], aggregator: Aggregator = 'sum') =>
    new Gauge({ name: `millrace_${name}`, help, labelNames: ['application', ...labelNames], registers, aggregator })

  const recordsIn = counter('records_in_total', 'Records read from a topic', ['task', 'topic'])
  const recordsOut = counter('records_out_total', 'Records written to a topic', ['task', 'topic'])
  const dropped = counter('records_dropped_total', 'Records, or records for one window, that an operator left out', [
    'task',
    'node',
    'reason',
  ])
  const deadLettered = counter('records_dead_lettered_total', 'Records sent to the dead-letter topic', [
    'task',
    'reason',
  ])
  const skipped = counter('records_skipped_total', 'Records that could not be processed and were skipped by policy', [
    'task',
    'reason',
  ])
  const globalSkipped = counter('global_table_skipped_total', 'Rows of a global table that cannot be decoded', [
    'store',
  ])
  const lag = gauge('lag_records', 'Records between the position and the end of a partition', ['task', 'topic'])
  const entries = gauge('store_entries', 'Live entries in a store', ['task', 'store'])
  const globals = gauge('global_table_entries', 'Rows of a global table', ['store'])
  const buffered = gauge('buffered_bytes', 'Fetched bytes that wait to be processed', ['task'])
  const commits = new Histogram({
    name: 'millrace_commit_seconds',
    help: 'From the flush of the stores to the acknowledged offsets',
    labelNames: ['application'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  })
  const rebalances = counter('rebalances_total', 'Assignments received from the group', [])
  const restoredRecords = counter('restored_records_total', 'Changelog records read to restore state', [])
  const sinkRows = counter('sink_rows_total', 'Rows written to a sink', ['sink'])
  const sinkRetries = counter('sink_retries_total', 'Attempts repeated by a sink', ['sink'])
  const sinkSeconds = new Histogram({
    name: 'millrace_sink_write_seconds',
    help: 'Time to write one batch to a sink',
    labelNames: ['application', 'sink'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  })
  const snapshotBytes = counter('snapshot_bytes_total', 'Bytes of state written into snapshots', [])
  const snapshotFailures = counter('snapshot_failures_total', 'Snapshots that could not be written', [])
  const plansDropped = counter(
    'plans_dropped_total',
    'Ranges of records that were planned for sinks and are not in their topic any more',
    ['topic'],
  )
  const standbyTasks = gauge('standby_tasks', 'Tasks that run elsewhere and whose state is kept here', ['kind'])
  const standbyLag = gauge(
    'standby_lag_records',
    'Changelog offsets between a standby and the end of what is committed',
    ['task'],
  )
  const standbysMissing = gauge(
    'standbys_missing',
    'Copies of state that were asked for and that the group has too few members for',
    [],
    'max',
  )
  const promotions = new Histogram({
    name: 'millrace_promotion_seconds',
    help: 'From the assignment of a task that was a standby here to its running',
    labelNames: ['application'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  })
  /** Read when it is asked for. */
  const heap = (name: string, help: string, aggregator: Aggregator, value: () => number) =>
    new Gauge({
      name: `millrace_heap_${name}`,
      help,
      labelNames: ['application'],
      registers,
      aggregator,
      collect() {
        this.set({ application }, value())
      },
    })
  heap(
    'used_bytes',
    'What is held for long in the heap (the old generation of V8), in all threads',
    'sum',
    () => readHeap().used,
  )
  heap('limit_bytes', 'What may be held there, in all threads', 'sum', () => readHeap().limit)
  heap('used_ratio', 'Of the limit, in the fullest thread; V8 ends the thread at 1', 'max', () => {
    const { used, limit } = readHeap()
    return used / limit
  })
  const ready = gauge('ready', '1 while all assigned tasks are restored and running', [], 'min')
  const waitingFor = gauge('waiting_dependencies', 'Dependencies that are away and being waited for', [], 'max')

  const taken = <K>(counts: Map<K, number>): [K, number][] => {
    const entries = [...counts]
    counts.clear()
    return entries
  }
  return {
    registry,
    text: () => registry.metrics(),
    take({ id: task, counters, inputs, stores }) {
      let bytes = 0
      for (const { topic, end, position, bytes: waiting } of inputs) {
        lag.set({ application, task, topic }, Math.max(0, end - position))
        bytes += waiting
      }
      buffered.set({ application, task }, bytes)
      for (const { name: store, store: of } of stores) entries.set({ application, task, store }, of.size)
      const ins = taken(counters.recordsIn)
      const outs = taken(counters.recordsOut)
      const letters = taken(counters.deadLettered)
      const skips = taken(counters.skipped)
      const drops = [...counters.dropped].map(([node, reasons]) => ({ node, reasons: taken(reasons) }))
      return () => {
        for (const [topic, n] of ins) recordsIn.inc({ application, task, topic }, n)
        for (const [topic, n] of outs) recordsOut.inc({ application, task, topic }, n)
        for (const [reason, n] of letters) deadLettered.inc({ application, task, reason }, n)
        for (const [reason, n] of skips) skipped.inc({ application, task, reason }, n)
        for (const { node, reasons } of drops) {
          for (const [reason, n] of reasons) dropped.inc({ application, task, node, reason }, n)
        }
      }
    },
    forget({ id: task, inputs, stores }) {
      for (const { topic } of inputs) lag.remove({ application, task, topic })
      for (const { name: store } of stores) entries.remove({ application, task, store })
      buffered.remove({ application, task })
    },
    globalSkipped: (store) => globalSkipped.inc({ application, store }),
    globalRows: (store, rows) => globals.set({ application, store }, rows),
    committed: (seconds) => commits.observe({ application }, seconds),
    rebalanced: () => rebalances.inc({ application }),
    restored: (records) => restoredRecords.inc({ application }, records),
    sinkWrote(sink, rows, ms) {
      sinkRows.inc({ application, sink }, rows)
      sinkSeconds.observe({ application, sink }, ms / 1000)
    },
    sinkRetried: (sink) => sinkRetries.inc({ application, sink }),
    snapshotWritten: (bytes) => snapshotBytes.inc({ application }, bytes),
    snapshotFailed: () => snapshotFailures.inc({ application }),
    planDropped: (topic) => plansDropped.inc({ application, topic }),
    standbyTasks(standbys, warmups) {
      standbyTasks.set({ application, kind: 'standby' }, standbys)
      standbyTasks.set({ application, kind: 'warm-up' }, warmups)
    },
    standbyLag: (task, records) => standbyLag.set({ application, task }, records),
    standbyGone: (task) => standbyLag.remove({ application, task }),
    promoted: (seconds) => promotions.observe({ application }, seconds),
    standbysMissing: (copies) => standbysMissing.set({ application }, copies),
    phase(isReady, waiting) {
      ready.set({ application }, isReady ? 1 : 0)
      waitingFor.set({ application }, waiting)
    },
  }
}
