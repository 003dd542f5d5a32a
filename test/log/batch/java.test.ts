import { inflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { batchEnd, batchHeader } from '../../../src/log/batch/batch-header.ts'
import { COUNT, RECORDS } from '../../../src/log/batch/layout.ts'
import { JAVA_BATCHES, JAVA_BLOCKS } from './java-batches.ts'
import { plain, read } from './records.ts'
import { seal } from './seal.ts'

const hex = (text: string) => Buffer.from(text).toString('hex')
const bytes = (name: string) => Buffer.from(JAVA_BATCHES[name], 'hex')
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

describe('batches written by the Java client', () => {
  it.each(CODECS)('are read, %s', (codec) => {
    const batch = read(bytes(`${codec}CreateTime`))
    expect(plain(batch)).toEqual([
      {
        timestamp: 1_700_000_000_000,
        key: hex('k1'),
        value: hex('hello hello hello hello hello hello'),
        headers: [
          ['h', '0102'],
          ['n', null],
        ],
      },
      { timestamp: 1_699_999_999_000, key: null, value: hex('x'.repeat(300)), headers: [] },
      { timestamp: 253_402_300_799_999, key: hex('k2'), value: null, headers: [] },
      { timestamp: 0, key: hex('é'), value: hex('αβγ'), headers: [] },
    ])
    expect(Array.from(batch.offsets)).toEqual([1000, 1001, 1002, 1003])
    expect(batch).toMatchObject({ firstOffset: 1000, lastOffset: 1003, maxTimestamp: 253_402_300_799_999 })
  })

  it.each(CODECS)('carry the time of their append where the topic asks for it, %s', (codec) => {
    const batch = read(bytes(`${codec}AppendTime`))
    expect(Array.from(batch.timestamps)).toEqual([1_700_000_005_000, 1_700_000_005_000, 1_700_000_005_000])
  })

  it('are read in snappy without framing, as librdkafka writes it', () => {
    const framed = bytes('snappyCreateTime')
    const bare = Buffer.concat([framed.subarray(0, RECORDS), framed.subarray(RECORDS + 20)])
    bare.writeInt32BE(bare.length - 12, 8)
    expect(plain(read(seal(bare)))).toEqual(plain(read(framed)))
  })

  it.each(['snappy', 'lz4'])('are read when they are several compressed blocks, %s', (codec) => {
    const batch = read(inflateRawSync(Buffer.from(JAVA_BLOCKS[codec], 'base64')))
    const value = batch.buffer.toString('latin1', batch.valueStart[0], batch.valueEnd[0])
    expect(value).toBe('abcdefg'.repeat(21_429).slice(0, 150_000))
  })

  it.each(['magic0', 'magic1'])('of the old formats are refused: %s', (name) => {
    expect(() => read(bytes(name))).toThrow(expect.objectContaining({ code: 'CORRUPT_BATCH', context: { offset: 0 } }))
  })

  it.each(['gzip', 'snappy', 'lz4', 'zstd'])('are refused by name when they are not %s', (codec) => {
    const batch = bytes(`${codec}CreateTime`)
    batch.fill(0xee, RECORDS, RECORDS + 30)
    expect(() => read(seal(batch))).toThrow(codec)
  })

  it('may be emptied by compaction', () => {
    const batch = bytes('noneCreateTime').subarray(0, RECORDS)
    batch.writeInt32BE(RECORDS - 12, 8)
    batch.writeInt32BE(0, COUNT)
    expect(read(seal(batch))).toMatchObject({ count: 0, firstOffset: 1000, lastOffset: 1003 })
  })

  it('may mark the end of a transaction', () => {
    expect(batchHeader(bytes('abort'), 0)).toMatchObject({
      control: true,
      transactional: true,
      baseOffset: 77,
      lastOffset: 77,
      producerId: 42,
      producerEpoch: 5,
    })
    expect(plain(read(bytes('abort')))[0].key).toBe('00000000')
    expect(plain(read(bytes('commit')))[0].key).toBe('00000001')
  })
})

describe('the end of a batch', () => {
  it('is known only when all of it is there', () => {
    const batch = bytes('noneCreateTime')
    for (let end = 0; end < batch.length; end++) expect(batchEnd(batch, 0, end)).toBe(-1)
    expect(batchEnd(batch, 0, batch.length)).toBe(batch.length)
    expect(batchEnd(Buffer.concat([batch, batch]), batch.length, 2 * batch.length)).toBe(2 * batch.length)
  })
})
