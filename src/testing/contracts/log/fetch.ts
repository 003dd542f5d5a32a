import { describe, expect, it } from 'vitest'
import { batchOf, type LogUnderTest, ROOMY, refused, valuesOf } from './fixture.ts'

/** Reading: where an answer begins and ends, how large it is, how long it takes. */
export function fetchContract(under: LogUnderTest): void {
  const at = (topic: string, offset: number, partition = 0) => ({ topic, partition, offset })

  describe('a fetch', () => {
    it('answers for the positions that have something, and perhaps for others', async () => {
      const [a, b] = [await under.topic(2), await under.topic()]
      const producer = await under.producer()
      await producer.send(a, 1, valuesOf('x', 'y'))
      const positions = [at(b, 0), at(a, 0, 1), at(a, 0, 0)]
      const fetched = await under.reader().fetch(positions, { ...ROOMY, maxWaitMs: 5000 })
      const full = fetched.filter(({ batches }) => batches.length > 0)
      expect(full).toMatchObject([{ topic: a, partition: 1, next: 2, end: 2 }])
      expect(full[0].batches.length).toBe(1)
      const names = fetched.map(({ topic, partition }) => `${topic}/${partition}`)
      expect(new Set(names).size).toBe(names.length)
      for (const { topic, partition, next, end } of fetched)
        if (topic !== a || partition !== 1) expect({ next, end }).toEqual({ next: 0, end: 0 })
    })

    it('from the middle of a batch brings that batch', async () => {
      const topic = await under.topic()
      const producer = await under.producer()
      await producer.send(topic, 0, valuesOf('a', 'b', 'c', 'd'))
      await producer.send(topic, 0, valuesOf('e'))
      const [{ batches, next }] = await under.reader().fetch([at(topic, 2)], { ...ROOMY, maxWaitMs: 5000 })
      expect(batches[0].firstOffset).toBeLessThanOrEqual(2)
      expect(batches[0].lastOffset).toBe(3)
      expect(next).toBe(5)
      await under.sees(topic, ['c', 'd', 'e'], { from: 2 })
    })

    it('at the end gives nothing, and stays there', async () => {
      const topic = await under.topic()
      const producer = await under.producer()
      await producer.send(topic, 0, valuesOf('a'))
      for (const fetched of await under.reader().fetch([at(topic, 1)], { ...ROOMY, maxWaitMs: 20 }))
        expect(fetched).toEqual({ topic, partition: 0, batches: [], next: 1, end: 1 })
    })

    it('waits for what comes', async () => {
      const topic = await under.topic(2)
      const producer = await under.producer()
      const reader = under.reader()
      const fetching = reader.fetch([at(topic, 0, 0), at(topic, 0, 1)], { ...ROOMY, maxWaitMs: 15_000 })
      const started = performance.now()
      await producer.send(topic, 1, valuesOf('here'))
      const fetched = await fetching
      expect(fetched.find(({ partition }) => partition === 1)).toMatchObject({ next: 1 })
      expect(performance.now() - started).toBeLessThan(10_000)
    })

    it('is ended by its signal', async () => {
      const topic = await under.topic()
      const stop = new AbortController()
      const started = performance.now()
      const fetching = under.reader().fetch([at(topic, 0)], { ...ROOMY, maxWaitMs: 15_000, signal: stop.signal })
      stop.abort()
      for (const fetched of await fetching) expect(fetched).toMatchObject({ batches: [], next: 0 })
      await under.reader().fetch([at(topic, 0)], { ...ROOMY, maxWaitMs: 15_000, signal: stop.signal })
      expect(performance.now() - started).toBeLessThan(10_000)
    })

    it('is ended by the close of its reader', async () => {
      const topic = await under.topic()
      const reader = under.reader()
      const fetching = reader.fetch([at(topic, 0)], { ...ROOMY, maxWaitMs: 15_000 })
      const started = performance.now()
      await reader.close()
      await fetching.catch(() => undefined)
      expect(performance.now() - started).toBeLessThan(10_000)
      await refused(reader.fetch([at(topic, 0)], ROOMY), 'CLOSED')
    })

    it('keeps to its bounds, and comes to the end nevertheless', async () => {
      const topic = await under.topic()
      const producer = await under.producer()
      const value = 'v'.repeat(900)
      for (let i = 0; i < 20; i++) await producer.send(topic, 0, valuesOf(value))
      const reader = under.reader()
      for (const bounds of [
        { maxBytes: 3100, maxBytesPerPartition: 1e6 },
        { maxBytes: 1e6, maxBytesPerPartition: 3100 },
      ]) {
        let fetches = 0
        for (let offset = 0; offset < 20; fetches++) {
          const [{ batches, next, end }] = await reader.fetch([at(topic, offset)], { ...bounds, maxWaitMs: 5000 })
          expect(batches.length * 900).toBeLessThanOrEqual(3100)
          expect(end).toBe(20)
          offset = next
        }
        expect(fetches).toBeLessThanOrEqual(10)
      }
    })

    it('brings a batch that is larger than its bounds', async () => {
      const topic = await under.topic()
      const producer = await under.producer()
      await producer.send(topic, 0, valuesOf('x'.repeat(5000)))
      await producer.send(topic, 0, valuesOf('y'))
      const bounds = { maxBytes: 100, maxBytesPerPartition: 100, maxWaitMs: 5000 }
      const reader = under.reader()
      const [first] = await reader.fetch([at(topic, 0)], bounds)
      expect(first).toMatchObject({ next: 1, end: 2 })
      const [second] = await reader.fetch([at(topic, 1)], bounds)
      expect(second).toMatchObject({ next: 2, end: 2 })
    })

    it('lets no partition starve when there is room for one only', async () => {
      const topic = await under.topic(3)
      const producer = await under.producer()
      for (let partition = 0; partition < 3; partition++)
        for (let i = 0; i < 4; i++) await producer.send(topic, partition, valuesOf('x'.repeat(2000)))
      const reader = under.reader()
      const next = [0, 0, 0]
      for (let fetches = 0; next.some((offset) => offset === 0); fetches++) {
        expect(fetches).toBeLessThan(12)
        const positions = next.map((offset, partition) => at(topic, offset, partition))
        const bounds = { maxBytes: 100, maxBytesPerPartition: 100, maxWaitMs: 5000 }
        for (const fetched of await reader.fetch(positions, bounds)) next[fetched.partition] = fetched.next
      }
    })

    it('out of range says so, and where', async () => {
      const topic = await under.topic()
      const producer = await under.producer()
      await producer.send(topic, 0, valuesOf('a'))
      const fetching = under.reader().fetch([at(topic, 7)], ROOMY)
      await expect(fetching).rejects.toMatchObject({
        code: 'OFFSET_OUT_OF_RANGE',
        context: { topic, partition: 0, offset: 7 },
      })
    })

    it('gives bytes that belong to the reader', async () => {
      const topic = await under.topic()
      const producer = await under.producer()
      const sent = batchOf(['k', 'value'])
      await producer.send(topic, 0, sent)
      sent.fill(0)
      const [{ batches }] = await under.reader().fetch([at(topic, 0)], { ...ROOMY, maxWaitMs: 5000 })
      batches[0].buffer.fill(0, batches[0].valueStart[0], batches[0].valueEnd[0])
      await under.sees(topic, ['value'])
    })
  })
}
