import type { Change } from '../../serde/changed.ts'
import { type Input, node, out } from '../../topology/node.ts'
import type { Forward } from '../../topology/processor.ts'
import type { Table } from '../../topology/table.ts'
import { sameKey } from './same-key.ts'

/** The updates of a table under a new key: one change where a row stays in its group, else the old group's first. */
export function regroup<K, V, K2, V2>(
  { input }: Table<K, V>,
  select: (value: V, key: K) => K2 | null,
  project: ((value: V, key: K) => V2) | undefined,
): Input {
  const of = (value: V, key: K): V | V2 => (project ? project(value, key) : value)
  return out(
    node({
      kind: 'groupBy',
      inputs: [input],
      wantsOld: true,
      processor: (context) => {
        const next: Forward<K2, Change<V | V2>> = context.forward()
        return {
          inputs: [
            (key: K, now: V | null, timestamp, replaced?: V | null) => {
              const old = replaced ?? null
              const from = old === null ? null : select(old, key)
              const to = now === null ? null : select(now, key)
              const out = from === null ? null : of(old!, key)
              const into = to === null ? null : of(now!, key)
              if (from !== null && sameKey(from, to)) next(from, { old: out, now: into }, timestamp)
              else {
                if (from !== null) next(from, { old: out, now: null }, timestamp)
                if (to !== null) next(to, { old: null, now: into }, timestamp)
              }
            },
          ],
        }
      },
    }),
  )
}
