import { expect, it } from 'vitest'
import type { RunPhase, RunState } from '../../../src/runtime/status.ts'
import { sharedState } from '../../../src/runtime/threads/shared-state.ts'

const state = (phase: RunPhase, tasks: string[] = [], waiting: [string, string][] = []): RunState => ({
  phase,
  tasks,
  standbys: [],
  waitingFor: new Map(waiting),
})

it.each<[RunPhase[], RunPhase]>([
  [['running', 'running'], 'running'],
  [['running', 'starting'], 'starting'],
  [['rebalancing', 'restoring'], 'restoring'],
  [['running', 'stopped'], 'running'],
  [['stopping', 'running'], 'stopping'],
  [['running', 'failed'], 'failed'],
  [['stopped', 'stopped'], 'stopped'],
])('of threads that are %j is %s', (phases, expected) => {
  expect(sharedState(phases.map((phase) => state(phase))).phase).toBe(expected)
})

it('has the tasks of all threads, and what any of them waits for', () => {
  const shared = sharedState([state('running', ['0_0'], [['log', 'down']]), state('running', ['0_1'])])
  expect(shared.tasks).toEqual(['0_0', '0_1'])
  expect([...shared.waitingFor]).toEqual([['log', 'down']])
})
