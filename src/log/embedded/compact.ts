import { readBatch } from '../batch/read-batch.ts'
import type { LogStorage, StoredPartition } from '../local/storage.ts'

/** Fewer batches than this are not worth the reading. */
const WORTH_IT = 256

/**
 * Drops the batches of compacted topics in which every key has a newer record further on; whole batches only, so that
 * offsets stay as they are. Done when the log is opened, before anybody reads.
 *
 * @param drop deletes one batch by its base offset
 */
export function compact(storage: LogStorage, drop: (partition: number, base: number) => void): void {
  for (const { config, partitions } of storage.topics()) {
    if (!config['cleanup.policy']?.includes('compact')) continue
    for (const partition of partitions) {
      const stale = superseded(storage, partition)
      if (stale.length === 0) continue
      storage.atomically(() => {
        for (const base of stale) drop(partition.id, base)
      })
    }
  }
}

function superseded(storage: LogStorage, { id, start, next }: StoredPartition): number[] {
  const batches = storage.read(id, start, next, Number.POSITIVE_INFINITY, true)
  if (batches.length < WORTH_IT) return []
  const newer = new Set<string>()
  const stale: number[] = []
  for (const { baseOffset, bytes } of batches.toReversed()) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const { buffer, count, keyStart, keyEnd } = readBatch(bytes, view, 0, bytes.length)
    let needed = false
    for (let i = 0; i < count; i++) {
      const key = keyStart[i] < 0 ? '' : buffer.latin1Slice(keyStart[i], keyEnd[i])
      if (newer.has(key)) continue
      newer.add(key)
      needed = true
    }
    if (!needed) stale.push(baseOffset)
  }
  return stale
}
