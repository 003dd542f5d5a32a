import { MillraceError } from '../../errors.ts'
import type { CommittedOffset, GroupOptions, LogGroup, Stamp, TopicPartition } from '../log.ts'
import type { Broker } from './broker.ts'
import type { Member } from './coordinator.ts'

export class LocalGroup implements LogGroup {
  private readonly broker: Broker
  private readonly options: GroupOptions
  private member: Member | undefined

  constructor(broker: Broker, options: GroupOptions) {
    this.broker = broker
    this.options = options
  }

  async join(): Promise<void> {
    this.broker.check()
    if (this.member !== undefined)
      throw new MillraceError('INVALID_OPTION', `joined group "${this.options.group}" already`, {
        hint: 'leave() first, or make another LogGroup',
      })
    this.member = this.coordinator.join(this.options)
  }

  async leave(): Promise<void> {
    if (this.member !== undefined) this.coordinator.leave(this.member)
    this.member = undefined
  }

  reconsider(): void {
    if (this.member !== undefined) this.coordinator.reconsider()
  }

  async committed(partitions: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    const { broker, options } = this
    while (this.undecided(partitions)) await broker.change(60_000, undefined)
    broker.flush()
    const found: CommittedOffset[] = []
    for (const { topic, partition } of partitions) {
      broker.partition({ topic, partition })
      const stored = broker.storage.committed(options.group, topic, partition)
      if (stored === undefined) continue
      const { offset, metadata } = stored
      found.push({ topic, partition, offset, ...(metadata !== undefined && { metadata }) })
    }
    return found
  }

  async commit(offsets: readonly CommittedOffset[], stamp: Stamp): Promise<void> {
    const { broker, options } = this
    for (const offset of offsets) broker.partition(offset)
    this.coordinator.check(stamp)
    this.supersede(offsets)
    await new Promise<void>((done, failed) => {
      broker.submit({
        store(storage) {
          for (const { topic, partition, offset, metadata } of offsets)
            storage.setCommitted(options.group, topic, partition, { offset, metadata })
        },
        done,
        failed,
      })
    })
  }

  /** The last one counts, also while a transaction from before waits for its markers (Kafka: `GroupMetadata.completePendingTxnOffsetCommit`). */
  private supersede(offsets: readonly CommittedOffset[]): void {
    for (const { committing, offsets: staged } of this.broker.transactions) {
      if (!committing) continue
      for (const of of staged) {
        const isSame = offsets.some((p) => p.topic === of.offset.topic && p.partition === of.offset.partition)
        if (of.group === this.options.group && isSame) of.superseded = true
      }
    }
  }

  private get coordinator() {
    return this.broker.coordinator(this.options.group)
  }

  /** Whether an open transaction is about to commit one of these offsets. */
  private undecided(partitions: readonly TopicPartition[]): boolean {
    this.broker.check()
    for (const { offsets } of this.broker.transactions)
      for (const { group, offset } of offsets)
        if (
          group === this.options.group &&
          partitions.some((p) => p.topic === offset.topic && p.partition === offset.partition)
        )
          return true
    return false
  }
}
