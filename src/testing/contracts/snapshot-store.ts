import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SnapshotStore } from '../../snapshots/snapshot-store.ts'

/** What every store of snapshots must keep; run it on your own too. `make` gives a new connection to one and the same place. */
export function snapshotStoreContract(name: string, make: () => SnapshotStore): void {
  describe(`snapshot store contract: ${name}`, () => {
    let store: SnapshotStore
    beforeAll(async () => {
      store = make()
      await store.open()
    })
    afterAll(() => store.close())
    const folder = `app/changelog-${Math.floor(Math.random() * 2 ** 32).toString(36)}/0`

    it('has nothing where nothing was written', async () => {
      expect(await store.list(`${folder}/none`)).toEqual([])
      expect(await store.read(`${folder}/none/a`)).toBeUndefined()
    })

    it('gives back what was written, from another connection too', async () => {
      const bytes = Buffer.from([0, 255, 1, 254])
      await store.write(`${folder}/a`, bytes)
      expect(await store.read(`${folder}/a`)).toEqual(bytes)
      const other = make()
      await other.open()
      expect(await other.read(`${folder}/a`)).toEqual(bytes)
      expect(await other.list(folder)).toEqual(['a'])
      other.close()
    })

    it('replaces an object', async () => {
      await store.write(`${folder}/a`, Buffer.from('first'))
      await store.write(`${folder}/a`, Buffer.from('second'))
      expect(String(await store.read(`${folder}/a`))).toBe('second')
    })

    it('lists one folder, and not those in it or beside it', async () => {
      await store.write(`${folder}/b`, Buffer.from('b'))
      await store.write(`${folder}/deeper/c`, Buffer.from('c'))
      await store.write(`${folder}0/d`, Buffer.from('d'))
      const names = await store.list(folder)
      expect(names.filter((name) => name !== 'deeper').sort()).toEqual(['a', 'b'])
    })

    it('takes an empty object and a big one', async () => {
      const big = Buffer.alloc(9_000_000, 'x')
      await store.write(`${folder}/empty`, Buffer.alloc(0))
      await store.write(`${folder}/big`, big)
      expect((await store.read(`${folder}/empty`))?.length).toBe(0)
      expect((await store.read(`${folder}/big`))?.equals(big)).toBe(true)
    })

    it('removes what is there, and does not mind what is not', async () => {
      await store.write(`${folder}/gone`, Buffer.from('x'))
      await store.remove([`${folder}/gone`, `${folder}/never`])
      expect(await store.read(`${folder}/gone`)).toBeUndefined()
      await store.remove([])
    })
  })
}
