import { describe, expect, it } from 'vitest'
import type { Header } from '../../../record.ts'
import { batchOf, eventually, type LogUnderTest, ROOMY, refused, valuesOf } from './fixture.ts'

/** Writing outside transactions, and that records come back as they were. */
export function produceContract(under: LogUnderTest): void {
  describe('a producer', () => {
    it('learns the offset of each batch', async () => {
      const topic = await under.topic()
      const producer = await under.producer()
      expect(await producer.send(topic, 0, valuesOf('a', 'b', 'c'))).toEqual({ offset: 0 })
      expect(await producer.send(topic, 0, valuesOf('d'))).toEqual({ offset: 3 })
      await under.sees(topic, ['a', 'b', 'c', 'd'])
    })

    it('keeps the order of its calls with many under way', async () => {
      const topic = await under.topic(2)
      const producer = await under.producer()
      const numbers = Array.from({ length: 300 }, (_, i) => String(i))
      const acks = await Promise.all(numbers.map((n, i) => producer.send(topic, i % 2, valuesOf(n))))
      expect(acks.map(({ offset }) => offset)).toEqual(numbers.map((_, i) => Math.floor(i / 2)))
      for (const partition of [0, 1])
        await under.sees(
          topic,
          numbers.filter((_, i) => i % 2 === partition),
          { partition },
        )
    })

    it('looks at the bytes of a batch no more when it is acknowledged', async () => {
      const topic = await under.topic()
      const transactional = await under.producer({ transactionalId: under.name('reused') })
      transactional.begin()
      for (const [producer, value] of [
        [transactional, 'a'],
        [await under.producer(), 'b'],
      ] as const) {
        const batch = valuesOf(value)
        await producer.send(topic, 0, batch)
        batch.fill(0xff)
      }
      await transactional.commit()
      await under.sees(topic, ['a', 'b'])
    })

    it('shares a partition with others', async () => {
      const topic = await under.topic()
      const producers = [await under.producer(), await under.producer()]
      const acks = await Promise.all(
        Array.from({ length: 100 }, (_, i) => producers[i % 2].send(topic, 0, valuesOf(`${i % 2}:${i}`))),
      )
      expect(acks.map(({ offset }) => offset).sort((a, b) => a - b)).toEqual(acks.map((_, i) => i))
      const values = await eventually(async () => {
        const seen = (await under.read(topic)).map(({ value }) => value!)
        expect(seen.length).toBe(100)
        return seen
      })
      for (const which of ['0', '1']) {
        const own = values.filter((value) => value.startsWith(which)).map((value) => Number(value.slice(2)))
        expect(own).toEqual([...own].sort((a, b) => a - b))
      }
    })

    it('is told when a batch is too large for its topic', async () => {
      const topic = await under.topic(1, { 'max.message.bytes': '2000' })
      const producer = await under.producer()
      await refused(producer.send(topic, 0, valuesOf('x'.repeat(3000))), 'RECORD_TOO_LARGE')
      await producer.send(topic, 0, valuesOf('fits'))
      await under.sees(topic, ['fits'])
    })

    it('can ask how large a batch of each topic may be, and one of that size fits', async () => {
      const [small, other] = [await under.topic(1, { 'max.message.bytes': '2000' }), await under.topic()]
      const most = await under.log.admin.largestBatches([small, other, under.name('absent')])
      expect([...most.keys()].sort()).toEqual([small, other].sort())
      expect(most.get(small)).toBe(2_000)
      expect(most.get(other)).toBeGreaterThan(900_000)
      const producer = await under.producer()
      const frame = valuesOf('x'.repeat(1_000)).length - 1_000
      await producer.send(small, 0, valuesOf('x'.repeat(2_000 - frame)))
      await refused(producer.send(small, 0, valuesOf('x'.repeat(2_001 - frame))), 'RECORD_TOO_LARGE')
    })

    it('without a transactional id cannot begin', async () => {
      const producer = await under.producer()
      expect(() => producer.begin()).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
    })
  })

  describe('records', () => {
    it('come back with null and empty keys and values, headers and any times', async () => {
      // Brokers refuse times of more than an hour ahead unless they are told to take them (KIP-937).
      const topic = await under.topic(1, { 'message.timestamp.after.max.ms': '9223372036854775807' })
      const producer = await under.producer()
      const headers: Header[] = [
        ['h', Buffer.from('1')],
        ['h', null],
        ['ü', Buffer.alloc(0)],
      ]
      const times = [1_700_000_000_000, 1_600_000_000_000, 0, 4_102_444_800_000, 1_700_000_000_001]
      await producer.send(
        topic,
        0,
        batchOf(
          ['key', null, times[0]],
          [null, 'value', times[1], headers],
          ['', '', times[2]],
          [null, null, times[3]],
          [Buffer.from([0, 255, 128]), 'käse', times[4]],
        ),
      )
      const [{ batches }] = await under
        .reader()
        .fetch([{ topic, partition: 0, offset: 0 }], { ...ROOMY, maxWaitMs: 5000 })
      const [batch] = batches
      expect(Array.from(batch.timestamps.subarray(0, batch.count))).toEqual(times)
      expect(batch.maxTimestamp).toBe(times[3])
      const spans = (starts: Int32Array, ends: Int32Array) =>
        times.map((_, i) => (starts[i] < 0 ? null : batch.buffer.toString('hex', starts[i], ends[i])))
      const hex = (text: string) => Buffer.from(text).toString('hex')
      expect(spans(batch.keyStart, batch.keyEnd)).toEqual([hex('key'), null, '', null, '00ff80'])
      expect(spans(batch.valueStart, batch.valueEnd)).toEqual([null, hex('value'), '', null, hex('käse')])
      const back = times.map((_, i) => batch.headers(i).map(([name, value]) => [name, value?.toString()]))
      expect(back).toEqual([
        [],
        [
          ['h', '1'],
          ['h', undefined],
          ['ü', ''],
        ],
        [],
        [],
        [],
      ])
    })

    it('may be large', async () => {
      const size = under.capabilities.largeValue ?? 900_000
      const topic = await under.topic()
      const producer = await under.producer()
      const value = 'large '.repeat(Math.ceil(size / 6)).slice(0, size)
      await producer.send(topic, 0, valuesOf('before', value))
      await producer.send(topic, 0, valuesOf('after'))
      await under.sees(topic, ['before', value, 'after'])
    })
  })
}
