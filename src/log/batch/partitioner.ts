/**
 * The 32-bit murmur2 of Kafka's Java client (org.apache.kafka.common.utils.Utils#murmur2), signed as in Java: records
 * with the same key bytes go to the same partition as with any other Kafka client's default.
 */
export function murmur2(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  const length = end - start
  const whole = start + (length & ~3)
  let h = 0x9747b28c ^ length
  let p = start
  for (; p < whole; p += 4) {
    let k = bytes[p] | (bytes[p + 1] << 8) | (bytes[p + 2] << 16) | (bytes[p + 3] << 24)
    k = Math.imul(k, 0x5bd1e995)
    k ^= k >>> 24
    h = Math.imul(h, 0x5bd1e995) ^ Math.imul(k, 0x5bd1e995)
  }
  if (p < end) {
    for (let shift = 0; p < end; p++, shift += 8) h ^= bytes[p] << shift
    h = Math.imul(h, 0x5bd1e995)
  }
  h ^= h >>> 13
  h = Math.imul(h, 0x5bd1e995)
  return h ^ (h >>> 15)
}

/** The partition of a key, given as its bytes, in a topic of that many partitions. */
export function partitionFor(bytes: Uint8Array, partitions: number, start = 0, end: number = bytes.length): number {
  return (murmur2(bytes, start, end) & 0x7fffffff) % partitions
}
