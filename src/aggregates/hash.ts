import type { Primitive } from './field.ts'

// A seed per type: 1 and '1' are different values. Part of the changelog's format, as all of this file.
const STRING = 0x9747b28c
const NUMBER = 0x3c6ef372
const BIGINT = 0x1f83d9ab
const BOOLEAN = 0x5be0cd19

const words = new DataView(new ArrayBuffer(8))

/** A hash of 53 bits, the same on every machine: two rounds of MurmurHash3 (x86, 32 bits) with different seeds. */
export function hash53(value: Primitive): number {
  switch (typeof value) {
    case 'string':
      return joined(hashText(value, STRING), hashText(value, ~STRING))
    case 'bigint':
      return joined(hashText(value.toString(), BIGINT), hashText(value.toString(), ~BIGINT))
    case 'boolean':
      return joined(finish(BOOLEAN ^ Number(value)), finish(~BOOLEAN ^ Number(value)))
    default: {
      // -0 is 0, as it is to a Set; and there is one NaN.
      words.setFloat64(0, Number.isNaN(value) ? Number.NaN : value + 0)
      const high = words.getInt32(0)
      const low = words.getInt32(4)
      return joined(hashPair(high, low, NUMBER), hashPair(high, low, ~NUMBER))
    }
  }
}

function joined(high: number, low: number): number {
  return (high >>> 0) * 2 ** 21 + (low >>> 11)
}

function hashText(text: string, seed: number): number {
  let hash = seed | 0
  const length = text.length
  let i = 0
  for (; i + 1 < length; i += 2) hash = mix(hash, text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16))
  if (i < length) hash = mix(hash, text.charCodeAt(i))
  return finish(hash ^ length)
}

function hashPair(high: number, low: number, seed: number): number {
  return finish(mix(mix(seed | 0, high), low) ^ 8)
}

function mix(hash: number, block: number): number {
  let k = Math.imul(block, 0xcc9e2d51)
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593)
  const h = hash ^ k
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0
}

function finish(hash: number): number {
  let h = hash
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
