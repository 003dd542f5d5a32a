import type { RunPhase, RunState } from '../status.ts'

/** What is least far decides: an application runs when all of its threads do. */
const ORDER: readonly RunPhase[] = ['failed', 'stopping', 'starting', 'restoring', 'rebalancing', 'running', 'stopped']

/** The state of an application from those of its threads, at least one. */
export function sharedState(states: readonly RunState[]): RunState {
  const phase = ORDER.find((each) => states.some((state) => state.phase === each))!
  const error = states.find((state) => state.error)?.error
  return {
    phase,
    tasks: states.flatMap(({ tasks }) => tasks),
    standbys: states.flatMap(({ standbys }) => standbys),
    waitingFor: new Map(states.flatMap(({ waitingFor }) => [...waitingFor])),
    ...(error && { error }),
  }
}
