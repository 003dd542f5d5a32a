import { describe, expect, it } from 'vitest'
import type { CommittedOffset } from '../../../../../src/log/log.ts'
import { type Members, stampOf } from '../members.ts'

const at = (partition: number) => ({ topic: 't', partition })

export function offsetsContract(on: Members): void {
  describe('offsets', () => {
    it('come back with their metadata; partitions without one are left out', async () => {
      const a = await on.settled()
      const offsets: CommittedOffset[] = [
        { ...at(0), offset: 2 ** 40, metadata: '{"é":1}' },
        { topic: 'u', partition: 3, offset: 0 },
      ]
      await on.inTime(a.group.commit(offsets, stampOf(a)))
      on.broker.offsets.set('t/1', { offset: -2, metadata: '' })
      const asked = [at(0), at(1), at(2), { topic: 'u', partition: 3 }]
      expect(await on.inTime(a.group.committed(asked))).toEqual(offsets)
      const { length } = on.broker.requests
      expect(await a.group.committed([])).toEqual([])
      await a.group.commit([], stampOf(a))
      expect(on.broker.requests).toHaveLength(length)
    })

    it('are committed with the stamp: the member and its epoch', async () => {
      const [, b] = await on.shared({ instanceId: 'a' }, { instanceId: 'b' })
      const { memberId, epoch } = stampOf(b)
      await on.inTime(b.group.commit([{ ...at(2), offset: 1 }], stampOf(b)))
      expect(on.broker.commits).toEqual([expect.objectContaining({ memberId, instanceId: 'b', epoch })])
    })

    it('are refused to who is no member, and in an epoch that is not', async () => {
      const a = await on.settled()
      const offsets = [{ ...at(0), offset: 1 }]
      for (const wrong of [{ memberId: 'nobody' }, { epoch: 99 }]) {
        const commit = a.group.commit(offsets, { ...stampOf(a), ...wrong })
        await expect(on.inTime(commit)).rejects.toMatchObject({ code: 'FENCED', context: at(0) })
      }
      await on.inTime(a.group.commit(offsets, stampOf(a)))
    })

    it('wait for transactions that are being decided', async () => {
      const a = await on.settled()
      on.broker.offsets.set('t/0', { offset: 5, metadata: '' })
      on.broker.undecided.add('t/0')
      const reading = a.group.committed([at(0)])
      await on.broker.pass(20_000)
      on.broker.offsets.set('t/0', { offset: 9, metadata: '' })
      on.broker.undecided.clear()
      expect(await on.inTime(reading, 600)).toEqual([{ ...at(0), offset: 9 }])
    })

    it('say in the end which partition is undecided', async () => {
      const a = await on.settled()
      on.broker.undecided.add('t/0')
      await expect(on.inTime(a.group.committed([at(0)]))).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        retriable: true,
        context: at(0),
      })
    })

    it('can be read by one who is not a member', async () => {
      on.broker.offsets.set('t/0', { offset: 5, metadata: 'm' })
      const { group } = on.outsider({ topics: [], tasks: [] })
      expect(await on.inTime(group.committed([at(0)]))).toEqual([{ ...at(0), offset: 5, metadata: 'm' }])
      await group.leave()
      await expect(group.committed([at(0)])).rejects.toMatchObject({ code: 'CLOSED' })
    })

    it('are tried again while the coordinator moves, loads, rebalances or is away for a moment', async () => {
      const a = await on.settled()
      for (const fault of [14, 16, 27, 'drop'] as const) {
        on.broker.fail('OffsetCommit', fault)
        if (fault !== 27) on.broker.fail('OffsetFetch', fault)
      }
      await on.inTime(a.group.commit([{ ...at(0), offset: 1 }], stampOf(a)))
      expect(await on.inTime(a.group.committed([at(0)]))).toEqual([{ ...at(0), offset: 1 }])
    })

    it('say after a while that the coordinator is away', async () => {
      const a = await on.settled()
      on.broker.goDown()
      const commit = a.group.commit([{ ...at(0), offset: 1 }], stampOf(a))
      await expect(on.inTime(commit, 7_000)).rejects.toMatchObject({ code: 'UNAVAILABLE', retriable: true })
    })

    it('are refused for good where that is what the broker says', async () => {
      const a = await on.settled()
      on.broker.fail('OffsetCommit', 12)
      const commit = a.group.commit([{ ...at(0), offset: 1, metadata: 'x'.repeat(5000) }], stampOf(a))
      await expect(on.inTime(commit)).rejects.toMatchObject({ code: 'INVALID_OPTION', context: at(0) })
      on.broker.fail('OffsetFetch', 30)
      await expect(on.inTime(a.group.committed([at(0)]))).rejects.toMatchObject({ code: 'NOT_AUTHORIZED' })
    })
  })
}
