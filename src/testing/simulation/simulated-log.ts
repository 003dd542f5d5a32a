import { MillraceError } from '../../errors.ts'
import type { GroupOptions, Log, LogGroup, LogProducer } from '../../log/log.ts'
import type { MemoryLog } from '../../log/memory.ts'
import type { Faults } from './faults.ts'
import { fateOf, type Life } from './life.ts'
import type { Random } from './random.ts'

export interface SimulatedLogOptions {
  readonly life: Life
  readonly random: Random
  /** Changes while the simulation runs. */
  readonly faults: () => Faults
  readonly trace: (what: string) => void
}

/**
 * The log as one instance sees it, over a network that delays, fails and loses answers, for as long as the instance
 * lives. What a producer sends stays in order, as an idempotent producer keeps it.
 */
export function simulatedLog(inner: MemoryLog, options: SimulatedLogOptions): Log {
  const { life, random, faults, trace } = options

  const call = async <T>(what: string, carryOut: () => Promise<T>): Promise<T> => {
    await life.gate()
    await life.delay(faults().latencyMs)
    const fate = fateOf(random, faults())
    if (fate === 'unavailable') throw away(what)
    const result = await carryOut()
    await life.delay(faults().latencyMs)
    trace(`${what}${fate === 'lost' ? ': answer lost' : ''}`)
    if (fate === 'lost') throw away(what)
    return result
  }
  const away = (what: string) => {
    trace(`${what}: unavailable`)
    return new MillraceError('UNAVAILABLE', `simulated: ${what} got no answer`, { retriable: true })
  }

  const producer = (of: LogProducer): LogProducer => {
    let last: Promise<unknown> = Promise.resolve()
    /** After what was called before it. */
    const inTurn = <T>(what: string, carryOut: () => Promise<T>): Promise<T> => {
      const result = last.then(() => call(what, carryOut))
      last = result.catch(() => {})
      return result
    }
    return {
      init: () => inTurn('init', () => of.init()),
      begin: () => of.begin(),
      send: (topic, partition, batch) => inTurn(`send ${topic}/${partition}`, () => of.send(topic, partition, batch)),
      sendOffsets: (offsets, stamp) => inTurn('sendOffsets', () => of.sendOffsets(offsets, stamp)),
      commit: () => inTurn('commit', () => of.commit()),
      abort: () => inTurn('abort', () => of.abort()),
      close: () => inTurn('close', () => of.close()),
    }
  }

  const group = (make: (options: GroupOptions) => LogGroup, of: GroupOptions): LogGroup => {
    // A dead member answers nothing; a paused one answers when it goes on.
    const alive =
      <A extends unknown[]>(what: string, callback: (...told: A) => Promise<void>) =>
      async (...told: A) => {
        await life.gate()
        trace(what)
        await callback(...told)
        await life.gate()
      }
    const made = make({
      ...of,
      onRebalancing: of.onRebalancing && alive('rebalancing', of.onRebalancing),
      onRevoked: alive('revoked', of.onRevoked),
      onAssigned: alive('assigned', of.onAssigned),
      onLost: alive('lost', of.onLost),
      onError: (error) => {
        if (!life.dead) of.onError(error)
      },
    })
    return {
      // It waits out whatever is away by itself (see the port).
      async join() {
        await life.gate()
        await life.delay(faults().latencyMs)
        trace('join')
        await made.join()
      },
      reconsider() {
        trace('reconsider')
        void life.gate().then(() => made.reconsider())
      },
      leave: () => call('leave', () => made.leave()),
      committed: (partitions) => call('committed', () => made.committed(partitions)),
      commit: (offsets, stamp) => call('commit offsets', () => made.commit(offsets, stamp)),
    }
  }

  const { admin } = inner
  return {
    kind: inner.kind,
    connect: () => inner.connect(),
    close: () => inner.close(),
    admin: {
      partitions: (topics) => call('partitions', () => admin.partitions(topics)),
      create: (topics) => call('create', () => admin.create(topics)),
      delete: (topics) => call('delete', () => admin.delete(topics)),
      startOffsets: (partitions) => call('startOffsets', () => admin.startOffsets(partitions)),
      endOffsets: (partitions, isolation) => call('endOffsets', () => admin.endOffsets(partitions, isolation)),
      trim: (positions) => call('trim', () => admin.trim(positions)),
    },
    reader(readerOptions) {
      const reader = inner.reader(readerOptions)
      return {
        fetch: (positions, fetchOptions) => call('fetch', () => reader.fetch(positions, fetchOptions)),
        close: () => reader.close(),
      }
    },
    producer: (producerOptions) => producer(inner.producer(producerOptions)),
    group: (groupOptions) => group((of) => inner.group(of), groupOptions),
  }
}
