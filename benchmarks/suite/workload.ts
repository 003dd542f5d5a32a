import type { ThreadJob } from 'millrace'
import type { Place } from './place.ts'

/** What a run is told. Plain data: it crosses into the process that is measured. */
export interface RunSettings {
  readonly place: Place
  /** Unique: names the application, its group and its topics. */
  readonly id: string
  /** Undefined: as many as the topic holds, or the workload's own number. */
  readonly records: number | undefined
  readonly seed: number
  readonly guarantee: Guarantee
  readonly commitIntervalMs: number
  readonly threads: number
  /** Topics that are to be read instead of the workload's own, in the order of its inputs. */
  readonly topics: readonly string[]
  readonly brokerPid: number | undefined
}

export type Guarantee = 'at-least-once' | 'exactly-once'

/** What a process found when it ran a workload, or one contest of it. */
export interface Measured {
  /** Default: Millrace. */
  readonly peer?: string
  /** Default: the workload's name. */
  readonly variant?: string
  /** Records, or whatever the workload counts. */
  readonly n: number
  readonly seconds: number
  /** User and system time of the measured process, threads included. */
  readonly cpu_s: number
  readonly broker_cpu_s?: number
  /** From the start of the process to the start of the measurement. */
  readonly start_s?: number
  /** Whatever else is worth a column; printed with the rest. */
  readonly [more: string]: unknown
}

/** What the results are worth. */
export interface Checked {
  readonly outputs: number
  readonly checksum: string
  readonly ok: boolean
}

/**
 * A benchmark: one file in `benchmarks/workloads`, listed in `index.ts` there. `prepare` and `check` run in the command's
 * process, `measure` in a new one of its own, so that memory, CPU time and the warm-up of the runtime are its alone.
 */
export interface Workload {
  readonly name: string
  /** One line for `--help`. */
  readonly summary: string
  /** Records by default, and in `bench:smoke`. */
  readonly records: number
  readonly smokeRecords: number
  /** Options of Node for the process that is measured: what docs/performance.md says of memory. */
  readonly nodeOptions?: readonly string[]
  /** It reads or writes a log: `--brokers`, `--embedded`, `--guarantee` and `--threads` mean something. */
  readonly onLog: boolean
  /** It cannot run on the embedded log, nor in the smoke test. */
  readonly needsKafka?: boolean
  /** Makes the input, where it is not there, and returns how many records it has. Not measured. */
  prepare?(settings: RunSettings): Promise<number>
  /** What is read and written, where the workload is a topology. */
  topicsOf?(settings: RunSettings): { readonly inputs: readonly string[]; readonly output: string }
  /** What one thread runs, where the workload is a topology. */
  threadJob?(settings: RunSettings): ThreadJob
  measure(settings: RunSettings): Promise<readonly Measured[]>
  /** Compares the results with an independent computation. Throws when there is nothing to compare. */
  check?(settings: RunSettings): Promise<Checked>
  /** Deletes what the run has made. */
  cleanUp?(settings: RunSettings): Promise<void>
}
