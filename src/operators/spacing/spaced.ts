import { long } from '../../serde/index.ts'
import type { Serde } from '../../serde/serde.ts'
import { serdeValue } from '../../state/store.ts'
import { type WindowStore, windowStore } from '../../state/window-store.ts'
import type { DropReason, ProcessorFactory } from '../../topology/processor.ts'
import type { StoreSpec } from '../../topology/store-spec.ts'

/** Times of the records that passed, by id and slot; the value is the time. */
export type PassedStore<I> = StoreSpec<WindowStore<I, number>>

export function passedStore<I>(
  name: string,
  id: Serde<I>,
  parameters: Readonly<Record<string, unknown>>,
): PassedStore<I> {
  return windowStore<I, number>({ name, key: id, value: serdeValue(long()), parameters })
}

export interface Spacing<I> {
  readonly spec: PassedStore<I>
  /** Two records of one id that pass are at least so far apart in event time, ms. */
  readonly gap: number
  idOf(value: unknown, key: unknown): I | null
  /** What happens without an id. */
  readonly withoutId: 'pass' | 'null-key'
  readonly reason: DropReason
}

/**
 * Lets a record pass unless one of the same id has passed that is less than `gap` away, before or after it: what came
 * first wins. Time is cut into slots of `gap` ms: a slot holds at most one record of an id, so that three lookups
 * decide, and what is too old goes slot by slot. A record may be out of order by `gap`; what is later is dropped, since
 * what it must be compared with may be gone.
 */
export function spaced<I>({ spec, gap, idOf, withoutId, reason }: Spacing<I>): ProcessorFactory {
  return (context) => {
    const store = context.store(spec)
    const time = context.streamTime()
    const next = context.forward()
    return {
      inputs: [
        (key, value, timestamp) => {
          const id = idOf(value, key)
          if (id === null || id === undefined) {
            return withoutId === 'pass' ? next(key, value, timestamp) : context.drop(withoutId)
          }
          if (timestamp < time.observe(timestamp) - gap) return context.drop('late')
          const slot = Math.floor(timestamp / gap) * gap
          const before = store.find(slot - gap, id)
          const after = store.find(slot + gap, id)
          const near =
            store.find(slot, id) !== undefined ||
            (before !== undefined && timestamp - before.value! < gap) ||
            (after !== undefined && after.value! - timestamp < gap)
          if (near) return context.drop(reason)
          store.touch(store.create(slot, id, timestamp, timestamp))
          next(key, value, timestamp)
        },
      ],
      flush() {
        for (const slot of store.starts()) {
          if (slot + 3 * gap > time.closing) break
          store.forget(slot)
        }
      },
    }
  }
}
