import { describe, expect, it } from 'vitest'
import { code, HEARTBEAT, type Members, runs, SESSION, stampOf } from '../members.ts'

const BACK = ['assigned 0_0 0_1 0_2 0_3', 'lost 0_0 0_1 0_2 0_3', 'assigned 0_0 0_1 0_2 0_3']

export function losingContract(on: Members): void {
  const { protocol } = on

  describe('losing membership', () => {
    it('drops the tasks and joins again when the group has forgotten it', async () => {
      const a = await on.settled()
      on.broker.remove(stampOf(a).memberId)
      await on.broker.until('back', () => a.seen.calls.length === 3, SESSION)
      expect(a.seen.calls).toEqual(BACK)
      expect([...on.broker.members.keys()]).toEqual([stampOf(a).memberId])
    })

    it.each(protocol.fencing)('does so when a heartbeat is answered with $error', async ({ error, isSameMember }) => {
      const a = await on.settled()
      const { memberId } = stampOf(a)
      on.broker.fail(protocol.heartbeat, error)
      await on.broker.until('back', () => a.seen.calls.length === 3)
      expect(a.seen.calls).toEqual(BACK)
      expect(stampOf(a).memberId === memberId).toBe(isSameMember)
    })

    it('keeps the tasks through an outage that is shorter than the session', async () => {
      const a = await on.settled({ sessionTimeoutMs: 30_000 })
      await on.broker.pass(SESSION)
      on.broker.goDown()
      await on.broker.pass(30_000 - 2 * HEARTBEAT)
      on.broker.comeUp()
      await on.broker.pass(SESSION)
      expect(a.seen.calls).toHaveLength(1)
    })

    it('drops the tasks when the session has ended for certain, and comes back', async () => {
      const a = await on.settled()
      const start = on.clock.now()
      on.broker.goDown()
      await on.broker.until('dropped', () => a.seen.calls.length === 2, SESSION + HEARTBEAT)
      expect(a.seen.calls).toEqual(BACK.slice(0, 2))
      expect(on.clock.now() - start).toBeGreaterThan(SESSION - HEARTBEAT)
      on.broker.comeUp()
      await on.broker.until('back', () => runs(4)(a), 4_000)
    })

    it('does so, too, when the broker takes heartbeats and answers none', async () => {
      const a = await on.settled()
      on.broker.fail(protocol.heartbeat, 'hang', { times: 1_000 })
      await on.broker.until('dropped', () => a.seen.calls.length >= 2, SESSION + HEARTBEAT)
      expect(a.seen.calls[1]).toBe(BACK[1])
    })

    it('survives heartbeats that are refused for the time being', async () => {
      const a = await on.settled()
      for (const fault of [14, 15, 16, 'drop', 'lose the answer', 'hang'] as const)
        on.broker.fail(protocol.heartbeat, fault)
      await on.broker.pass(2 * SESSION)
      expect(a.seen.calls).toHaveLength(1)
    })

    it('ends, and tells the runtime and the group, when a heartbeat is refused for good', async () => {
      const a = await on.settled()
      on.broker.fail(protocol.heartbeat, 30)
      expect(code(await on.failed(a))).toBe('NOT_AUTHORIZED')
      expect(a.seen.calls).toEqual(BACK.slice(0, 2))
      await on.broker.until('left', () => on.broker.members.size === 0, HEARTBEAT)
      await on.broker.pass(SESSION)
      expect(a.seen.calls).toHaveLength(2)
      expect(a.seen.errors).toHaveLength(1)
    })

    it('has dropped its tasks by the time at which others take over from one who fell silent', async () => {
      const [a, b] = await on.shared()
      b.line.isCut = true
      await on.untilWatched('taken over', () => runs(4)(a), SESSION + 2 * HEARTBEAT)
      expect(b.seen.calls.at(-1)).toBe('lost 0_2 0_3')
    })
  })
}
