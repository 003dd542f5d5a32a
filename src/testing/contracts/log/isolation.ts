import { describe, expect, it } from 'vitest'
import { batchOf, eventually, type LogUnderTest, ROOMY, valuesOf } from './fixture.ts'

/** What readers see of transactions. */
export function isolationContract(under: LogUnderTest): void {
  const end = async (topic: string) => (await under.log.admin.endOffsets([{ topic, partition: 0 }]))[0].offset

  describe('a committed reader', () => {
    it('sees a transaction when it is committed, and not before', async () => {
      const topic = await under.topic()
      const producer = await under.transactional()
      producer.begin()
      const { offset } = await producer.send(topic, 0, valuesOf('a', 'b'))
      expect(offset).toBe(0)
      expect(await under.read(topic)).toEqual([])
      expect(await end(topic)).toBe(0)
      await producer.commit()
      await under.sees(topic, ['a', 'b'])
      expect(await end(topic)).toBeGreaterThanOrEqual(2)
    })

    it('is told where the log ends without regard to what is decided, if it asks', async () => {
      const topic = await under.topic()
      const producer = await under.transactional()
      producer.begin()
      await producer.send(topic, 0, valuesOf('a', 'b'))
      const [{ offset }] = await under.log.admin.endOffsets([{ topic, partition: 0 }], 'uncommitted')
      expect(offset).toBe(2)
      expect(await end(topic)).toBe(0)
      await producer.abort()
    })

    it('is woken by a commit', async () => {
      const topic = await under.topic()
      const producer = await under.transactional()
      producer.begin()
      await producer.send(topic, 0, valuesOf('a'))
      const fetching = under.reader().fetch([{ topic, partition: 0, offset: 0 }], { ...ROOMY, maxWaitMs: 10_000 })
      await producer.commit()
      const [{ batches }] = await fetching
      expect(batches.length).toBe(1)
    })

    it('never sees an aborted transaction, and gets past it', async () => {
      const topic = await under.topic()
      const producer = await under.transactional()
      producer.begin()
      await producer.send(topic, 0, valuesOf('undone'))
      await producer.send(topic, 0, valuesOf('undone too'))
      await producer.abort()
      await eventually(async () => expect(await end(topic)).toBeGreaterThanOrEqual(2))
      expect(await under.read(topic)).toEqual([])
      producer.begin()
      const { offset } = await producer.send(topic, 0, valuesOf('done'))
      expect(offset).toBeGreaterThanOrEqual(2)
      await producer.commit()
      await under.sees(topic, ['done'])
      await under.sees(topic, ['done'], { from: 1 })
      await under.sees(topic, ['done'], { from: offset })
    })

    it('leaves out an aborted transaction that begins with the key 00000000', async () => {
      const topic = await under.topic()
      const producer = await under.transactional()
      producer.begin()
      await producer.send(
        topic,
        0,
        batchOf([Buffer.alloc(4), 'undone 1'], [Buffer.alloc(4), 'undone 2'], ['k', 'undone 3']),
      )
      await producer.abort()
      producer.begin()
      await producer.send(topic, 0, batchOf([Buffer.alloc(4), 'done']))
      await producer.commit()
      await under.sees(topic, ['done'])
    })

    it('tells interleaved transactions apart, from any position', async () => {
      const topic = await under.topic()
      const [a, b, c] = [await under.transactional(), await under.transactional(), await under.transactional()]
      const plain = await under.producer()
      for (const producer of [a, b, c]) producer.begin()
      await a.send(topic, 0, valuesOf('a1'))
      await b.send(topic, 0, valuesOf('b1'))
      await plain.send(topic, 0, valuesOf('p1'))
      await c.send(topic, 0, valuesOf('c1'))
      await a.send(topic, 0, valuesOf('a2'))
      await a.abort()
      await c.send(topic, 0, valuesOf('c2'))
      a.begin()
      await a.send(topic, 0, valuesOf('a3'))
      await b.abort()
      await plain.send(topic, 0, valuesOf('p2'))
      await c.commit()
      await a.commit()
      await under.sees(topic, ['p1', 'c1', 'c2', 'a3', 'p2'])
      const all = await under.read(topic)
      const last = await end(topic)
      for (let from = 0; from <= last; from++)
        expect(await under.read(topic, { from }), `from ${from}`).toEqual(all.filter(({ offset }) => offset >= from))
    })

    it('does not pass an open transaction, so that nothing appears behind it', async () => {
      const topic = await under.topic()
      const transactional = await under.transactional()
      const plain = await under.producer()
      await plain.send(topic, 0, valuesOf('p1'))
      transactional.begin()
      await transactional.send(topic, 0, valuesOf('t1'))
      await plain.send(topic, 0, valuesOf('p2'))
      await under.sees(topic, ['p1'])
      expect(await end(topic)).toBe(1)
      await transactional.commit()
      await under.sees(topic, ['p1', 't1', 'p2'])
    })

    if (under.capabilities.uncommitted === false) return
    it('differs from an uncommitted one', async () => {
      const topic = await under.topic()
      const transactional = await under.transactional()
      const plain = await under.producer()
      await plain.send(topic, 0, valuesOf('p1'))
      transactional.begin()
      await transactional.send(topic, 0, valuesOf('t1'))
      await plain.send(topic, 0, valuesOf('p2'))
      await under.sees(topic, ['p1', 't1', 'p2'], { isolation: 'uncommitted' })
      expect(await under.read(topic)).toMatchObject([{ value: 'p1' }])
      await transactional.abort()
      await under.sees(topic, ['p1', 'p2'])
    })
  })
}
