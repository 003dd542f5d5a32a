import type { Aggregate } from '../../src/aggregates/aggregate.ts'
import { ByteWriter } from '../../src/serde/bytes.ts'

/** The serialised form after these values. */
export function encoded<V, A>(aggregate: Aggregate<V, A, unknown>, values: readonly V[]): Buffer {
  const out = new ByteWriter(1)
  const add = (accumulator: A, value: V, i: number) => aggregate.add(accumulator, value, i)
  aggregate.state.encode(values.reduce(add, aggregate.init()), out)
  return Buffer.from(out.bytes())
}
