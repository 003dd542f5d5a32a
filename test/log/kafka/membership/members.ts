import { afterEach, beforeEach, expect } from 'vitest'
import { MillraceError } from '../../../../src/errors.ts'
import { type KafkaGroup, kafkaGroup } from '../../../../src/log/kafka/membership/group.ts'
import type { GroupOptions } from '../../../../src/log/log.ts'
import { manualClock } from '../../../../src/time.ts'
import type { FakeBroker, Line } from './fake-broker.ts'
import type { ProtocolUnderTest } from './protocols.ts'
import { type Recorder, recorder } from './recorder.ts'

export const SESSION = 6_000
export const REBALANCE = 20_000
export const HEARTBEAT = 500
export const TASKS = ['0_0', '0_1', '0_2', '0_3']

export interface TestMember {
  readonly group: KafkaGroup
  readonly seen: Recorder
  readonly joining: { error: unknown }
  /** To cut it off from the broker. */
  readonly line: Line
}

export type Members<Broker extends FakeBroker = FakeBroker> = ReturnType<typeof membersOf<Broker>>

/** Members of a group on a fake broker. Each test of who calls this has a broker of its own, whose group all leave at the end. */
export function membersOf<Broker extends FakeBroker>(protocol: ProtocolUnderTest<Broker>) {
  const fresh = () => {
    const clock = manualClock(1_000_000)
    return { clock, broker: protocol.broker(clock), started: [] as TestMember[] }
  }
  const on = {
    protocol,
    ...fresh(),
    /** One who has not joined. */
    outsider(options: Partial<GroupOptions> = {}): TestMember {
      const seen = recorder()
      const line = { isCut: false }
      const { clock, broker } = on
      const group = kafkaGroup(
        () => broker.connect(line),
        {
          group: 'shop',
          topics: ['t'],
          tasks: TASKS,
          sessionTimeoutMs: SESSION,
          rebalanceTimeoutMs: REBALANCE,
          heartbeatIntervalMs: HEARTBEAT,
          ...seen.callbacks,
          ...options,
        },
        { protocol: protocol.name, rack: 'r1', clock, random: () => 0.5 },
      )
      const one = { group, seen, joining: { error: undefined }, line }
      on.started.push(one)
      return one
    },
    member(options: Partial<GroupOptions> = {}): TestMember {
      const one = on.outsider(options)
      void one.group.join().catch((error) => {
        one.joining.error = error
      })
      return one
    },
    /** A member that runs everything. */
    async settled(options: Partial<GroupOptions> = {}): Promise<TestMember> {
      const one = on.member(options)
      await on.broker.until('all tasks run', () => runs(TASKS.length)(one))
      return one
    },
    /** Two that run half of it each. */
    async shared(a: Partial<GroupOptions> = {}, b = a): Promise<readonly [TestMember, TestMember]> {
      const both = [await on.settled(a), on.member(b)] as const
      await on.broker.until('shared', () => both.every(runs(2)))
      return both
    },
    /** What ended the membership. */
    async failed(one: TestMember, limitMs?: number): Promise<MillraceError> {
      await on.broker.until('failed', () => failure(one) !== undefined, limitMs)
      return failure(one)!
    },
    /** Lets time pass until the promise is settled. */
    async inTime<T>(promise: Promise<T>, limitMs?: number): Promise<T> {
      let isSettled = false
      const settle = () => {
        isSettled = true
      }
      promise.then(settle, settle)
      await on.broker.until('settled', () => isSettled, limitMs)
      return promise
    },
    countOf: (apiName: string) => on.broker.requests.filter((name) => name === apiName).length,
    /** What runs. Fails when a task runs twice. */
    running(): readonly string[] {
      const tasks = on.started.flatMap(({ seen }) => seen.state.tasks)
      expect(new Set(tasks).size).toBe(tasks.length)
      return tasks
    },
    /** Lets time pass until the condition holds, and no task may run twice meanwhile. */
    async untilWatched(what: string, condition: () => boolean, limitMs?: number): Promise<void> {
      const holds = () => {
        on.running()
        return condition()
      }
      await on.broker.until(what, holds, limitMs)
    },
  }
  beforeEach(() => {
    Object.assign(on, fresh())
  })
  afterEach(async () => {
    await on.inTime(Promise.all(on.started.map(({ group }) => group.leave())))
    expect(on.broker.wire.connected).toBe(0)
    for (const { seen } of on.started) expect(seen.state.overlaps).toBe(0)
  })
  return on
}

export const runs = (count: number) => (one: TestMember) => one.seen.state.tasks.length === count
export const stampOf = (one: TestMember) => one.seen.state.stamp!
export const code = (error: unknown) => (error instanceof MillraceError ? error.code : error)
export const failure = (one: TestMember) => (one.joining.error ?? one.seen.errors[0]) as MillraceError | undefined
