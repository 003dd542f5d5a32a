import type { TopicPartition } from '../log.ts'

/** A batch on its way into a partition. */
export interface Entry {
  readonly batch: Buffer
  readonly records: number
  /** When to give up, ms since the epoch. */
  readonly deadline: number
  /** Number of its first record within producer, epoch and partition; -1 while it has none, or none any more. */
  sequence: number
  isFlying: boolean
  resolve(written: { offset: number }): void
  reject(error: Error): void
}

/**
 * The batches of one partition that are not acknowledged, in order. Sequence numbers let the broker drop what it has
 * already and refuse what comes out of order (KIP-98), which leaves two rules: a batch that is sent again keeps its
 * number, and after a failure nothing is sent until nothing is under way any more; then again from the first on.
 */
export interface PartitionQueue extends TopicPartition {
  /** How many are under way. */
  readonly flying: number
  readonly length: number
  /** The oldest batch. */
  readonly head: Entry | undefined
  add(entry: Entry): void
  /** The next batch to send; undefined when there is none, or the queue waits. */
  peek(): Entry | undefined
  /** Takes the batch that `peek` showed: it has its number now and counts as under way. */
  depart(): Entry
  /** It is in the log. */
  landed(entry: Entry): void
  /** It did not arrive, or perhaps it did: to be sent again. */
  missed(entry: Entry): void
  /** It is not in the log and never will be: those behind it move up. */
  refused(entry: Entry): void
  /** True when a failure of a batch before it explains that it is out of order. */
  isBehindFailure(entry: Entry): boolean
  has(entry: Entry): boolean
  /** Takes out all that is not under way. */
  withdraw(): Entry[]
  /** Takes out everything. */
  clear(): Entry[]
  /** A new producer identity: numbers start again from 0. Only while nothing is under way. */
  restart(): void
}

/** Sequence numbers have 31 bits and wrap to 0. */
const SEQUENCES = 2 ** 31

export function partitionQueue({ topic, partition }: TopicPartition): PartitionQueue {
  let entries: Entry[] = []
  let flying = 0
  let waits = false
  let nextSequence = 0

  function down(entry: Entry): void {
    entry.isFlying = false
    flying--
    if (flying === 0) waits = false
  }

  return {
    topic,
    partition,
    get flying() {
      return flying
    },
    get length() {
      return entries.length
    },
    get head() {
      return entries[0]
    },
    add: (entry) => entries.push(entry),
    // While the queue does not wait, what is under way is a prefix of it.
    peek: () => (waits ? undefined : entries[flying]),
    depart() {
      const entry = entries[flying++]
      entry.isFlying = true
      if (entry.sequence === -1) {
        entry.sequence = nextSequence
        nextSequence = (nextSequence + entry.records) % SEQUENCES
      }
      return entry
    },
    landed(entry) {
      entries.splice(entries.indexOf(entry), 1)
      down(entry)
    },
    missed(entry) {
      waits = true
      down(entry)
    },
    refused(entry) {
      const place = entries.indexOf(entry)
      for (const later of entries.slice(place + 1)) later.sequence = -1
      nextSequence = entry.sequence
      entries.splice(place, 1)
      waits = true
      down(entry)
    },
    isBehindFailure: (entry) => waits || entries[0] !== entry,
    has: (entry) => entries.includes(entry),
    withdraw() {
      const rest = entries.filter(({ isFlying }) => !isFlying)
      entries = entries.filter(({ isFlying }) => isFlying)
      return rest
    },
    clear() {
      waits = false
      flying = 0
      return entries.splice(0)
    },
    restart() {
      waits = false
      nextSequence = 0
      for (const entry of entries) entry.sequence = -1
    },
  }
}
