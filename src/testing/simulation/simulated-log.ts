import { MillraceError } from '../../errors.ts'
import type { GroupOptions, Log, LogGroup, LogProducer } from '../../log/log.ts'
import type { MemoryLog } from '../../log/memory.ts'
import type { Life } from './life.ts'
import type { Link } from './link.ts'

export interface SimulatedLogOptions {
  readonly life: Life
  readonly link: Link
  readonly trace: (what: string) => void
  /** Told of what the log did about a fault. */
  readonly observed: (what: string) => void
}

/**
 * The log as one instance sees it, over a network that delays, fails and loses answers, for as long as the instance
 * lives. What a producer sends stays in order and arrives once, as an idempotent producer keeps it.
 */
export function simulatedLog(inner: MemoryLog, { life, link, trace, observed }: SimulatedLogOptions): Log {
  const call = <T>(what: string, carryOut: () => Promise<T>, again?: boolean): Promise<T> =>
    link.call(
      what,
      () =>
        carryOut().catch((error) => {
          if (error instanceof MillraceError && error.code === 'FENCED') observed('refused by its stamp or epoch')
          throw error
        }),
      again,
    )

  const producer = (of: LogProducer): LogProducer => {
    let last: Promise<unknown> = Promise.resolve()
    /** After what was called before it. */
    const inTurn = <T>(what: string, carryOut: () => Promise<T>, again?: boolean): Promise<T> => {
      const result = last.then(() => call(what, carryOut, again))
      last = result.catch(() => {})
      return result
    }
    return {
      init: () => inTurn('init', () => of.init()),
      begin: () => of.begin(),
      send: (topic, partition, batch) => inTurn(`send ${topic}/${partition}`, () => of.send(topic, partition, batch)),
      sendOffsets: (offsets, stamp) => inTurn('sendOffsets', () => of.sendOffsets(offsets, stamp), true),
      commit: () => inTurn('commit', () => of.commit()),
      abort: () => inTurn('abort', () => of.abort(), true),
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
      onRevoked: alive('revoked', (lost, stamp) => {
        observed('tasks moved from one that lives')
        return of.onRevoked(lost, stamp)
      }),
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
        trace('join')
        await made.join()
      },
      reconsider() {
        trace('reconsider')
        void life.gate().then(() => made.reconsider())
      },
      leave: () => call('leave', () => made.leave()),
      committed: (partitions) => call('committed', () => made.committed(partitions), true),
      commit: (offsets, stamp) => call('commit offsets', () => made.commit(offsets, stamp), true),
    }
  }

  const { admin } = inner
  return {
    kind: inner.kind,
    connect: () => inner.connect(),
    close: () => inner.close(),
    admin: {
      partitions: (topics) => call('partitions', () => admin.partitions(topics)),
      create: (topics) => call('create', () => admin.create(topics), true),
      delete: (topics) => call('delete', () => admin.delete(topics), true),
      startOffsets: (partitions) => call('startOffsets', () => admin.startOffsets(partitions)),
      endOffsets: (partitions, isolation) => call('endOffsets', () => admin.endOffsets(partitions, isolation)),
      // Once, before there are tasks: a failure is waited out as that of `partitions` just before.
      largestBatches: (topics) => admin.largestBatches(topics),
      trim: (positions) => call('trim', () => admin.trim(positions), true),
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
