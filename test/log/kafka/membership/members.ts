/** Members of a classic group on a fake cluster. Who imports this has a cluster for each test, which all members leave. */
import { afterEach, beforeEach, expect } from 'vitest'
import { MillraceError } from '../../../../src/errors.ts'
import { type KafkaGroup, kafkaGroup } from '../../../../src/log/kafka/membership/group.ts'
import type { GroupOptions } from '../../../../src/log/log.ts'
import { type ManualClock, manualClock } from '../../../../src/time.ts'
import { fakeCluster } from './fake-cluster.ts'
import { type Recorder, recorder } from './recorder.ts'

export const SESSION = 6_000
const REBALANCE = 20_000
export const HEARTBEAT = 500
export const tasks = ['0_0', '0_1', '0_2', '0_3']

/** Each test has its own, and so an empty group. */
export let clock: ManualClock
export let cluster: ReturnType<typeof fakeCluster>
/** All that were made in this test. */
export let started: { group: KafkaGroup; seen: Recorder }[]

beforeEach(() => {
  clock = manualClock()
  cluster = fakeCluster(clock)
  started = []
})
afterEach(async () => {
  await Promise.all(started.map(({ group }) => group.leave()))
  for (const { seen } of started) expect(seen.state.overlaps).toBe(0)
})

export function member(options: Partial<GroupOptions> = {}) {
  const seen = recorder()
  const group = kafkaGroup(
    cluster.connect,
    {
      group: 'shop',
      topics: ['t'],
      tasks,
      sessionTimeoutMs: SESSION,
      rebalanceTimeoutMs: REBALANCE,
      heartbeatIntervalMs: HEARTBEAT,
      ...seen.callbacks,
      ...options,
    },
    { clock, random: () => 0.5 },
  )
  const joining = { error: undefined as unknown }
  void group.join().catch((error) => {
    joining.error = error
  })
  const one = { group, seen, joining }
  started.push(one)
  return one
}

export const runs = (count: number) => (one: { seen: Recorder }) => one.seen.state.tasks.length === count
export const countOf = (apiName: string) => cluster.requests.filter((name) => name === apiName).length
export const stampOf = (one: { seen: Recorder }) => one.seen.state.stamp!
export const code = (error: unknown) => (error instanceof MillraceError ? error.code : error)

/** From now on members find a broker that has no newer JoinGroup than this. */
export function useOlderBroker(joinGroupVersion: number): void {
  cluster = fakeCluster(clock, { joinGroupVersion })
}

/** A member that runs everything. */
export async function settled(options: Partial<GroupOptions> = {}) {
  const one = member(options)
  await cluster.until('all tasks run', () => runs((options.tasks ?? tasks).length)(one))
  return one
}
