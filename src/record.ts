/** One header: a name and its bytes. Names may repeat, order is kept, as on Kafka. */
export type Header = readonly [name: string, value: Uint8Array | null]
export type Headers = readonly Header[]

/** Where the record being processed came from. */
export interface RecordOrigin {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** A span of event time, in ms. `end` is exclusive for tumbling and hopping windows, inclusive for sliding and session. */
export interface Window {
  readonly start: number
  /** `Infinity` for an unlimited window. */
  readonly end: number
}

/** The key of a windowed result: the key that was grouped by, and the window. */
export interface Windowed<out K> {
  readonly key: K
  readonly window: Window
}
