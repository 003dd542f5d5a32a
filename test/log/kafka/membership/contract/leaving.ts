import { describe, expect, it } from 'vitest'
import { code, type Members, runs, SESSION } from '../members.ts'

export function leavingContract(on: Members): void {
  const { protocol } = on

  describe('leaving', () => {
    it('sends nothing and calls nothing any more', async () => {
      const a = await on.settled()
      await a.group.leave()
      const { length } = on.broker.requests
      await on.broker.pass(SESSION * 2)
      expect(on.broker.requests).toHaveLength(length)
      expect(a.seen.calls).toHaveLength(1)
      expect(on.broker.members.size).toBe(0)
    })

    it.each([
      ['is away', () => on.broker.goDown()],
      ['does not answer', () => on.broker.fail(protocol.leave, 'hang', { times: 10 })],
    ])('works from within a callback, and while the broker %s', async (_, disturb) => {
      const a = await on.settled()
      let hasLeft = false
      a.seen.hooks.revoked = async () => {
        disturb()
        await a.group.leave()
        hasLeft = true
        throw new Error('it is too late to tell anybody')
      }
      on.member()
      await on.broker.until('left', () => hasLeft)
      await on.broker.pass(SESSION)
      expect(a.seen.calls.at(-1)).toBe('revoked 0_2 0_3')
      expect(a.seen.errors).toEqual([])
    })

    it('waits only so long for a broker that does not answer', async () => {
      const a = await on.settled()
      on.broker.fail(protocol.leave, 'hang', { times: 10 })
      const { length } = on.broker.requests
      await on.inTime(a.group.leave(), 3_100)
      expect(on.broker.requests.slice(length)).toEqual([protocol.leave])
    })

    it('ends a join that waits', async () => {
      on.broker.goDown()
      const a = on.member()
      await on.broker.pass(100)
      await on.inTime(a.group.leave())
      await on.broker.until('rejected', () => a.joining.error !== undefined)
      expect(code(a.joining.error)).toBe('CLOSED')
      await expect(a.group.join()).rejects.toMatchObject({ code: 'CLOSED' })
    })

    it('takes a member out that waits for the tasks of others', async () => {
      const a = await on.settled()
      const stopped = Promise.withResolvers<void>()
      a.seen.hooks.revoked = () => stopped.promise
      const [first] = on.broker.members.keys()
      const b = on.member()
      await on.broker.until('b waits', () => on.broker.members.size === 2)
      await b.group.leave()
      expect([...on.broker.members.keys()]).toEqual([first])
      stopped.resolve()
      await on.broker.until('a is alone', () => runs(4)(a))
    })
  })
}
