import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteWriter, byteSource } from '../../serde/bytes.ts'
import type { StateStore } from '../../state/store.ts'
import type { StoreSpec } from '../../topology/store-spec.ts'

/** What a store does, seen as one map from the identity of an entry (key, bounds) to its value. */
export interface StoreUnderTest<S extends StateStore, Id> {
  readonly spec: StoreSpec<S>
  /** Identities that may collide; few of them. */
  readonly ids: fc.Arbitrary<Id>
  /** Puts a value in: makes the entry or changes it, and touches it. */
  put(store: S, id: Id, value: number): void
  remove(store: S, id: Id): void
  has(store: S, id: Id): boolean
  /** The identity of each live entry with its value. */
  content(store: S): readonly (readonly [id: Id, value: number])[]
  /** Other ways to change it, each with what it does to the model: expiry, widening. */
  readonly others?: readonly ((store: S, model: Map<string, number>, id: Id) => void)[]
}

type Change<Id> = { readonly kind: 'put' | 'remove' | 'flush' | 'other'; readonly id: Id; readonly value: number }

/**
 * A store against a plain map, with commits anywhere: what is flushed restores to what was there, each entry is written
 * once per flush at most, and nothing is written for what did not change.
 */
export function storeContract<S extends StateStore, Id>(name: string, under: StoreUnderTest<S, Id>): void {
  const { spec, ids, others = [] } = under
  const open = () => spec.create({ open: (serde, part) => serde.open({ topic: 'changelog', part }) })
  const identity = (id: Id) => JSON.stringify(id)
  const contentOf = (store: S) => new Map(under.content(store).map(([id, value]) => [identity(id), value]))
  const kinds = others.length ? (['put', 'remove', 'flush', 'other'] as const) : (['put', 'remove', 'flush'] as const)
  const change: fc.Arbitrary<Change<Id>> = fc.record({ kind: fc.constantFrom(...kinds), id: ids, value: fc.nat(1000) })

  /** Flushes into a compacted changelog; gives the number of records. */
  const flushInto = (store: S, changelog: Map<string, Buffer | null>): number => {
    const written: string[] = []
    store.flush((key, value) => {
      const text = Buffer.from(key.bytes()).toString('hex')
      written.push(text)
      changelog.set(text, value === null ? null : Buffer.from(value.bytes()))
    })
    return written.length
  }
  const restored = (changelog: ReadonlyMap<string, Buffer | null>): S => restoreInto(open(), changelog)
  const restoreInto = (store: S, changelog: ReadonlyMap<string, Buffer | null>): S => {
    for (const [key, value] of changelog) {
      // As in a batch: key and value in the middle of other bytes.
      const out = new ByteWriter()
      out.raw(Buffer.from('before'))
      const keyStart = out.position
      out.raw(Buffer.from(key, 'hex'))
      const keyEnd = out.position
      if (value) out.raw(value)
      const source = byteSource(Buffer.from(out.bytes()))
      store.restore(source, keyStart, keyEnd, value ? keyEnd : -1, value ? keyEnd + value.length : -1, 0)
    }
    return store
  }
  const apply = (store: S, model: Map<string, number>, { kind, id, value }: Change<Id>) => {
    if (kind === 'put') {
      under.put(store, id, value)
      model.set(identity(id), value)
    } else if (kind === 'remove') {
      if (!under.has(store, id)) return
      under.remove(store, id)
      model.delete(identity(id))
    } else if (kind === 'other') others[value % others.length](store, model, id)
  }

  describe(`store contract: ${name}`, () => {
    it('holds what a map holds, after every change', () => {
      fc.assert(
        fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
          const store = open()
          const model = new Map<string, number>()
          for (const one of changes) {
            if (one.kind === 'flush') flushInto(store, new Map())
            else apply(store, model, one)
            expect(contentOf(store)).toEqual(model)
            expect(store.size).toBe(model.size)
          }
        }),
      )
    })

    it('comes back from its changelog as it was at the last flush, and goes on from there', () => {
      fc.assert(
        fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
          let store = open()
          const model = new Map<string, number>()
          const changelog = new Map<string, Buffer | null>()
          for (const one of changes) {
            if (one.kind === 'flush') {
              flushInto(store, changelog)
              store = restored(changelog)
              expect(contentOf(store)).toEqual(model)
            } else apply(store, model, one)
          }
          flushInto(store, changelog)
          expect(contentOf(restored(changelog))).toEqual(model)
          expect([...changelog.values()].filter((value) => value !== null)).toHaveLength(model.size)
        }),
      )
    })

    it('follows what another store writes to the changelog, takes over from it, and follows again', () => {
      fc.assert(
        fc.property(fc.array(fc.array(change, { maxLength: 15 }), { maxLength: 6 }), (turns) => {
          let [active, standby] = [open(), open()]
          const model = new Map<string, number>()
          for (const changes of turns) {
            for (const one of changes) {
              if (one.kind !== 'flush') {
                apply(active, model, one)
                continue
              }
              const written = new Map<string, Buffer | null>()
              flushInto(active, written)
              restoreInto(standby, written)
              expect(contentOf(standby)).toEqual(model)
              expect(standby.size).toBe(model.size)
            }
            const written = new Map<string, Buffer | null>()
            flushInto(active, written)
            restoreInto(standby, written)
            ;[active, standby] = [standby, active]
            expect(contentOf(active)).toEqual(model)
          }
        }),
      )
    })

    it('comes back from a walk over its entries, which changes nothing', () => {
      fc.assert(
        fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
          const store = open()
          const model = new Map<string, number>()
          for (const one of changes) apply(store, model, one)
          const walked = new Map<string, Buffer | null>()
          for (const entry of store.history?.() ?? store.all()) {
            store.writeEntry(entry, (key, value) =>
              walked.set(Buffer.from(key.bytes()).toString('hex'), Buffer.from(value!.bytes())),
            )
          }
          expect(contentOf(restored(walked))).toEqual(model)
          const changelog = new Map<string, Buffer | null>()
          flushInto(store, changelog)
          expect(contentOf(restored(changelog))).toEqual(model)
        }),
      )
    })

    it('writes nothing where nothing changed', () => {
      fc.assert(
        fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
          const store = open()
          const model = new Map<string, number>()
          for (const one of changes) apply(store, model, one)
          flushInto(store, new Map())
          expect(flushInto(store, new Map())).toBe(0)
        }),
      )
    })

    it('writes an entry once, however often it changed, and not at all when it came and went', () => {
      fc.assert(
        fc.property(ids, fc.nat(10), (id, times) => {
          const store = open()
          for (let i = 0; i <= times; i++) under.put(store, id, i)
          expect(flushInto(store, new Map())).toBe(1)
          under.remove(store, id)
          expect(flushInto(store, new Map())).toBe(1)
          under.put(store, id, 1)
          under.remove(store, id)
          expect(flushInto(store, new Map())).toBe(0)
        }),
      )
    })
  })
}
