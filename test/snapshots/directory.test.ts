import { mkdtempSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { snapshotDirectory } from '../../src/snapshots/directory.ts'
import { snapshotStoreContract } from '../../src/testing/contracts/snapshot-store.ts'

const place = mkdtempSync(join(tmpdir(), 'millrace-snapshots-'))

snapshotStoreContract('a directory', () => snapshotDirectory(place))

it('leaves no half-written file behind, and does not list one', async () => {
  const store = snapshotDirectory(place)
  await store.write('half/whole', Buffer.from('x'))
  await writeFile(join(place, 'half', 'whole.123.tmp'), 'ha')
  expect(await store.list('half')).toEqual(['whole'])
  expect((await readdir(join(place, 'half'))).length).toBe(2)
})

it('says which directory cannot be used, and what to do', async () => {
  await writeFile(join(place, 'file'), '')
  await expect(snapshotDirectory(join(place, 'file')).open()).rejects.toMatchObject({
    code: 'DATA_DIRECTORY',
    message: expect.stringContaining(join(place, 'file')),
    hint: expect.stringContaining('may write'),
  })
})
