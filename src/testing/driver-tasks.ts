import { restoreStore } from '../runtime/task/restore.ts'
import { createTask, type Task, type TaskOutput } from '../runtime/task/task.ts'
import type { Clock } from '../time.ts'
import { partitionCounts } from '../topology/partitions.ts'
import type { Plan } from '../topology/plan.ts'
import type { DriverGlobals } from './driver-globals.ts'
import type { DriverOptions } from './driver-options.ts'
import { mustBeSync } from './driver-serdes.ts'
import type { DriverTopics } from './driver-topics.ts'

/** The topic that the dead letters of a driver's tasks are read from. */
export const DEAD_LETTERS = 'dead-letters'

export interface DriverTasksOptions {
  readonly plan: Plan
  readonly options: DriverOptions
  readonly partitions: number
  readonly topics: DriverTopics
  readonly clock: Clock
}

/** The tasks of a topology driver, all in one place, and what they have committed. */
export class DriverTasks {
  all: readonly Task[] = []
  private readonly on: DriverTasksOptions
  private readonly counts: ReadonlyMap<string, number>
  private readonly committed = new Map<string, Pick<TaskOutput, 'positions' | 'times'>>()

  constructor(on: DriverTasksOptions) {
    this.on = on
    this.counts = partitionCounts(on.plan, () => on.partitions)
  }

  of(subtopology: number): Task[] {
    return this.all.filter(({ id }) => id.startsWith(`${subtopology}_`))
  }

  reading(topic: string, partition: number): Task | undefined {
    return this.all.find((task) => task.partition === partition && task.inputs.some((of) => of.topic === topic))
  }

  commit({ id }: Task, { positions, times }: TaskOutput): void {
    this.committed.set(id, { positions, times })
  }

  close(): void {
    for (const task of this.all) task.close()
  }

  /** Creates them as the last commit left them: state from the changelogs, input from there on. */
  create(globals: DriverGlobals): void {
    const { plan, options, partitions, clock } = this.on
    const { errors, registry, state, emit = 'update' } = options
    this.all = plan.subtopologies.flatMap((subtopology) => {
      const count = this.counts.get(`subtopology:${subtopology.id}`)!
      return Array.from({ length: count }, (_, partition) => {
        const task = createTask(subtopology, partition, {
          application: plan.application,
          registry,
          state,
          globals: globals.stores,
          emit,
          partitions: (topic) => this.counts.get(topic) ?? partitions,
          tasks: (id) => this.counts.get(`subtopology:${id}`)!,
          clock,
          policies: { undecodable: 'dead-letter', failing: 'fail', refused: 'dead-letter', ...errors },
          deadLetterTopic: DEAD_LETTERS,
        })
        this.restore(task)
        return task
      })
    })
  }

  private restore(task: Task): void {
    const { topics } = this.on
    for (const codec of task.codecs) mustBeSync(codec.prepare?.())
    for (const { changelog, store } of task.stores) {
      if (changelog) for (const batch of topics.batches(changelog, task.partition)) restoreStore(store, batch, 0)
    }
    const { positions, times } = this.committed.get(task.id) ?? { positions: new Map<string, number>(), times: {} }
    for (const { topic } of task.inputs) {
      task.seek(topic, positions.get(topic) ?? 0)
      const end = topics.end(topic, task.partition)
      task.add(topic, topics.batches(topic, task.partition), end, end)
    }
    task.start(times)
  }
}
