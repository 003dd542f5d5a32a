import type { RecordBatch } from '../log/batch/record-batch.ts'
import { type GlobalRows, globalRows } from '../runtime/task/global-rows.ts'
import type { Plan } from '../topology/plan.ts'
import type { DriverOptions } from './driver-options.ts'
import type { DriverTopics } from './driver-topics.ts'

/** The global tables of a topology driver: filled at once, at every record of their topics. */
export class DriverGlobals {
  private readonly all: readonly GlobalRows[]
  private readonly options: DriverOptions

  /** They begin with what the topics hold. */
  constructor({ globals }: Plan, options: DriverOptions, topics: DriverTopics, partitions: number) {
    this.options = options
    this.all = globals.map((source) => globalRows(source, options.registry))
    for (const topic of new Set(globals.map((source) => source.topic))) {
      for (let partition = 0; partition < partitions; partition++) {
        for (const batch of topics.batches(topic, partition)) this.apply(topic, batch)
      }
    }
  }

  /** As tasks are given them. */
  get stores(): ReadonlyMap<unknown, unknown> {
    return new Map(this.all.map(({ source, store }) => [source.spec, store]))
  }

  find(name: string): GlobalRows | undefined {
    return this.all.find(({ source }) => source.spec.name === name)
  }

  apply(topic: string, batch: RecordBatch): void {
    for (const of of this.all) {
      if (of.source.topic !== topic) continue
      of.apply(batch, 0, (error) => {
        if (this.options.errors?.undecodable === 'fail') throw error
      })
    }
  }
}
