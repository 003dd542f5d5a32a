import { describe, expect, it } from 'vitest'
import type { Stamp } from '../../../log/log.ts'
import { eventually, type LogUnderTest, refused, type TestMember, valuesOf } from './fixture.ts'

/** Transactions as their producers see them: all or nothing, one producer at a time. */
export function transactionContract(under: LogUnderTest): void {
  /** A topic, a member of a group that reads it, and the stamp of its membership. */
  const joined = async (): Promise<{ topic: string; member: TestMember; stamp: Stamp }> => {
    const topic = await under.topic(2)
    const member = under.member(under.name('group'), { topics: [topic], tasks: ['0_0', '0_1'] })
    await member.group.join()
    return { topic, member, stamp: await member.holding(2) }
  }

  describe('a transaction', () => {
    it('is one: topics, partitions and offsets', async () => {
      const { topic, member, stamp } = await joined()
      const [out, changelog] = [await under.topic(2), await under.topic()]
      const producer = await under.transactional()
      producer.begin()
      await Promise.all([
        producer.send(out, 0, valuesOf('o0')),
        producer.send(out, 1, valuesOf('o1')),
        producer.send(changelog, 0, valuesOf('c')),
        producer.sendOffsets([{ topic, partition: 0, offset: 7, metadata: 'm0' }], stamp),
        producer.sendOffsets([{ topic, partition: 1, offset: 9 }], stamp),
      ])
      await producer.commit()
      await under.sees(out, ['o0'])
      await under.sees(out, ['o1'], { partition: 1 })
      await under.sees(changelog, ['c'])
      const partitions = [
        { topic, partition: 0 },
        { topic, partition: 1 },
      ]
      expect(await member.group.committed(partitions)).toMatchObject([
        { topic, partition: 0, offset: 7, metadata: 'm0' },
        { topic, partition: 1, offset: 9 },
      ])
    })

    it('that is aborted leaves records and offsets as they were', async () => {
      const { topic, member, stamp } = await joined()
      const out = await under.topic()
      await member.group.commit([{ topic, partition: 0, offset: 3, metadata: 'before' }], stamp)
      const producer = await under.transactional()
      producer.begin()
      await producer.send(out, 0, valuesOf('undone'))
      await producer.sendOffsets([{ topic, partition: 0, offset: 8, metadata: 'undone' }], stamp)
      await producer.abort()
      expect(await member.group.committed([{ topic, partition: 0 }])).toMatchObject([
        { topic, partition: 0, offset: 3, metadata: 'before' },
      ])
      expect(await under.read(out)).toEqual([])
    })

    it('may hold nothing, or offsets only', async () => {
      const { topic, member, stamp } = await joined()
      const producer = await under.transactional()
      producer.begin()
      await producer.commit()
      producer.begin()
      await producer.abort()
      producer.begin()
      await producer.sendOffsets([{ topic, partition: 0, offset: 1 }], stamp)
      await producer.commit()
      expect(await member.group.committed([{ topic, partition: 0 }])).toMatchObject([{ offset: 1 }])
    })

    it('follows another, many times', async () => {
      const topic = await under.topic()
      const producer = await under.transactional()
      const expected: string[] = []
      for (let i = 0; i < 12; i++) {
        producer.begin()
        await Promise.all([producer.send(topic, 0, valuesOf(`${i}a`)), producer.send(topic, 0, valuesOf(`${i}b`))])
        if (i % 3 === 1) await producer.abort()
        else {
          await producer.commit()
          expected.push(`${i}a`, `${i}b`)
        }
      }
      await under.sees(topic, expected)
    })

    it('is waited for by those who ask for the offsets it holds', async () => {
      const { topic, member, stamp } = await joined()
      const producer = await under.transactional()
      producer.begin()
      await producer.sendOffsets([{ topic, partition: 0, offset: 5 }], stamp)
      let answered = false
      const asked = member.group.committed([{ topic, partition: 0 }]).finally(() => {
        answered = true
      })
      expect(await member.group.committed([{ topic, partition: 1 }])).toEqual([])
      expect(answered).toBe(false)
      await producer.commit()
      expect(await asked).toMatchObject([{ offset: 5 }])
    })
  })

  describe('abort', () => {
    it('may be called twice, and without a transaction', async () => {
      const topic = await under.topic()
      const producer = await under.transactional()
      await producer.abort()
      producer.begin()
      await producer.send(topic, 0, valuesOf('undone'))
      await producer.abort()
      await producer.abort()
      producer.begin()
      await producer.send(topic, 0, valuesOf('done'))
      await producer.commit()
      await producer.abort()
      await under.sees(topic, ['done'])
    })
  })

  describe('a newer producer of the same transactional id', () => {
    it('undoes the transaction of the older one and fences it', async () => {
      const topic = await under.topic()
      const id = under.name('transactional')
      const older = await under.transactional(id)
      older.begin()
      await older.send(topic, 0, valuesOf('older'))
      const newer = await under.transactional(id)
      newer.begin()
      await newer.send(topic, 0, valuesOf('newer'))
      await newer.commit()
      await refused(older.commit(), 'FENCED')
      await older.abort()
      await under.sees(topic, ['newer'])
    })

    it('fences an idle one at its next step', async () => {
      const topic = await under.topic()
      const id = under.name('transactional')
      const older = await under.transactional(id)
      older.begin()
      await older.send(topic, 0, valuesOf('first'))
      await older.commit()
      const newer = await under.transactional(id)
      await refused(
        (async () => {
          older.begin()
          await older.send(topic, 0, valuesOf('late'))
          await older.commit()
        })(),
        'FENCED',
      )
      newer.begin()
      await newer.send(topic, 0, valuesOf('second'))
      await newer.commit()
      await under.sees(topic, ['first', 'second'])
    })

    it('fences the offsets of the older one too', async () => {
      const { topic, member, stamp } = await joined()
      const id = under.name('transactional')
      const older = await under.transactional(id)
      older.begin()
      await older.sendOffsets([{ topic, partition: 0, offset: 5 }], stamp)
      await under.transactional(id)
      expect(await member.group.committed([{ topic, partition: 0 }])).toEqual([])
      await refused(older.commit(), 'FENCED')
    })

    it('leaves producers of other ids alone', async () => {
      const topic = await under.topic()
      const other = await under.transactional()
      other.begin()
      await other.send(topic, 0, valuesOf('other'))
      await under.transactional()
      await other.commit()
      await under.sees(topic, ['other'])
    })
  })

  describe('a stamp', () => {
    it('of an earlier membership is refused, with and without a transaction', async () => {
      const { topic, member, stamp } = await joined()
      await member.group.leave()
      const again = under.member(member.name, { topics: [topic], tasks: ['0_0', '0_1'] })
      await again.group.join()
      const renewed = await again.holding(2)
      expect(renewed).not.toEqual(stamp)
      const offsets = [{ topic, partition: 0, offset: 4 }]
      await refused(again.group.commit(offsets, stamp), 'FENCED')
      const producer = await under.transactional()
      producer.begin()
      await refused(producer.sendOffsets(offsets, stamp), 'FENCED')
      await producer.abort()
      producer.begin()
      await producer.sendOffsets(offsets, renewed)
      await producer.commit()
      await eventually(async () =>
        expect(await again.group.committed([{ topic, partition: 0 }])).toMatchObject([{ offset: 4 }]),
      )
    })
  })

  if (under.capabilities.promptExpiry !== true) return
  describe('a silent producer', () => {
    it('loses its transaction and is fenced', async () => {
      const topic = await under.topic()
      const producer = await under.producer({ transactionalId: under.name('silent'), transactionTimeoutMs: 50 })
      producer.begin()
      await producer.send(topic, 0, valuesOf('undone'))
      await eventually(async () =>
        expect((await under.log.admin.endOffsets([{ topic, partition: 0 }]))[0].offset).toBe(1),
      )
      await refused(producer.commit(), 'FENCED')
      await producer.abort()
      expect(await under.read(topic)).toEqual([])
    })
  })
}
