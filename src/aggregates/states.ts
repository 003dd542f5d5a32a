import type { AggregateState } from './aggregate.ts'
import { StateReader } from './state-reader.ts'

/** A whole number as Kafka's long, so that Kafka Streams can read it. */
export function longState(kind: string): AggregateState<number> {
  return {
    size: 8,
    encode: (value, out) => out.int64(value),
    decode(source, start, end) {
      const reader = new StateReader(kind, source, start, end)
      const value = reader.int64()
      reader.finish()
      return value
    },
  }
}

/** A number as Kafka's double. */
export function doubleState(kind: string): AggregateState<number> {
  return {
    size: 8,
    encode: (value, out) => out.float64(value),
    decode(source, start, end) {
      const reader = new StateReader(kind, source, start, end)
      const value = reader.float64()
      reader.finish()
      return value
    },
  }
}
