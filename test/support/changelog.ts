import { ByteWriter, byteSource } from '../../src/serde/bytes.ts'
import type { StateStore } from '../../src/state/store.ts'
import type { StoreSpec } from '../../src/topology/store-spec.ts'

/** A compacted changelog: serialised key, in hex, and value. */
export type Changelog = Map<string, Buffer | null>

export function writeInto(store: StateStore, changelog: Changelog): void {
  store.flush((key, value) => {
    changelog.set(Buffer.from(key.bytes()).toString('hex'), value === null ? null : Buffer.from(value.bytes()))
  })
}

/** A store as its changelog says it is. */
export function restored<S extends StateStore>(spec: StoreSpec<S>, changelog: Changelog): S {
  const store = spec.create({ open: (serde, part) => serde.open({ topic: 'changelog', part }) })
  for (const [key, value] of changelog) {
    const out = new ByteWriter()
    out.raw(Buffer.from(key, 'hex'))
    const keyEnd = out.position
    if (value) out.raw(value)
    const source = byteSource(Buffer.from(out.bytes()))
    store.restore(source, 0, keyEnd, value ? keyEnd : -1, value ? out.position : -1, 7)
  }
  return store
}
