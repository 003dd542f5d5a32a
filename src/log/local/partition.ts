import type { Position } from '../log.ts'
import type { StoredPartition } from './storage.ts'
import type { Transaction } from './transaction.ts'

/**
 * The offsets of one partition. They are handed out when a batch is sent, so that its sender knows them; readers see
 * the records below `end` only, which stays behind open transactions and what is not durable yet. So what a reader has
 * passed never changes, and the records of an aborted transaction leave a hole.
 */
export class Partition {
  readonly topic: string
  readonly index: number
  readonly id: number
  start: number
  /** The offset that the next record gets. */
  next: number
  /** Its topic is gone. */
  deleted = false
  /** First offset of each open transaction that has written here. */
  readonly open = new Map<Transaction, number>()
  /** `next` as it is stored. */
  private durable: number
  /** Lowest offset that was handed out to a batch which is still waiting to be written. */
  private unwritten = Number.POSITIVE_INFINITY

  constructor(topic: string, index: number, { id, start, next }: StoredPartition) {
    this.topic = topic
    this.index = index
    this.id = id
    this.start = start
    this.next = this.durable = next
  }

  /** The last stable offset: everything below is decided and durable. */
  get end(): number {
    let end = Math.min(this.durable, this.unwritten)
    for (const first of this.open.values()) if (first < end) end = first
    return end
  }

  /** Hands out offsets for `count` records that are written soon. */
  reserve(count: number): number {
    const first = this.next
    if (first < this.unwritten) this.unwritten = first
    this.next += count
    return first
  }

  /** Hands out offsets for `count` records of a transaction. */
  reserveFor(transaction: Transaction, count: number): number {
    const first = this.next
    if (!this.open.has(transaction)) this.open.set(transaction, first)
    this.next += count
    return first
  }

  /** Everything that waited has been written, or given up. */
  written(next: number): void {
    this.durable = next
    this.settled()
  }

  settled(): void {
    this.unwritten = Number.POSITIVE_INFINITY
  }

  at(offset: number): Position {
    return { topic: this.topic, partition: this.index, offset }
  }
}
