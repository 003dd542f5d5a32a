import { describe, expect, it } from 'vitest'
import { code, HEARTBEAT, type Members, runs, SESSION, stampOf } from '../members.ts'

export function staticContract(on: Members): void {
  describe('static members', () => {
    it('do not leave, and come back to their tasks, which nobody else was given', async () => {
      const members = [...(await on.shared({ instanceId: 'a' }, { instanceId: 'b' }))]
      for (const [i, instanceId] of ['a', 'b'].entries()) {
        const old = members[i]
        const other = members[1 - i]
        const before = other.seen.steps()
        await old.group.leave()
        expect(on.broker.members.size).toBe(2)
        const again = on.member({ instanceId })
        await on.broker.until('back', () => runs(2)(again), HEARTBEAT)
        expect(again.seen.state.tasks).toEqual(old.seen.state.tasks)
        expect(stampOf(again)).toMatchObject({ instanceId })
        expect(stampOf(again).memberId).not.toBe(stampOf(old).memberId)
        await on.broker.pass(2 * HEARTBEAT)
        expect(other.seen.steps()).toEqual(before)
        members[i] = again
      }
    })

    it('leave when asked to', async () => {
      const a = await on.settled({ instanceId: 'a' })
      await a.group.leave({ permanently: true })
      expect(on.broker.members.size).toBe(0)
    })

    it('take the place of the process that had their name, which is told and does not take it back', async () => {
      const old = await on.settled({ instanceId: 'a' })
      const fresh = on.member({ instanceId: 'a' })
      await on.broker.until('taken over', () => runs(4)(fresh), 1_000)
      const error = await on.failed(old)
      expect(code(error)).toBe('FENCED')
      expect(error.message).toMatch(/instance "a"/)
      expect(old.seen.calls.at(-1)).toBe('lost 0_0 0_1 0_2 0_3')
      await on.broker.pass(SESSION * 2)
      expect(fresh.seen.calls).toHaveLength(1)
    })

    it('that come back from an outage do not take their place back either', async () => {
      const old = await on.settled({ instanceId: 'a' })
      old.line.isCut = true
      await on.broker.until('dropped', () => old.seen.calls.length === 2, SESSION + HEARTBEAT)
      const fresh = await on.settled({ instanceId: 'a' })
      old.line.isCut = false
      expect(code(await on.failed(old))).toBe('FENCED')
      await on.broker.pass(SESSION * 2)
      expect(fresh.seen.calls).toHaveLength(1)
      expect(old.seen.calls).toHaveLength(2)
    })

    it('that were forgotten meanwhile leave their place to who has it now', async () => {
      const old = await on.settled({ instanceId: 'a' })
      on.broker.remove(stampOf(old).memberId)
      const fresh = on.member({ instanceId: 'a' })
      expect(code(await on.failed(old))).toBe('FENCED')
      await on.broker.until('in', () => runs(4)(fresh))
    })
  })
}
