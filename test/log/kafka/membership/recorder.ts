import { MillraceError } from '../../../../src/errors.ts'
import type { Assignment, GroupOptions, Stamp } from '../../../../src/log/log.ts'

type Name = 'rebalancing' | 'assigned' | 'revoked' | 'lost'

type Callbacks = Pick<GroupOptions, 'onRebalancing' | 'onAssigned' | 'onRevoked' | 'onLost' | 'onError' | 'onWarning'>

/** The callbacks of a member, and what they were called with. Fails the test when two run at once. */
export function recorder() {
  const calls: string[] = []
  const errors: Error[] = []
  const warnings: string[] = []
  const state = {
    tasks: [] as readonly string[],
    stamp: undefined as Stamp | undefined,
    revokedWith: undefined as Stamp | undefined,
    overlaps: 0,
    running: 0,
  }
  const hooks: Partial<Record<Name, (tasks: readonly string[]) => Promise<void> | void>> = {}

  async function one(name: Name, tasks: readonly string[], after: () => void) {
    if (state.running++ > 0) state.overlaps++
    if (name !== 'rebalancing') calls.push(`${name} ${tasks.join(' ')}`.trim())
    try {
      await hooks[name]?.(tasks)
      after()
    } finally {
      state.running--
    }
  }

  const callbacks: Callbacks = {
    onRebalancing: () => one('rebalancing', [], () => {}),
    onAssigned: (assignment: Assignment) =>
      one('assigned', assignment.active, () => {
        state.tasks = assignment.active
        state.stamp = assignment.stamp
      }),
    onRevoked: (tasks, stamp) => {
      state.revokedWith = stamp
      return one('revoked', tasks, () => {
        state.tasks = state.tasks.filter((task) => !tasks.includes(task))
      })
    },
    onLost: (tasks) =>
      one('lost', tasks, () => {
        state.tasks = []
      }),
    onError: (error) => {
      errors.push(error)
    },
    onWarning: (message) => {
      warnings.push(message)
    },
  }
  return {
    calls,
    errors,
    warnings,
    state,
    hooks,
    callbacks,
    /** The calls without those that say once more what the one before has said. */
    steps: () => calls.filter((call, i) => call !== calls[i - 1]),
    /** The kinds of the calls. */
    kinds: () => calls.map((call) => call.split(' ')[0]),
  }
}

export type Recorder = ReturnType<typeof recorder>

export const unavailable = () => new MillraceError('UNAVAILABLE', 'away', { retriable: true })
