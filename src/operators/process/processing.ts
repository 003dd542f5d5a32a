import { MillraceError, toError } from '../../errors.ts'
import type { Headers } from '../../record.ts'
import { json, long } from '../../serde/index.ts'
import { type KeyValueStore, keyValueStore } from '../../state/key-value-store.ts'
import { serdeValue } from '../../state/store.ts'
import { type Input, type Node, node } from '../../topology/node.ts'
import type { CurrentRecord, Forward, Processor, ProcessorContext } from '../../topology/processor.ts'
import type { StoreSpec } from '../../topology/store-spec.ts'
import type {
  ForwardOptions,
  ProcessContext,
  ProcessHandlers,
  RecordMetadata,
  Stores,
  TimerKeys,
  Timers,
} from './context.ts'
import type { OpenStore } from './stores.ts'
import { type TimerId, timerKey } from './timer-key.ts'
import { timerQueue } from './timer-queue.ts'

/** What `process` and `processValues` have in common: everything but how they forward. */
export interface Processing<S extends Stores, T extends TimerKeys> {
  readonly kind: string
  readonly name: string
  readonly input: Input
  readonly stores: S | undefined
  readonly timers: T | undefined
  readonly outputs: readonly string[]
  /** Makes the user's handlers; `work` is what they are at. */
  build(
    context: ProcessContext<S, T>,
    forward: (output?: string) => SendOn,
    work: Readonly<Work>,
  ): ProcessHandlers<never, never, T>
}

/** Forwards under the time and headers of what is worked on, or under those given. */
export type SendOn = (key: unknown, value: unknown, options?: ForwardOptions) => void

/** What the handlers are working on: a record, or a timer. One object per task. */
export interface Work {
  timestamp: number
  key: unknown
}

type TimerStore = KeyValueStore<TimerId<unknown>, number>

export function processing<S extends Stores, T extends TimerKeys>(of: Processing<S, T>): Node {
  const { name, stores = {} as S, timers = {} as T } = of
  const timerStore = (kind: string, key = json()): StoreSpec<TimerStore> =>
    keyValueStore<TimerId<unknown>, number>({ name: `${name}-${kind}`, key: timerKey(key), value: serdeValue(long()) })
  const eventTimers = timers.eventTime && timerStore('event-timers', timers.eventTime)
  const wallClockTimers = timers.wallClock && timerStore('wall-clock-timers', timers.wallClock)
  return node({
    kind: of.kind,
    name,
    inputs: [of.input],
    parameters: {
      ...(of.outputs.length && { outputs: of.outputs }),
      ...(Object.keys(timers).length && { timers: Object.keys(timers) }),
    },
    stores: [
      ...Object.values(stores).map(({ spec }) => spec),
      ...[eventTimers, wallClockTimers].filter((spec) => spec !== undefined),
    ],
    ...(wallClockTimers && { unrepeatable: 'timers of the wall clock' }),
    processor: (context) => processor(context, of, stores, eventTimers, wallClockTimers),
  })
}

function processor<S extends Stores, T extends TimerKeys>(
  context: ProcessorContext,
  { name, build }: Processing<S, T>,
  stores: S,
  eventTimers: StoreSpec<TimerStore> | undefined,
  wallClockTimers: StoreSpec<TimerStore> | undefined,
): Processor {
  const time = context.streamTime()
  const work: Work = { timestamp: 0, key: undefined }
  const record = new Metadata(context.record)
  const opened = Object.entries(stores).map(
    ([of, definition]) => [of, definition.open(context, time, () => work.timestamp)] as const,
  )
  const expiring: OpenStore<unknown>[] = opened.map(([, store]) => store).filter(({ expire }) => expire)

  /** Calls a handler in the name of a timer: under its time, with no headers, in the lane that time is counted by. */
  const runTimer = (handler: 'onEventTime' | 'onWallClock', { key, name: timer }: TimerId<unknown>, due: number) => {
    const { topic, partition, offset } = context.record
    const origin: CurrentRecord = { topic, partition, offset, lane: time.slowest, headers: NONE }
    work.timestamp = handler === 'onEventTime' ? due : Math.max(0, time.closing)
    work.key = key
    context.as(origin, () => {
      try {
        handlers[handler]?.({ key: key as never, name: timer, time: due })
      } catch (thrown) {
        const error = toError(thrown)
        throw new MillraceError('TIMER_FAILED', `a timer set for ${due} threw: ${error.message}`, {
          node: name,
          key,
          cause: error,
          hint: `mend ${handler}: a timer has no record that could be set aside in its place`,
        })
      }
    })
  }
  const eventQueue =
    eventTimers && timerQueue(context.store(eventTimers), (id, due) => runTimer('onEventTime', id, due))
  const wallClockQueue =
    wallClockTimers && timerQueue(context.store(wallClockTimers), (id, due) => runTimer('onWallClock', id, due))

  const sendOn = (output?: string): SendOn => {
    const next: Forward = context.forward(output)
    return (key, value, options) => {
      if (options === undefined) return next(key, value, work.timestamp)
      const { timestamp = work.timestamp, headers } = options
      if (headers === undefined) return next(key, value, timestamp)
      const { topic, partition, offset, lane } = context.record
      context.as({ topic, partition, offset, lane, headers }, () => next(key, value, timestamp))
    }
  }
  const handlers = build(
    {
      stores: Object.fromEntries(opened.map(([of, { handle }]) => [of, handle])) as ProcessContext<S, T>['stores'],
      timers: {
        eventTime: timersOf(name, 'eventTime', eventQueue),
        wallClock: timersOf(name, 'wallClock', wallClockQueue),
      },
      get streamTime() {
        return time.closing
      },
      now: context.now,
      drop: () => context.drop('skipped'),
    },
    sendOn,
    work,
  )
  const fireDue = () => eventQueue?.fire(time.closing)

  return {
    inputs: [
      (key, value, timestamp) => {
        time.observe(timestamp)
        if (eventQueue) fireDue()
        work.timestamp = record.timestamp = timestamp
        work.key = key
        handlers.process(value as never, key as never, record)
        if (eventQueue) fireDue()
      },
    ],
    restored() {
      eventQueue?.restored()
      wallClockQueue?.restored()
      work.timestamp = Math.max(0, time.closing)
      handlers.start?.()
    },
    advance: eventQueue && fireDue,
    tick: wallClockQueue && ((now) => wallClockQueue.fire(now)),
    flush: () => {
      for (const store of expiring) store.expire!()
    },
  }
}

const NONE: Headers = []

/** The public view of the record in work; made once per task. */
class Metadata implements RecordMetadata {
  timestamp = 0
  private readonly current: CurrentRecord
  constructor(current: CurrentRecord) {
    this.current = current
  }
  get topic(): string {
    return this.current.topic
  }
  get partition(): number {
    return this.current.partition
  }
  get offset(): number {
    return this.current.offset
  }
  get headers(): Headers {
    return this.current.headers
  }
}

function timersOf(
  node: string,
  kind: keyof TimerKeys,
  queue: ReturnType<typeof timerQueue<unknown>> | undefined,
): Timers<never> {
  const declared = () => {
    if (queue) return queue
    throw new MillraceError('INVALID_OPTION', `process has no timers of kind ${kind}`, {
      node,
      hint: `name the serde of their keys in the options: timers: { ${kind}: string() }`,
    })
  }
  return {
    set(key, time, name = '') {
      if (!Number.isSafeInteger(time) || time < 0) {
        throw new MillraceError('INVALID_OPTION', `a timer cannot be set for ${String(time)}`, {
          node,
          key,
          hint: 'give a time in whole milliseconds since the epoch',
        })
      }
      declared().set(key, name, time)
    },
    get: (key, name = '') => declared().get(key, name),
    cancel: (key, name = '') => declared().cancel(key, name),
  }
}
