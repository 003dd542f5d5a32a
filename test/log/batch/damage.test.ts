import { gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ErrorCode, MillraceError } from '../../../src/errors.ts'
import { ATTRIBUTES, LAST_OFFSET_DELTA, MAGIC, RECORDS } from '../../../src/log/batch/layout.ts'
import { plain, read, records, write } from './records.ts'
import { seal } from './seal.ts'

const refusal = (code: ErrorCode) => expect.objectContaining({ name: MillraceError.name, code })

/** Reads all there is to read; what it finds, or the error if it is one of ours. */
function attempt(batch: Buffer): unknown {
  try {
    const read_ = read(batch)
    return [plain(read_), Array.from(read_.offsets), read_.text.length]
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'CORRUPT_BATCH') return error.code
    throw error
  }
}

describe('a damaged record batch', () => {
  it('is refused, or unharmed, whichever bit is flipped', () => {
    fc.assert(
      fc.property(records, fc.nat(), fc.nat(7), (written, at, bit) => {
        const batch = write(written)
        const place = at % batch.length
        batch[place] ^= 1 << bit
        const found = attempt(batch)
        // Offset and leader epoch are the log's to fill in and outside the CRC.
        const outside = place < 8 || (place >= 12 && place < 16)
        if (outside && found !== 'CORRUPT_BATCH') expect(plain(read(batch))).toEqual(written)
        else expect(found).toBe('CORRUPT_BATCH')
      }),
      { numRuns: 500 },
    )
  })

  it('with a CRC that fits gives records or CORRUPT_BATCH, never another error', () => {
    fc.assert(
      fc.property(
        records,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        (written, hits) => {
          const batch = write(written)
          for (const [at, byte] of hits) batch[ATTRIBUTES + (at % (batch.length - ATTRIBUTES))] = byte
          attempt(seal(batch))
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('cut short anywhere is CORRUPT_BATCH', () => {
    fc.assert(
      fc.property(records, fc.nat(), (written, at) => {
        const batch = write(written)
        expect(() => read(batch, 0, at % batch.length)).toThrow(refusal('CORRUPT_BATCH'))
      }),
    )
  })

  it.each([0, 1, 3, 255])('of format %i is refused', (magic) => {
    const batch = write([{ timestamp: 1, key: null, value: null, headers: [] }])
    batch[MAGIC] = magic
    expect(() => read(batch)).toThrow(refusal('CORRUPT_BATCH'))
    expect(() => read(batch, 0, 30)).toThrow(refusal('CORRUPT_BATCH'))
  })

  it('says where it is', () => {
    const batch = write([{ timestamp: 1, key: null, value: null, headers: [] }])
    batch.writeBigInt64BE(4_294_967_296_123n)
    batch[RECORDS] ^= 1
    expect(() => read(batch)).toThrow(expect.objectContaining({ context: { offset: 4_294_967_296_123 } }))
  })

  it('whose offsets go beyond its last is refused', () => {
    const batch = write([
      { timestamp: 1, key: null, value: null, headers: [] },
      { timestamp: 1, key: null, value: null, headers: [] },
    ])
    batch.writeInt32BE(0, LAST_OFFSET_DELTA)
    expect(() => read(seal(batch))).toThrow(refusal('CORRUPT_BATCH'))
  })

  it.each([gzipSync, zstdCompressSync])('is refused when its compressed records are damaged (%o)', (compress) => {
    fc.assert(
      fc.property(records, fc.nat(), fc.nat(255), fc.integer({ min: 1, max: 4 }), (written, at, byte, codec) => {
        const batch = write(written)
        const packed = compress(batch.subarray(RECORDS))
        packed[at % packed.length] = byte
        const whole = Buffer.concat([batch.subarray(0, RECORDS), packed])
        whole.writeInt32BE(whole.length - 12, 8)
        whole[ATTRIBUTES + 1] = codec
        attempt(seal(whole))
      }),
      { numRuns: 300 },
    )
  })
})
