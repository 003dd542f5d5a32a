import type { Codec, SchemaRegistry } from '../../serde/serde.ts'
import type { StateStore } from '../../state/store.ts'
import type { DiskState } from '../../topology/disk-table.ts'
import type { Subtopology } from '../../topology/plan.ts'

export interface TaskStore {
  readonly name: string
  readonly changelog: string | undefined
  readonly store: StateStore
}

/** The stores of a task. They may be there before it, as a standby, and outlive it as one. */
export interface TaskStores {
  /** By the spec that the operators know them by. */
  readonly of: ReadonlyMap<unknown, TaskStore>
  readonly all: readonly TaskStore[]
  /** Codecs that must be prepared before the first record. */
  readonly codecs: readonly Codec<unknown>[]
  close(): void
}

export interface StoresEnvironment {
  readonly registry?: SchemaRegistry
  /** Where stores keep what is not in use; absent: everything is in memory. */
  readonly state?: DiskState
}

/** New, empty stores. */
export function openStores(
  { id, stores }: Pick<Subtopology, 'id' | 'stores'>,
  partition: number,
  { registry, state }: StoresEnvironment,
): TaskStores {
  const codecs: Codec<unknown>[] = []
  const of = new Map<unknown, TaskStore>()
  const shared = new Map<object, unknown>()
  const share = <T>(by: object, make: () => T): T => {
    if (!shared.has(by)) shared.set(by, make())
    return shared.get(by) as T
  }
  for (const { spec, changelog } of stores) {
    const topic = changelog ?? spec.name
    const store = spec.create({
      open(serde, part) {
        const codec = serde.open({ topic, part, registry })
        codecs.push(codec as Codec<unknown>)
        return codec
      },
      share,
      disk: state && {
        table: () => state.table(`${id}_${partition}`, spec.name),
        timelines: () => state.timelines(`${id}_${partition}`, spec.name),
        cacheBytes: state.cacheBytes,
      },
    }) as StateStore
    of.set(spec, { name: spec.name, changelog, store })
  }
  const all = [...of.values()]
  return {
    of,
    all,
    codecs,
    close() {
      for (const { store } of all) store.close?.()
    },
  }
}
