import { isRetriable, MillraceError, toError } from '../errors.ts'
import type { Position } from '../log/log.ts'
import type { TaskSet } from './commits.ts'
import { dropPlan, type LostPlansDependencies } from './lost-plans.ts'
import { afterOutOfRange } from './out-of-range.ts'

export interface FetchErrorDependencies extends LostPlansDependencies {
  readonly tasks: TaskSet
  readonly startOver: (error: Error) => void
}

/**
 * What a worker does when a fetch has failed. A log that is away is waited for; where an offset is out of range the
 * application's policy says where to go on; who has lost the task to another starts over. Anything else is thrown.
 */
export async function afterFetchError(thrown: unknown, on: FetchErrorDependencies): Promise<void> {
  const { tasks, log, patiently } = on
  const error = toError(thrown)
  if (isRetriable(error)) {
    // Back is what answers: a wait that ends by itself would end after the first one every time.
    const asked = tasks.running.flatMap(({ task }) =>
      task.inputs.map(({ topic }) => ({ topic, partition: task.partition })),
    )
    await patiently(
      'log',
      once(error, () => log.admin.endOffsets(asked.slice(0, 1))),
    )
    return
  }
  let to: Position
  try {
    to = await afterOutOfRange(error, on)
  } catch (refused) {
    if (refused instanceof MillraceError && refused.code === 'FENCED') return on.startOver(refused)
    throw refused
  }
  const planned = tasks.running
    .find(({ task }) => task.partition === to.partition && task.inputs.some((of) => of.topic === to.topic))
    ?.task.seek(to.topic, to.offset)
  if (planned !== undefined) dropPlan({ ...to, end: planned }, on)
}

/** A call that fails the first time with what has already happened, so that waiting for it starts with a wait. */
function once(error: Error, call: () => Promise<unknown>): () => Promise<void> {
  let first = true
  return async () => {
    if (!first) return void (await call())
    first = false
    throw error
  }
}
