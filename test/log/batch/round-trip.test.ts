import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MillraceError } from '../../../src/errors.ts'
import { batchHeader } from '../../../src/log/batch/batch-header.ts'
import { BatchWriter, stampBatch } from '../../../src/log/batch/batch-writer.ts'
import { ByteWriter, byteSource } from '../../../src/serde/bytes.ts'
import { plain, read, records, write } from './records.ts'

describe('a record batch', () => {
  it('reads back what was written', () => {
    fc.assert(
      fc.property(records, (written) => {
        const batch = read(write(written))
        expect(plain(batch)).toEqual(written)
        expect(Array.from(batch.offsets)).toEqual(written.map((_, i) => i))
        expect(batch.maxTimestamp).toBe(Math.max(...written.map((r) => r.timestamp)))
      }),
    )
  })

  it('is found by its span inside other bytes', () => {
    fc.assert(
      fc.property(records, fc.nat(20), fc.nat(20), (written, before, after) => {
        const bytes = Buffer.concat([Buffer.alloc(before, 0xff), write(written), Buffer.alloc(after, 0xff)])
        expect(plain(read(bytes, before))).toEqual(written)
      }),
    )
  })

  it('has a text whose characters are the bytes', () => {
    fc.assert(
      fc.property(records, (written) => {
        const batch = read(write(written))
        for (let i = 0; i < batch.count; i++)
          expect(batch.text.substring(batch.valueStart[i] - batch.base, batch.valueEnd[i] - batch.base)).toBe(
            written[i].value === null ? '' : Buffer.from(written[i].value!, 'hex').toString('latin1'),
          )
      }),
    )
  })

  it('appended from writers equals the one appended from bytes', () => {
    fc.assert(
      fc.property(records, (written) => {
        const writer = new BatchWriter(61)
        const key = new ByteWriter(4)
        const value = new ByteWriter(4)
        for (const r of written) {
          if (r.key !== null) key.reset().raw(Buffer.from(r.key, 'hex'))
          if (r.value !== null) value.reset().raw(Buffer.from(r.value, 'hex'))
          const headers = r.headers.map(([n, v]) => [n, v === null ? null : Buffer.from(v, 'hex')] as const)
          writer.appendFrom(r.timestamp, r.key === null ? null : key, r.value === null ? null : value, headers)
        }
        expect(writer.finish().equals(write(written))).toBe(true)
      }),
    )
  })

  it('whose values are written in place or copied from a span equals the one appended from bytes', () => {
    fc.assert(
      fc.property(records, fc.array(fc.constantFrom('begin', 'span', 'forget'), { minLength: 1 }), (written, ways) => {
        const writer = new BatchWriter(61)
        const key = new ByteWriter(4)
        for (const [i, r] of written.entries()) {
          if (r.key !== null) key.reset().raw(Buffer.from(r.key, 'hex'))
          const keyBytes = r.key === null ? null : key
          const headers = r.headers.map(([n, v]) => [n, v === null ? null : Buffer.from(v, 'hex')] as const)
          const way = ways[i % ways.length]
          if (way === 'forget') writer.begin(r.timestamp, keyBytes).raw(Buffer.alloc(90, 'x'))
          if (r.value === null) writer.append(r.timestamp, keyBytes?.bytes() ?? null, null, headers)
          else if (way === 'span') {
            const around = Buffer.from(`ff${r.value}ffff`, 'hex')
            writer.appendSpan(r.timestamp, keyBytes, byteSource(around), 1, around.length - 2, headers)
          } else {
            writer.begin(r.timestamp, keyBytes).raw(Buffer.from(r.value, 'hex'))
            writer.end(headers)
          }
        }
        expect(writer.finish().equals(write(written))).toBe(true)
      }),
    )
  })

  it('keeps its records when it is stamped, and carries the stamp', () => {
    const stamp = fc.record({
      producerId: fc.maxSafeNat(),
      epoch: fc.nat(32767),
      sequence: fc.nat(2 ** 31 - 1),
      transactional: fc.boolean(),
      baseOffset: fc.nat(2 ** 30).map((n) => n * 2 ** 20),
    })
    fc.assert(
      fc.property(records, stamp, (written, stamp) => {
        const bytes = write(written)
        stampBatch(bytes, { ...stamp, transactional: !stamp.transactional })
        stampBatch(bytes, stamp)
        const batch = read(bytes)
        expect(plain(batch)).toEqual(written)
        expect([batch.firstOffset, batch.lastOffset]).toEqual([stamp.baseOffset, stamp.baseOffset + written.length - 1])
        expect(batchHeader(bytes, 0)).toMatchObject({
          producerId: stamp.producerId,
          producerEpoch: stamp.epoch,
          baseSequence: stamp.sequence,
          transactional: stamp.transactional,
          control: false,
          count: written.length,
          size: bytes.length,
        })
      }),
    )
  })
})

describe('a batch writer', () => {
  it('knows its size, count and times, and is empty after finish and reset', () => {
    const writer = new BatchWriter()
    const empty = writer.size
    writer.append(50, Buffer.from('k'), null)
    writer.append(20, null, Buffer.from('v'))
    writer.append(70, null, null)
    expect(writer).toMatchObject({ count: 3, firstTimestamp: 50, maxTimestamp: 70 })
    const { size } = writer
    expect(writer.finish().length).toBe(size)
    expect(writer).toMatchObject({ count: 0, size: empty })
    writer.append(1, null, null)
    expect(writer.reset()).toMatchObject({ count: 0, size: empty })
  })

  it('hands over a copy', () => {
    const writer = new BatchWriter()
    writer.append(1, Buffer.from('one'), null)
    const first = writer.finish()
    const before = Buffer.from(first)
    writer.append(2, Buffer.from('two'), null)
    writer.finish()
    expect(first.equals(before)).toBe(true)
  })

  it.each([Number.NaN, 1.5, Number.POSITIVE_INFINITY, 2 ** 60])('refuses the timestamp %s', (timestamp) => {
    const writer = new BatchWriter()
    expect(() => writer.append(timestamp, null, null)).toThrow(
      expect.objectContaining({ name: MillraceError.name, code: 'UNENCODABLE_RECORD' }),
    )
    expect(writer.count).toBe(0)
  })
})
