import type { Topology } from '../../topology/topology.ts'
import type { RunOptions } from '../options.ts'

/** Which thread a job is asked for. */
export interface Thread<out Data = undefined> {
  /** 0 … threads - 1. A thread that replaces another has its index. */
  readonly index: number
  readonly threads: number
  /** What was given to `runThreads`: a copy, made by the structured clone algorithm. */
  readonly data: Data
}

/** What one thread runs. */
export interface ThreadJob {
  readonly topology: Topology
  /**
   * As for `run`, with these differences: `http` and `handleSignals` are the business of `runThreads` and have no effect
   * here, and an `instanceId` gets the thread's index added. Each thread opens a log, sinks and a registry of its own.
   */
  readonly options: RunOptions
}

/**
 * What a module that `runThreads` starts exports as its default. Every thread calls it, so it must give the same topology
 * each time.
 */
export type ThreadJobFactory<Data = undefined> = (thread: Thread<Data>) => ThreadJob | Promise<ThreadJob>
