import { describe, expect, it } from 'vitest'
import { murmur2, partitionFor } from '../../../src/log/batch/partitioner.ts'

/** Hashes and partitions as Kafka's Java client computes them (Utils#murmur2, BuiltInPartitioner#partitionForKey). */
const CASES: readonly { hex: string; hash: number; of: Readonly<Record<number, number>> }[] = [
  { hex: '', hash: 275646681, of: { 1: 0, 3: 0, 7: 2, 12: 9, 100: 81 } },
  { hex: '61', hash: -1563381124, of: { 1: 0, 3: 1, 7: 5, 12: 4, 100: 24 } },
  { hex: '6162', hash: 316155434, of: { 1: 0, 3: 2, 7: 0, 12: 2, 100: 34 } },
  { hex: '6162636465', hash: 461995741, of: { 1: 0, 3: 1, 7: 4, 12: 1, 100: 41 } },
  { hex: 'f09f9982', hash: 925250799, of: { 1: 0, 3: 0, 7: 4, 12: 3, 100: 99 } },
  { hex: '676778237e63494872416a67732034c883785d5c2e43', hash: 1160862314, of: { 3: 2, 7: 3, 12: 2, 100: 14 } },
  { hex: '49', hash: 303803660, of: { 3: 2, 7: 6, 12: 8, 100: 60 } },
  { hex: '73664448c69049715f6b426a49555e', hash: -627167859, of: { 3: 2, 7: 6, 12: 5, 100: 89 } },
  { hex: '1d0c6b7a17992962', hash: -234713177, of: { 12: 3 } },
  {
    hex: '6bc96fca7629a9f116580c908f1df3aaba313c4f446ca3691385dbe04b8c772a0e4a0b2b9cf4bd272869bcb48263f02a809348e5f9660dce79',
    hash: -1064100282,
    of: { 12: 2 },
  },
  { hex: '1370d73637d6ef07df3b5f3680d8b1406cf950984e9c9e083c7aaca4a650a5d5e3', hash: -1318905118, of: { 12: 10 } },
]

describe('the partitioner', () => {
  it.each(CASES)('agrees with the Java client on $hex', ({ hex, hash, of }) => {
    const bytes = Buffer.from(hex, 'hex')
    expect(murmur2(bytes)).toBe(hash)
    for (const [partitions, partition] of Object.entries(of))
      expect(partitionFor(bytes, Number(partitions)), `of ${partitions}`).toBe(partition)
  })

  it('hashes a span of a larger buffer like the bytes alone', () => {
    for (const { hex, hash } of CASES) {
      const bytes = Buffer.from(`ffee${hex}dd`, 'hex')
      expect(murmur2(bytes, 2, bytes.length - 1)).toBe(hash)
      expect(partitionFor(bytes, 12, 2, bytes.length - 1)).toBe((hash & 0x7fffffff) % 12)
    }
  })
})
