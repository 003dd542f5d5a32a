import { BehaviorSubject, type Observable } from 'rxjs'

/** What an application is doing. */
export type RunPhase = 'starting' | 'rebalancing' | 'restoring' | 'running' | 'stopping' | 'stopped' | 'failed'

export interface RunState {
  readonly phase: RunPhase
  /** Tasks that run here. */
  readonly tasks: readonly string[]
  /** Tasks that run elsewhere and whose state is kept here, warm-ups included. */
  readonly standbys: readonly string[]
  /** What is away and being waited for ('log', 'registry', 'sink clickhouse:revenue' …) and why. */
  readonly waitingFor: ReadonlyMap<string, string>
  readonly error?: Error
}

/** The state of an application, changed in one place and seen by everybody. */
export interface Status {
  readonly state$: Observable<RunState>
  readonly current: RunState
  phase(phase: RunPhase, tasks?: readonly string[]): void
  standbys(tasks: readonly string[]): void
  failed(error: Error): void
  waiting(what: string, why: string): void
  back(what: string): void
}

export function createStatus(): Status {
  const state = new BehaviorSubject<RunState>({ phase: 'starting', tasks: [], standbys: [], waitingFor: new Map() })
  const change = (changes: Partial<RunState>) => state.next({ ...state.value, ...changes })
  return {
    state$: state.asObservable(),
    get current() {
      return state.value
    },
    phase: (phase, tasks = state.value.tasks) => change({ phase, tasks }),
    standbys(standbys) {
      if (standbys.join() !== state.value.standbys.join()) change({ standbys })
    },
    failed: (error) => change({ phase: 'failed', error }),
    waiting(what, why) {
      if (state.value.waitingFor.get(what) === why) return
      change({ waitingFor: new Map(state.value.waitingFor).set(what, why) })
    },
    back(what) {
      if (!state.value.waitingFor.has(what)) return
      const waitingFor = new Map(state.value.waitingFor)
      waitingFor.delete(what)
      change({ waitingFor })
    },
  }
}
