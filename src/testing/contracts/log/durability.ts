import { describe, expect, it } from 'vitest'
import { batchOf, type LogUnderTest, valuesOf } from './fixture.ts'

/** What outlives a connection, and what compaction keeps. */
export function durabilityContract(under: LogUnderTest): void {
  if (under.capabilities.reopen === true) reopenContract(under)
  if (under.capabilities.compaction === true) compactionContract(under)
}

function reopenContract(under: LogUnderTest): void {
  describe('a log that is opened again', () => {
    it('has its topics, records, bounds and offsets', async () => {
      const topic = await under.topic(3)
      const group = under.name('group')
      const producer = await under.producer()
      await producer.send(topic, 0, valuesOf('a', 'b', 'c'))
      await under.log.admin.trim([{ topic, partition: 0, offset: 2 }])
      const member = under.member(group, { topics: [topic], tasks: ['0_0', '0_1', '0_2'] })
      await member.group.join()
      await member.group.commit([{ topic, partition: 0, offset: 2, metadata: 'm' }], await member.holding(3))

      await under.reopen()

      expect((await under.log.admin.partitions([topic])).get(topic)).toBe(3)
      expect(await under.log.admin.startOffsets([{ topic, partition: 0 }])).toMatchObject([{ offset: 2 }])
      await under.sees(topic, ['c'], { from: 2 })
      const again = under.member(group, { topics: [topic], tasks: ['0_0', '0_1', '0_2'] })
      expect(await again.group.committed([{ topic, partition: 0 }])).toMatchObject([{ offset: 2, metadata: 'm' }])
      const next = await under.producer()
      expect(await next.send(topic, 0, valuesOf('d'))).toEqual({ offset: 3 })
    })

    if (under.capabilities.transactions === false) return
    it('has committed transactions, no others, and gives no offset twice', async () => {
      const topic = await under.topic()
      const [done, undone, open] = [
        await under.transactional(),
        await under.transactional(),
        await under.transactional(),
      ]
      for (const producer of [done, undone, open]) producer.begin()
      await done.send(topic, 0, valuesOf('done'))
      await done.commit()
      await undone.send(topic, 0, valuesOf('undone'))
      await undone.abort()
      const { offset } = await open.send(topic, 0, valuesOf('open'))

      await under.reopen()

      await under.sees(topic, ['done'])
      const producer = await under.producer()
      expect((await producer.send(topic, 0, valuesOf('next'))).offset).toBeGreaterThan(offset)
      await under.sees(topic, ['done', 'next'])
    })
  })
}

function compactionContract(under: LogUnderTest): void {
  describe('compaction', () => {
    it('keeps the latest record of each key at its offset', async () => {
      const topic = await under.topic(1, { 'cleanup.policy': 'compact' })
      const producer = await under.producer()
      await producer.send(topic, 0, batchOf(['a', 'a1'], ['b', 'b1'], ['a', 'a2'], ['c', 'c1']))
      await producer.send(topic, 0, batchOf(['b', 'b2'], ['a', 'a3']))
      await producer.send(topic, 0, batchOf(['d', 'd1'], ['c', null]))
      await under.compact(topic)
      const kept = await under.read(topic)
      expect(kept.filter(({ value }) => value !== null)).toEqual([
        { offset: 4, key: 'b', value: 'b2' },
        { offset: 5, key: 'a', value: 'a3' },
        { offset: 6, key: 'd', value: 'd1' },
      ])
      expect(kept.filter(({ key }) => key === 'c').map(({ value }) => value)).not.toContain('c1')
      expect(await producer.send(topic, 0, batchOf(['e', 'e1']))).toEqual({ offset: 8 })
    })
  })
}
