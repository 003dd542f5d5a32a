import { describe, expect, it } from 'vitest'
import { failure, HEARTBEAT, type Members, REBALANCE, runs, SESSION, stampOf } from '../members.ts'
import { unavailable } from '../recorder.ts'

export function callbacksContract(on: Members): void {
  describe('a callback', () => {
    it('has ended before the next one is called', async () => {
      const a = await on.settled()
      const b = on.member()
      const slow = Promise.withResolvers<void>()
      b.seen.hooks.assigned = () => slow.promise
      await on.broker.until('b starts', () => b.seen.calls.length === 1)
      const c = on.member()
      await on.broker.pass(SESSION * 2)
      expect(b.seen.calls).toHaveLength(1)
      slow.resolve()
      await on.broker.until('three share', () => [a, b, c].every((one) => !runs(0)(one)))
    })

    it('that takes longer than the rebalance may leaves the member out, which drops everything and comes back', async () => {
      const a = await on.settled()
      const stopped = Promise.withResolvers<void>()
      a.seen.hooks.rebalancing = () => stopped.promise
      const b = on.member()
      await on.broker.until('b has all', () => runs(4)(b), REBALANCE + SESSION)
      await on.broker.pass(HEARTBEAT)
      expect(a.seen.calls).toEqual(['assigned 0_0 0_1 0_2 0_3'])
      stopped.resolve()
      await on.broker.until('shared', () => [a, b].every(runs(2)))
      expect(a.seen.calls.slice(0, 2)).toEqual(['assigned 0_0 0_1 0_2 0_3', 'lost 0_0 0_1 0_2 0_3'])
      expect(new Set(a.seen.kinds().slice(2))).toEqual(new Set(['assigned']))
    })

    it('onRevoked that fails means that all tasks are lost; those that stay are started anew', async () => {
      const a = await on.settled()
      a.seen.hooks.revoked = () => {
        throw new Error('no')
      }
      const b = on.member()
      await on.broker.until('shared', () => [a, b].every(runs(2)))
      expect(a.seen.calls.slice(0, 4)).toEqual([
        'assigned 0_0 0_1 0_2 0_3',
        'revoked 0_2 0_3',
        'lost 0_0 0_1 0_2 0_3',
        'assigned 0_0 0_1',
      ])
    })

    it('onAssigned that fails for the time being is called again, after the tasks were dropped', async () => {
      const one = on.member()
      let failures = 2
      one.seen.hooks.assigned = () => {
        if (failures-- > 0) throw unavailable()
      }
      await on.broker.until('tasks run', () => runs(4)(one))
      expect(one.seen.kinds()).toEqual(['assigned', 'lost', 'assigned', 'lost', 'assigned'])
      expect(stampOf(one).epoch).toBe(1)
    })

    it('onAssigned that fails for good ends the membership, and others have the tasks', async () => {
      const a = await on.settled()
      const b = on.member()
      b.seen.hooks.assigned = (tasks) => {
        if (tasks.length > 0) throw new Error('broken')
      }
      await on.broker.until('told', () => b.seen.errors.length === 1)
      expect(failure(b)!.message).toBe('broken')
      await on.broker.until('taken back', () => runs(4)(a))
      expect(b.seen.steps()).toEqual(['assigned', 'assigned 0_2 0_3', 'lost 0_2 0_3'])
    })
  })
}
