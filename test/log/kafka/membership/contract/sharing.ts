import { describe, expect, it } from 'vitest'
import { HEARTBEAT, type Members, runs, SESSION, stampOf, TASKS } from '../members.ts'

export function sharingContract(on: Members): void {
  const { protocol } = on

  describe('sharing the tasks', () => {
    it('gives up half of them to a second member, and takes them back when that one leaves', async () => {
      const [a, b] = await on.shared()
      expect([...on.running()].sort()).toEqual(TASKS)
      expect(stampOf(a).epoch).toBe(stampOf(b).epoch)
      await b.group.leave()
      b.seen.state.tasks = []
      await on.untilWatched('taken back', () => runs(4)(a), HEARTBEAT + 100)
      expect(on.broker.members.size).toBe(1)
      expect(a.seen.steps()).toEqual([
        'assigned 0_0 0_1 0_2 0_3',
        'revoked 0_2 0_3',
        'assigned 0_0 0_1',
        'assigned 0_0 0_1 0_2 0_3',
      ])
      expect(b.seen.steps()).toEqual(['assigned', 'assigned 0_2 0_3'])
    })

    it('gives up a task before another member has it; what stays runs on, and the member stays alive', async () => {
      const a = await on.settled()
      const stopped = Promise.withResolvers<void>()
      a.seen.hooks.revoked = () => stopped.promise
      const b = on.member()
      await on.broker.pass(SESSION * 2)
      expect(a.seen.calls).toEqual(['assigned 0_0 0_1 0_2 0_3', 'revoked 0_2 0_3'])
      expect(b.seen.steps()).toEqual(['assigned'])
      expect(on.broker.members.size).toBe(2)
      stopped.resolve()
      // They have waited for long, and may go by the interval again.
      await on.broker.until('shared', () => [a, b].every(runs(2)), HEARTBEAT + 500)
      expect(a.seen.state.revokedWith!.epoch).toBeLessThan(stampOf(a).epoch)
      expect(stampOf(a).epoch).toBe(stampOf(b).epoch)
    })

    it('says first that a rebalance comes, and gives nothing up until a commit under way has ended', async () => {
      const a = await on.settled()
      const committed = Promise.withResolvers<void>()
      a.seen.hooks.rebalancing = () => committed.promise
      const b = on.member()
      await on.broker.pass(SESSION * 2)
      expect(a.seen.calls).toEqual(['assigned 0_0 0_1 0_2 0_3'])
      expect(b.seen.state.tasks).toEqual([])
      await on.inTime(a.group.commit([{ topic: 't', partition: 0, offset: 5 }], stampOf(a)))
      committed.resolve()
      await on.broker.until('shared', () => [a, b].every(runs(2)))
      expect(on.broker.offsets.get('t/0')).toMatchObject({ offset: 5 })
    })

    it('may commit what it loses, with the stamp it is told', async () => {
      const a = await on.settled()
      const results: unknown[] = []
      a.seen.hooks.revoked = () =>
        a.group.commit([{ topic: 't', partition: 2, offset: 5 }], a.seen.state.revokedWith!).then(
          () => void results.push('committed'),
          (error) => void results.push(error),
        )
      const b = on.member()
      await on.broker.until('shared', () => [a, b].every(runs(2)))
      expect(results).toEqual(['committed'])
      expect(on.broker.offsets.get('t/2')).toMatchObject({ offset: 5 })
    })

    it('does not wait for a heartbeat of the others while tasks move', async () => {
      const [a, b] = await on.shared({ heartbeatIntervalMs: 2_000 })
      const c = on.member({ heartbeatIntervalMs: 2_000 })
      await on.broker.until('somebody has lost a task', () => [a, b].some(runs(1)))
      await on.broker.until('c has it', () => runs(1)(c), protocol.handoverMs)
    })

    it('tells a new epoch also to those who keep what they have', async () => {
      const members = await on.shared()
      const [epoch, tasks] = [stampOf(members[0]).epoch, members.map(({ seen }) => seen.state.tasks)]
      on.broker.rebalance()
      const isTold = () => members.every((one) => stampOf(one).epoch === epoch + 1)
      await on.broker.until('told', isTold, 2 * HEARTBEAT)
      expect(members.map(({ seen }) => seen.state.tasks)).toEqual(tasks)
      expect(members[0].seen.kinds().filter((kind) => kind !== 'assigned')).toEqual(['revoked'])
    })

    it('never runs a task twice, however members come, go and lose answers', async () => {
      const present = [await on.settled()]
      for (let round = 0; round < 16; round++) {
        if (round % 2)
          for (const apiName of [...protocol.join, protocol.heartbeat]) on.broker.fail(apiName, 'lose the answer')
        if (present.length < 4 && round % 3 !== 2) present.push(on.member())
        else {
          const [gone] = present.splice(round % present.length, 1)
          gone.seen.state.tasks = []
          await on.inTime(gone.group.leave())
        }
        // Longer than a heartbeat or shorter: sometimes one comes into the rebalance of another.
        const end = on.clock.now() + [70, 430, 1_900][round % 3]
        await on.untilWatched('time passes', () => on.clock.now() >= end)
      }
      await on.untilWatched('all run', () => on.running().length === TASKS.length)
    })
  })
}
