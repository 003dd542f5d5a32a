import { toError } from '../errors.ts'
import { WAIT_ENDED } from '../time.ts'
import { type AssignmentDependencies, type OpenTask, openTasks } from './assignment.ts'
import type { Commands } from './commands.ts'
import type { Sinks } from './sinks.ts'
import type { TaskState } from './state/task-state.ts'

export interface OpeningsDependencies extends AssignmentDependencies {
  readonly commands: Commands
  readonly sinks: Sinks
  /** Tasks are ready to run here; told within the loop. */
  readonly onOpened: (tasks: readonly OpenTask[], ms: number) => void
  readonly fail: (error: Error) => void
}

/** Tasks on their way to run here: they are restored beside the loop, and given up when they are taken away meanwhile. */
export interface Openings {
  /** Ids of all that are still to run here when they are ready. */
  readonly ids: readonly string[]
  /** @param states - those that are here already */
  open(ids: readonly string[], states: ReadonlyMap<string, TaskState>): void
  abandon(isMeant: (id: string) => boolean): void
}

/** Tasks that are being restored together. */
interface Opening {
  /** Those that are still to run here when they are ready. */
  readonly wanted: Set<string>
  readonly abandoned: AbortController
}

export function createOpenings(on: OpeningsDependencies): Openings {
  const { commands, sinks, patiently } = on
  const { clock } = on.settings
  const openings = new Set<Opening>()

  async function open(ids: readonly string[], states: ReadonlyMap<string, TaskState>): Promise<void> {
    const began = clock.now()
    const opening: Opening = { wanted: new Set(ids), abandoned: new AbortController() }
    openings.add(opening)
    const signal = AbortSignal.any([on.signal, opening.abandoned.signal])
    try {
      const fresh = await openTasks(ids, states, { ...on, signal })
      await openSinks(opening, fresh)
      await commands.ask(async () => opened(opening, fresh, began))
    } catch (error) {
      openings.delete(opening)
      if (!opening.abandoned.signal.aborted) on.fail(toError(error))
    }
  }

  async function openSinks({ wanted }: Opening, fresh: readonly OpenTask[]): Promise<void> {
    try {
      for (const { task } of fresh) {
        for (const sink of task.sinks) {
          if (wanted.has(task.id)) await patiently(`sink ${sink.sink.name}`, () => sinks.open(sink))
        }
      }
    } catch (error) {
      for (const { task } of fresh) task.close()
      throw error
    }
  }

  /** What was given away meanwhile, or could not be restored to its end, does not run. */
  function opened(opening: Opening, fresh: readonly OpenTask[], began: number): void {
    openings.delete(opening)
    const mine = fresh.filter(({ task }) => !on.signal.aborted && opening.wanted.has(task.id))
    for (const open of fresh) if (!mine.includes(open)) open.task.close()
    on.onOpened(mine, clock.now() - began)
  }

  return {
    get ids() {
      return Array.from(openings, ({ wanted }) => [...wanted]).flat()
    },
    open: (ids, states) => void open(ids, states),
    abandon(isMeant) {
      for (const { wanted, abandoned } of openings) {
        for (const id of wanted) if (isMeant(id)) wanted.delete(id)
        if (wanted.size === 0) abandoned.abort(WAIT_ENDED)
      }
    },
  }
}
