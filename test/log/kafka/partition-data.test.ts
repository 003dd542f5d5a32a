import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stampBatch } from '../../../src/log/batch/batch-writer.ts'
import { ATTRIBUTES, LAST_OFFSET_DELTA, LENGTH, MAGIC, RECORDS } from '../../../src/log/batch/layout.ts'
import { readPartition } from '../../../src/log/kafka/partition-data.ts'
import type { AbortedTransaction } from '../../../src/log/kafka/wire/fetch.ts'
import { batchOf } from '../../../src/testing/contracts/log/fixture.ts'
import { JAVA_BATCHES } from '../batch/java-batches.ts'
import { seal } from '../batch/seal.ts'

/** What a broker would send of a log that is built here step by step. */
class Broker {
  private readonly parts: Buffer[] = []
  readonly aborted: AbortedTransaction[] = []
  private readonly open = new Map<number, number>()
  next = 0
  readonly committed: string[] = []
  private readonly staged = new Map<number, string[]>()

  put(bytes: Buffer, records: number): this {
    bytes.writeBigInt64BE(BigInt(this.next))
    this.next += records
    this.parts.push(bytes)
    return this
  }

  data(producerId: number, transactional: boolean, ...values: string[]): this {
    const batch = batchOf(...values.map((value) => [null, value, 1] as const))
    stampBatch(batch, { producerId, epoch: 0, sequence: 0, transactional })
    if (!transactional) this.committed.push(...values.map((value, i) => `${this.next + i}:${value}`))
    else {
      if (!this.open.has(producerId)) this.open.set(producerId, this.next)
      const staged = this.staged.get(producerId) ?? []
      staged.push(...values.map((value, i) => `${this.next + i}:${value}`))
      this.staged.set(producerId, staged)
    }
    return this.put(batch, values.length)
  }

  /** The marker as Kafka writes it, for this producer. */
  end(producerId: number, commit: boolean): this {
    const marker = Buffer.from(JAVA_BATCHES[commit ? 'commit' : 'abort'], 'hex')
    marker.writeBigInt64BE(BigInt(producerId), 43)
    const first = this.open.get(producerId)
    if (first !== undefined && !commit) this.aborted.push({ producerId, firstOffset: first })
    if (commit) this.committed.push(...(this.staged.get(producerId) ?? []))
    this.open.delete(producerId)
    this.staged.delete(producerId)
    return this.put(seal(marker), 1)
  }

  hole(offsets: number): this {
    this.next += offsets
    return this
  }

  get records(): Buffer {
    return Buffer.concat(this.parts)
  }

  read(offset = 0, records = this.records, granted?: number) {
    const fetched = { topic: 't', partition: 0, error: 0, highWatermark: this.next, lastStableOffset: this.next }
    return readPartition(
      { topic: 't', partition: 0, offset },
      { ...fetched, aborted: this.aborted, records },
      'committed',
      granted,
    )
  }
}

const seen = ({ batches }: Pick<ReturnType<Broker['read']>, 'batches'>, from = 0) =>
  batches.flatMap((batch) =>
    Array.from({ length: batch.count }, (_, i) => i)
      .filter((i) => batch.offsets[i] >= from)
      .map((i) => `${batch.offsets[i]}:${batch.buffer.toString('utf8', batch.valueStart[i], batch.valueEnd[i])}`),
  )

describe('what a committed reader sees of a fetch', () => {
  it('leaves out aborted transactions that interleave, and one of the same producer that is committed later', () => {
    const log = new Broker()
      .data(1, true, 'a1')
      .data(2, true, 'b1')
      .data(3, true, 'c1')
      .data(1, true, 'a2')
      .end(1, false)
      .data(-1, false, 'plain')
      .data(1, true, 'a3')
      .end(2, false)
      .data(1, true, 'a4')
      .end(1, true)
      .end(3, true)
    const read = log.read()
    expect(seen(read)).toEqual(['2:c1', '5:plain', '6:a3', '8:a4'])
    expect(read.next).toBe(log.next)
  })

  it('is exactly what was committed, whatever transactions do and wherever the reader begins', () => {
    const step = fc.record({
      producer: fc.integer({ min: 1, max: 4 }),
      what: fc.constantFrom('data', 'data', 'data', 'abort', 'commit', 'plain', 'hole'),
      records: fc.integer({ min: 1, max: 3 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.nat(60), (steps, start) => {
        const log = new Broker()
        let value = 0
        for (const { producer, what, records } of steps) {
          const values = Array.from({ length: records }, () => `v${value++}`)
          if (what === 'data') log.data(producer, true, ...values)
          else if (what === 'plain') log.data(-1, false, ...values)
          else if (what === 'hole') log.hole(records)
          else log.end(producer, what === 'commit')
        }
        for (const producer of [1, 2, 3, 4]) log.end(producer, false)
        const from = start % (log.next + 1)
        const read = log.read(from)
        const expected = log.committed
          .map((text) => [Number(text.split(':')[0]), text] as const)
          .filter(([offset]) => offset >= from)
          .sort(([a], [b]) => a - b)
          .map(([, text]) => text)
        expect(seen(read, from)).toEqual(expected)
        expect(read.next).toBe(log.next)
      }),
    )
  })

  it('goes past an aborted transaction at the very position that was asked for', () => {
    const log = new Broker().data(1, true, 'x', 'y').end(1, false)
    for (const offset of [0, 1, 2]) expect(log.read(offset)).toMatchObject({ batches: [], next: 3, end: 3 })
  })

  it('goes past holes and batches that compaction has emptied', () => {
    const emptied = Buffer.from(JAVA_BATCHES.noneCreateTime, 'hex').subarray(0, RECORDS)
    emptied.writeInt32BE(RECORDS - 12, LENGTH)
    emptied.writeInt32BE(4, LAST_OFFSET_DELTA)
    emptied.writeInt32BE(0, RECORDS - 4)
    const log = new Broker().hole(7).data(-1, false, 'a').hole(3).put(seal(emptied), 5).data(-1, false, 'b')
    expect(seen(log.read())).toEqual(['7:a', '16:b'])
    expect(log.read(8).next).toBe(17)
  })

  it('does not mind that the last batch is cut off, anywhere', () => {
    const first = new Broker().data(-1, false, 'a').records.length
    const log = new Broker().data(-1, false, 'a').data(-1, false, 'b')
    for (let end = first; end < log.records.length; end++) {
      const read = log.read(0, log.records.subarray(0, end))
      expect(seen(read)).toEqual(['0:a'])
      expect(read).toMatchObject({ next: 1 })
      expect(read.corrupt).toBeUndefined()
    }
  })

  it('says how much room a batch needs that is cut off at the start', () => {
    const log = new Broker().data(-1, false, 'a'.repeat(500))
    expect(log.read(0, log.records.subarray(0, 100))).toMatchObject({
      batches: [],
      next: 0,
      cutOff: log.records.length,
    })
  })

  it('takes a batch for damaged that stays cut off when it has its room, or claims to be larger than any can be', () => {
    const log = new Broker().data(-1, false, 'a'.repeat(500), 'b')
    const part = log.records.subarray(0, 100)
    const damaged = { next: 0, corrupt: { error: { code: 'CORRUPT_BATCH' }, skipTo: 2 } }
    expect(log.read(0, part, log.records.length)).toMatchObject(damaged)
    const monstrous = Buffer.from(part)
    monstrous.writeInt32BE(2 ** 31 - 1, LENGTH)
    expect(log.read(0, monstrous)).toMatchObject(damaged)
    monstrous.writeInt32BE(-5, LENGTH)
    expect(log.read(0, monstrous)).toMatchObject({ next: 0, corrupt: { ...damaged.corrupt, skipTo: 1 } })
  })
})

describe('a batch that cannot be read', () => {
  const damage: Record<string, (batch: Buffer) => void> = {
    'has a bad CRC': (batch) => {
      batch[RECORDS + 3] ^= 1
    },
    'is of a compression that nobody knows': (batch) => {
      batch[ATTRIBUTES + 1] |= 7
      seal(batch)
    },
    'is of a format that nobody knows': (batch) => {
      batch[MAGIC] = 7
    },
    'is of the old format 1': (batch) => {
      batch[MAGIC] = 1
    },
    'has a record that ends outside of it': (batch) => {
      batch[RECORDS] = 126
      seal(batch)
    },
  }

  it.each(Object.entries(damage))('stops the reading there, says so, and is passed: it %s', (_, hurt) => {
    const log = new Broker().data(-1, false, 'a', 'b')
    const bad = batchOf([null, 'bad', 1], [null, 'worse', 2])
    hurt(bad)
    log.put(bad, 2).data(-1, false, 'c')
    const read = log.read()
    expect(seen(read)).toEqual(['0:a', '1:b'])
    expect(read).toMatchObject({ next: 2, corrupt: { error: { code: 'CORRUPT_BATCH' } } })
    expect(bad.equals(read.corrupt!.bytes)).toBe(true)
    // Without a format that is known the header says nothing: then by one, and the fetch finds the next batch.
    const skipTo = bad[MAGIC] === 2 ? 4 : 3
    expect(read.corrupt!.skipTo).toBe(skipTo)
  })
})
