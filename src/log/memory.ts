import { type Clock, systemClock } from '../time.ts'
import { Broker } from './local/broker.ts'
import { localLog } from './local/local-log.ts'
import type { LogStorage, StoredBatch, StoredOffset } from './local/storage.ts'
import type { Log } from './log.ts'

export interface MemoryLogOptions {
  /** For waits and time-outs. Default: the machine's. */
  readonly clock?: Clock
  /** How long a transaction whose commit is acknowledged stays undecided for readers, in ms, by transaction. Default 0. */
  readonly markersMs?: () => number
}

/** A log in memory. What only tests need comes on top of the port. */
export interface MemoryLog extends Log {
  /** Another connection to the same log, as a second process would have; it is connected and closed on its own. */
  peer(): MemoryLog
  /**
   * Has all members of a group, or those of one instance, lose their membership, as after a session timeout: `onLost`,
   * then a rejoin.
   */
  expire(group: string, instanceId?: string): void
}

/**
 * The whole log port in memory: for tests, simulations and the topology driver. Nothing is written anywhere, and what
 * is sent is there at once. `close` drops members and open transactions like the death of a process would; the records
 * stay for its peers.
 *
 * @example
 * ```ts
 * const log = memoryLog()
 * await log.connect()
 * await log.admin.create([{ topic: 'orders', partitions: 4 }])
 * ```
 */
export function memoryLog({ clock = systemClock, markersMs }: MemoryLogOptions = {}): MemoryLog {
  return connection(new Broker(memoryStorage(), { clock, write: 'now', markersMs }))
}

function connection(broker: Broker): MemoryLog {
  const options = { kind: 'memory', breathe: () => undefined, onConnect: () => broker.open(), onClose: () => {} }
  return {
    ...localLog(broker, options),
    peer: () => connection(broker),
    expire: (group, instanceId) => broker.coordinator(group).expire(instanceId),
  }
}

interface MemoryPartition {
  batches: StoredBatch[]
}

function memoryStorage(): LogStorage {
  const partitions: MemoryPartition[] = []
  const ids = new Map<string, number[]>()
  const committed = new Map<string, Map<string, StoredOffset>>()
  const epochs = new Map<string, number>()
  const place = (topic: string, partition: number) => `${topic}/${partition}`

  return {
    open() {},
    close() {},
    topics: () => [],
    atomically: (work) => work(),
    createTopic(name, count) {
      const made = Array.from({ length: count }, () => partitions.push({ batches: [] }) - 1)
      ids.set(name, made)
      return made
    },
    deleteTopic(name) {
      for (const id of ids.get(name) ?? []) partitions[id].batches = []
      for (const group of committed.values())
        for (const key of group.keys()) if (key.slice(0, key.lastIndexOf('/')) === name) group.delete(key)
    },
    append(partition, batch, lastOffset) {
      const bytes = Buffer.allocUnsafeSlow(batch.length)
      batch.copy(bytes)
      const { batches } = partitions[partition]
      const baseOffset = Number(bytes.readBigInt64BE())
      // A transaction may be committed after batches with higher offsets.
      batches.splice(firstAfter(batches, baseOffset), 0, { baseOffset, lastOffset, bytes })
    },
    setNext() {},
    setStart(partition, start) {
      const { batches } = partitions[partition]
      partitions[partition].batches = batches.slice(firstAfter(batches, start))
    },
    read(partition, offset, limit, maxBytes, atLeastOne) {
      const { batches } = partitions[partition]
      const found: StoredBatch[] = []
      let room = maxBytes
      for (let i = firstAfter(batches, offset); i < batches.length && batches[i].lastOffset < limit; i++) {
        const { baseOffset, lastOffset, bytes } = batches[i]
        room -= bytes.length
        if (room < 0 && !(atLeastOne && found.length === 0)) break
        found.push({ baseOffset, lastOffset, bytes: Buffer.from(bytes) })
      }
      return found
    },
    committed: (group, topic, partition) => committed.get(group)?.get(place(topic, partition)),
    setCommitted(group, topic, partition, offset) {
      if (!committed.has(group)) committed.set(group, new Map())
      committed.get(group)!.set(place(topic, partition), offset)
    },
    epoch: (transactionalId) => epochs.get(transactionalId) ?? -1,
    setEpoch: (transactionalId, epoch) => void epochs.set(transactionalId, epoch),
  }
}

/** The index of the first batch that ends at `offset` or later. */
function firstAfter(batches: readonly StoredBatch[], offset: number): number {
  let low = 0
  let high = batches.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (batches[middle].lastOffset < offset) low = middle + 1
    else high = middle
  }
  return low
}
