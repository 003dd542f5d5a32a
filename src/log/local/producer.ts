import { MillraceError } from '../../errors.ts'
import { WAIT_ENDED } from '../../time.ts'
import { sealBatch } from '../batch/batch-writer.ts'
import type { CommittedOffset, LogProducer, ProducerOptions, Stamp } from '../log.ts'
import type { Broker } from './broker.ts'
import type { LogStorage } from './storage.ts'
import { Transaction } from './transaction.ts'
import { checkWritable } from './writable.ts'

const TRANSACTION_TIMEOUT = 30_000

/** Writes to a {@link Broker}. A transaction is held back in memory until its commit, which is one atomic write. */
export class LocalProducer implements LogProducer {
  private readonly broker: Broker
  private readonly transactionalId: string | undefined
  private readonly timeout: number
  private ready = false
  private transaction: Transaction | undefined
  /** Why nothing more can be done with it. */
  private ended: MillraceError | undefined

  private readonly onClose: () => void

  constructor(broker: Broker, { transactionalId, transactionTimeoutMs }: ProducerOptions, onClose: () => void) {
    this.broker = broker
    this.transactionalId = transactionalId
    this.timeout = transactionTimeoutMs ?? TRANSACTION_TIMEOUT
    this.onClose = onClose
  }

  async init(): Promise<void> {
    this.check(false)
    const { broker, transactionalId } = this
    if (transactionalId !== undefined) {
      // What an older producer has asked for before this moment still counts.
      broker.flush()
      await broker.marking.get(transactionalId)
      const older = broker.producers.get(transactionalId)
      if (older === this) await this.abort()
      else older?.fence(`another producer has taken the transactional id "${transactionalId}"`)
      const { storage } = broker
      storage.atomically(() => storage.setEpoch(transactionalId, storage.epoch(transactionalId) + 1))
      broker.producers.set(transactionalId, this)
    }
    this.ready = true
  }

  begin(): void {
    this.check()
    if (this.transactionalId === undefined)
      throw misuse('a producer without a transactional id has no transactions', 'give it a transactionalId')
    if (this.transaction !== undefined) throw misuse('a transaction is open already', 'commit or abort it first')
    const transaction = new Transaction(this.broker.clock.now())
    this.transaction = transaction
    this.broker.transactions.add(transaction)
    void this.watch(transaction)
  }

  async send(topic: string, partition: number, batch: Buffer): Promise<{ readonly offset: number }> {
    this.check()
    const { broker } = this
    const target = broker.partition({ topic, partition })
    const count = checkWritable(batch, target, broker.topics.get(topic)?.config)
    if (this.transactionalId === undefined)
      return new Promise((resolve, reject) => {
        const offset = target.reserve(count)
        sealBatch(batch).writeBigInt64BE(BigInt(offset))
        const store = (storage: LogStorage) => storage.append(target.id, batch, offset + count - 1)
        broker.submit({ store, done: () => resolve({ offset }), failed: reject }, [target])
      })
    const transaction = this.current()
    const offset = target.reserveFor(transaction, count)
    const bytes = Buffer.allocUnsafeSlow(batch.length)
    batch.copy(bytes)
    sealBatch(bytes).writeBigInt64BE(BigInt(offset))
    transaction.batches.push({ partition: target, bytes, lastOffset: offset + count - 1 })
    return { offset }
  }

  async sendOffsets(offsets: readonly CommittedOffset[], stamp: Stamp): Promise<void> {
    this.check()
    const { offsets: staged } = this.current()
    this.broker.coordinator(stamp.group).check(stamp)
    for (const offset of offsets) this.broker.partition(offset)
    for (const offset of offsets) staged.push({ group: stamp.group, offset })
  }

  async commit(): Promise<void> {
    this.check()
    const transaction = this.current()
    transaction.committing = true
    const { broker, transactionalId } = this
    const before = broker.marking.get(transactionalId!)
    const ms = broker.markersMs()
    if (ms === 0 && before === undefined) return this.write(transaction)
    // Acknowledged; only its markers are missing.
    this.transaction = undefined
    transaction.decided.abort(WAIT_ENDED)
    const marked = (before ?? Promise.resolve())
      .then(() => broker.clock.sleep(ms))
      .then(() => this.write(transaction))
      .finally(() => {
        if (broker.marking.get(transactionalId!) === marked) broker.marking.delete(transactionalId!)
      })
    broker.marking.set(transactionalId!, marked)
  }

  private async write(transaction: Transaction): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const done = () => {
        this.decide(transaction)
        resolve()
      }
      const failed = (error: unknown) => {
        transaction.committing = false
        reject(error)
      }
      this.broker.submit({ store: (storage) => transaction.store(storage), done, failed }, transaction.partitions)
    })
  }

  async abort(): Promise<void> {
    // A commit that has been asked for is carried out; after a failed one there is still something to drop.
    if (this.transaction?.committing) this.broker.flush()
    if (this.transaction !== undefined) this.drop(this.transaction)
  }

  async close(): Promise<void> {
    await this.abort()
    if (this.transactionalId !== undefined && this.broker.producers.get(this.transactionalId) === this)
      this.broker.producers.delete(this.transactionalId)
    this.ended ??= new MillraceError('CLOSED', 'the producer is closed')
    this.onClose()
  }

  /** Ends it for good: nothing of its open transaction will be seen. */
  private fence(reason: string): void {
    if (this.transaction !== undefined) this.drop(this.transaction)
    this.ended = new MillraceError('FENCED', reason, { hint: 'discard the producer; its transaction is undone' })
  }

  private drop(transaction: Transaction): void {
    this.decide(transaction)
    // The offsets it was given stay holes, which must be known after a restart too.
    this.broker.touch(transaction.partitions)
  }

  private decide(transaction: Transaction): void {
    for (const partition of transaction.partitions) partition.open.delete(transaction)
    this.broker.transactions.delete(transaction)
    if (this.transaction === transaction) this.transaction = undefined
    transaction.decided.abort(WAIT_ENDED)
  }

  private current(): Transaction {
    if (this.transaction === undefined || this.transaction.committing)
      throw misuse('no transaction is open', 'begin one first')
    this.transaction.touched = this.broker.clock.now()
    return this.transaction
  }

  private async watch(transaction: Transaction): Promise<void> {
    const { clock } = this.broker
    const { signal } = transaction.decided
    for (let left = this.timeout; left > 0 && !signal.aborted; left = transaction.touched + this.timeout - clock.now())
      await clock.sleep(left, signal)
    if (!signal.aborted) this.fence(`the transaction has been open for more than ${this.timeout} ms without a sign`)
  }

  private check(initialised = true): void {
    if (this.ended !== undefined) throw this.ended
    if (initialised && !this.ready) throw misuse('the producer has no identity yet', 'await init() first')
  }
}

function misuse(message: string, hint: string): MillraceError {
  return new MillraceError('INVALID_OPTION', message, { hint })
}
