import { json } from '../serde/json.ts'
import type { Aggregate } from './aggregate.ts'

type Own<V, A, R> = Pick<Aggregate<V, A, R>, 'init' | 'add' | 'merge' | 'remove' | 'clone'> &
  Partial<Pick<Aggregate<V, A, R>, 'result' | 'state'>>

/** An aggregate of your own; its state is kept as JSON unless `state` says otherwise. */
export function custom<V, A>(own: Own<V, A, A>): Aggregate<V, A, A>
export function custom<V, A, R>(own: Own<V, A, R> & { result(accumulator: A): R }): Aggregate<V, A, R>
export function custom<V, A, R>(own: Own<V, A, R>): Aggregate<V, A, R> {
  const codec = json<A>().open({ topic: 'state', part: 'value' })
  return { kind: 'custom', result: (accumulator) => accumulator as unknown as R, state: codec, ...own }
}
