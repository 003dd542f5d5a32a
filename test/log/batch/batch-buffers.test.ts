import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BatchBuffers } from '../../../src/log/batch/batch-buffers.ts'
import { BatchWriter, sealBatch } from '../../../src/log/batch/batch-writer.ts'

const MIB = 1 << 20

describe('buffers of batches', () => {
  it('are used again', () => {
    const buffers = new BatchBuffers()
    const first = buffers.take(5_000)
    expect(first.length).toBe(8_192)
    buffers.give(first)
    expect(buffers.take(4_097)).toBe(first)
    expect(buffers.take(4_097)).not.toBe(first)
  })

  it('are not given for more bytes than they have', () => {
    const buffers = new BatchBuffers()
    fc.assert(
      fc.property(fc.array(fc.nat(3 * MIB), { maxLength: 20 }), (sizes) => {
        const taken = sizes.map((size) => buffers.take(size))
        expect(taken.every(({ length }, i) => length >= sizes[i])).toBe(true)
        expect(new Set(taken.map(({ buffer }) => buffer)).size).toBe(taken.length)
        for (const buffer of taken) buffers.give(buffer)
      }),
      { numRuns: 30 },
    )
  })

  it('are kept as long as there are not too many', () => {
    const buffers = new BatchBuffers()
    const given = new Set(Array.from({ length: 12 }, () => buffers.take(MIB)))
    for (const buffer of given) buffers.give(buffer)
    const again = Array.from({ length: 12 }, () => buffers.take(MIB))
    expect(again.filter((buffer) => given.has(buffer))).toHaveLength(8)
  })

  it('hold the very batches that a writer of its own would copy out', () => {
    const record = fc.record({ at: fc.nat(1_000), key: fc.uint8Array(), value: fc.uint8Array({ maxLength: 9_000 }) })
    fc.assert(
      fc.property(fc.array(fc.array(record, { minLength: 1, maxLength: 8 }), { maxLength: 8 }), (batches) => {
        const buffers = new BatchBuffers()
        const [detaching, copying] = [new BatchWriter(100, buffers), new BatchWriter()]
        for (const records of batches) {
          for (const { at, key, value } of records) {
            for (const writer of [detaching, copying]) writer.append(at, key, value)
          }
          const { batch, buffer } = detaching.detach()
          expect(sealBatch(batch).equals(copying.finish())).toBe(true)
          expect(detaching.count).toBe(0)
          buffers.give(buffer)
        }
      }),
    )
  })
})
