import { describe, expect, it } from 'vitest'
import { code, HEARTBEAT, type Members, runs, stampOf } from '../members.ts'

export function joiningContract(on: Members): void {
  const { protocol } = on

  describe('joining', () => {
    it('gets all tasks, with a stamp that says who has them', async () => {
      const one = await on.settled()
      expect(one.seen.calls).toEqual(['assigned 0_0 0_1 0_2 0_3'])
      const [memberId] = on.broker.members.keys()
      expect(stampOf(one)).toEqual({ group: 'shop', memberId, epoch: 1 })
    })

    it('resolves without waiting for the tasks to start', async () => {
      const { group, seen } = on.member()
      const restored = Promise.withResolvers<void>()
      seen.hooks.assigned = () => restored.promise
      await on.inTime(group.join())
      expect(seen.calls.length).toBeLessThanOrEqual(1)
      restored.resolve()
      await on.broker.until('tasks run', () => seen.state.tasks.length === 4)
    })

    it('waits for an unreachable broker, and comes in soon when it is back', async () => {
      on.broker.goDown()
      const one = on.member()
      await on.broker.pass(40_000)
      expect(one.seen.calls).toEqual([])
      on.broker.comeUp()
      await on.broker.until('tasks run', () => runs(4)(one), 2_100)
    })

    it.each(protocol.join)('repeats a %s that breaks, hangs, or is refused for the time being', async (apiName) => {
      for (const fault of ['drop', 'drop', ...protocol.passing, 'lose the answer', 'hang'] as const)
        on.broker.fail(apiName, fault)
      const one = await on.settled()
      expect(one.seen.calls).toHaveLength(1)
    })

    it('looks the coordinator up again when it is elsewhere, and not while it loads', async () => {
      for (const error of [14, 16]) on.broker.fail(protocol.join[0], error)
      const one = await on.settled()
      expect(on.broker.wire.lookups).toBe(2)
      for (const [error, lookups] of [
        [14, 2],
        [16, 3],
        [15, 4],
      ]) {
        on.broker.fail(protocol.heartbeat, error)
        await on.broker.pass(2 * HEARTBEAT)
        expect(on.broker.wire.lookups).toBe(lookups)
      }
      expect(one.seen.calls).toHaveLength(1)
    })

    it.each(protocol.refusals)(
      'rejects when the broker refuses for good ($error: $code)',
      async ({ error, message, code: expected, text }) => {
        on.broker.fail(protocol.join[0], error, { message })
        const one = on.member()
        await on.broker.until('rejected', () => one.joining.error !== undefined)
        expect(code(one.joining.error)).toBe(expected)
        expect(String(one.joining.error)).toMatch(text)
        expect(one.seen.calls).toEqual([])
        expect(one.seen.errors).toEqual([])
      },
    )
  })
}
