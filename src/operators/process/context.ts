import type { Header, Headers, RecordOrigin } from '../../record.ts'
import type { Serde } from '../../serde/serde.ts'
import type { StoreDefinition } from './stores.ts'

/** Where the record that is being processed came from, and what came with it. Valid during the call only. */
export interface RecordMetadata extends RecordOrigin {
  /** Event time, ms. */
  readonly timestamp: number
  readonly headers: Headers
}

/** What a forwarded record gets instead of what the record in work has. */
export interface ForwardOptions {
  /** Event time, ms. */
  readonly timestamp?: number
  /** All of them: `[...record.headers, ['checked', bytes]]` adds one. */
  readonly headers?: readonly Header[]
}

/** A timer that has come due. */
export interface Timer<out K> {
  readonly key: K
  readonly name: string
  /** What it was set for, ms. */
  readonly time: number
}

/** The timers of one kind. A key has one timer of each name: setting it again moves it. */
export interface Timers<K> {
  /** Throws `INVALID_OPTION` unless `time` is a whole number of ms of at least 0. */
  set(key: K, time: number, name?: string): void
  /** When it is due. */
  get(key: K, name?: string): number | undefined
  cancel(key: K, name?: string): void
}

/** No stores, or no timers, are declared. */
export type None = Record<never, never>

export type Stores = Readonly<Record<string, StoreDefinition<unknown>>>

/** Serdes of the keys that timers are set for. */
export interface TimerKeys {
  // biome-ignore lint/suspicious/noExplicitAny: whatever the timers' keys are
  readonly eventTime?: Serde<any>
  // biome-ignore lint/suspicious/noExplicitAny: whatever the timers' keys are
  readonly wallClock?: Serde<any>
}

export type TimerKey<T, Kind extends keyof TimerKeys> = T extends { readonly [P in Kind]: Serde<infer K> } ? K : never

/** What `process` gives to its functions. */
export interface ProcessContext<S, T> {
  /** The stores, by the names they were given in the options. */
  readonly stores: { readonly [N in keyof S]: S[N] extends StoreDefinition<infer H> ? H : never }
  readonly timers: {
    /** Fire when stream time reaches their time. */
    readonly eventTime: Timers<TimerKey<T, 'eventTime'>>
    /** Fire when wall-clock time reaches their time; checked about ten times a second. */
    readonly wallClock: Timers<TimerKey<T, 'wallClock'>>
  }
  /**
   * Stream time of this operator, ms: the highest timestamp that it has seen, or, behind a repartition, the time that
   * every upstream task has reached; -1 before the first record.
   */
  readonly streamTime: number
  /** Wall-clock time, ms since the epoch. */
  now(): number
  /** Counts a record as left out on purpose: `millrace_records_dropped_total{reason="skipped"}`. */
  drop(): void
}

/** What the functions of `process` may do with a record, and when. */
export interface ProcessHandlers<K, V, T> {
  /** Called for every record, in the order of its partition. */
  process(value: V, key: K, record: RecordMetadata): void
  /** A timer of event time is due. Runs before the record that brought stream time there. */
  onEventTime?(timer: Timer<TimerKey<T, 'eventTime'>>): void
  /** A timer of the wall clock is due. */
  onWallClock?(timer: Timer<TimerKey<T, 'wallClock'>>): void
  /** Called once, with the state as the last commit left it, before the first record: sets the first timers, say. */
  start?(): void
}
