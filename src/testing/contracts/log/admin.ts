import { describe, expect, it } from 'vitest'
import { batchOf, eventually, type LogUnderTest, ROOMY, refused, valuesOf } from './fixture.ts'

/** Topics, their bounds, and trimming. */
export function adminContract(under: LogUnderTest): void {
  describe('topics', () => {
    it('are known with their partitions once they are created, and no others', async () => {
      const [one, three] = [await under.topic(1), await under.topic(3)]
      const found = await under.log.admin.partitions([one, three, under.name('absent')])
      expect([...found].sort()).toEqual(
        [
          [one, 1],
          [three, 3],
        ].sort(),
      )
    })

    it('stay as they are when they are created again', async () => {
      const topic = await under.topic(2)
      const producer = await under.producer()
      await producer.send(topic, 1, valuesOf('kept'))
      await under.log.admin.create([{ topic, partitions: 5 }])
      expect((await under.log.admin.partitions([topic])).get(topic)).toBe(2)
      await under.sees(topic, ['kept'], { partition: 1 })
    })

    it('that cannot be are refused', async () => {
      await refused(under.log.admin.create([{ topic: 'not a name', partitions: 1 }]), 'INVALID_OPTION')
      await refused(under.log.admin.create([{ topic: under.name('none'), partitions: 0 }]), 'INVALID_OPTION')
    })

    it('are gone once they are deleted, and come back empty', async () => {
      const topic = await under.topic()
      const producer = await under.producer()
      await producer.send(topic, 0, valuesOf('old'))
      await under.log.admin.delete([topic])
      await eventually(async () => expect((await under.log.admin.partitions([topic])).size).toBe(0))
      await eventually(async () => {
        await under.log.admin.create([{ topic, partitions: 1 }])
        expect(await under.log.admin.endOffsets([{ topic, partition: 0 }])).toMatchObject([{ offset: 0 }])
      })
      expect(await under.read(topic)).toEqual([])
    })

    it('that do not exist are MISSING_TOPIC everywhere', async () => {
      const absent = { topic: under.name('absent'), partition: 0 }
      await refused(under.log.admin.startOffsets([absent]), 'MISSING_TOPIC')
      await refused(under.log.admin.endOffsets([absent]), 'MISSING_TOPIC')
      await refused(under.reader().fetch([{ ...absent, offset: 0 }], ROOMY), 'MISSING_TOPIC')
      const producer = await under.producer()
      await refused(producer.send(absent.topic, 0, valuesOf('x')), 'MISSING_TOPIC')
    })

    it('have no other partitions than theirs', async () => {
      const topic = await under.topic(2)
      await refused(under.log.admin.endOffsets([{ topic, partition: 2 }]), 'MISSING_TOPIC')
      const producer = await under.producer()
      await refused(producer.send(topic, 2, valuesOf('x')), 'MISSING_TOPIC')
    })
  })

  describe('offsets', () => {
    it('begin at 0 and end after the last record', async () => {
      const topic = await under.topic(2)
      const both = [
        { topic, partition: 0 },
        { topic, partition: 1 },
      ]
      expect(await under.log.admin.endOffsets(both)).toEqual(both.map((p) => ({ ...p, offset: 0 })))
      const producer = await under.producer()
      await producer.send(topic, 1, valuesOf('a', 'b'))
      await producer.send(topic, 1, batchOf(['k', 'c']))
      await eventually(async () =>
        expect(await under.log.admin.endOffsets(both)).toEqual([
          { topic, partition: 0, offset: 0 },
          { topic, partition: 1, offset: 3 },
        ]),
      )
      expect(await under.log.admin.startOffsets(both)).toEqual(both.map((p) => ({ ...p, offset: 0 })))
    })
  })

  describe('trim', () => {
    it('forgets what is before, keeps the rest, and never goes back', async () => {
      const topic = await under.topic()
      const producer = await under.producer()
      for (const value of ['a', 'b', 'c', 'd', 'e']) await producer.send(topic, 0, valuesOf(value))
      const at = (offset: number) => ({ topic, partition: 0, offset })
      await under.log.admin.trim([at(3)])
      await eventually(async () => expect(await under.log.admin.startOffsets([at(0)])).toEqual([at(3)]))
      await under.sees(topic, ['d', 'e'], { from: 3 })
      await refused(under.reader().fetch([at(2)], ROOMY), 'OFFSET_OUT_OF_RANGE')
      await under.log.admin.trim([at(1)])
      expect(await under.log.admin.startOffsets([at(0)])).toEqual([at(3)])
      expect(await under.log.admin.endOffsets([at(0)])).toEqual([at(5)])
    })

    it('in the middle of a batch keeps the records from there on', async () => {
      const topic = await under.topic()
      const producer = await under.producer()
      await producer.send(topic, 0, valuesOf('a', 'b', 'c', 'd'))
      await under.log.admin.trim([{ topic, partition: 0, offset: 2 }])
      await under.sees(topic, ['c', 'd'], { from: 2 })
    })

    it('of everything leaves the offsets where they are', async () => {
      const topic = await under.topic()
      const producer = await under.producer()
      await producer.send(topic, 0, valuesOf('a', 'b'))
      await under.log.admin.trim([{ topic, partition: 0, offset: 2 }])
      expect(await producer.send(topic, 0, valuesOf('c'))).toEqual({ offset: 2 })
      await under.sees(topic, ['c'], { from: 2 })
    })
  })
}
