import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { MillraceError } from '../../src/index.ts'
import { diskState } from '../../src/state/disk/sqlite.ts'
import { sharedJob } from './standbys/shared-job.ts'

it('leaves nothing on disk of a task that is taken away, and then cannot be restored', async () => {
  const { instance, feed, isCounted } = await sharedJob()
  const directory = mkdtempSync(join(tmpdir(), 'millrace-openings-'))
  const [a, b] = [await instance(), await instance({ state: diskState(directory) })]
  await a.assign({ active: ['0_0'] })
  await feed()
  await a.running.caughtUp()
  await a.revoke({})
  const taken = Promise.withResolvers<void>()
  b.seen.failing = async () => {
    await taken.promise
    throw new MillraceError('CORRUPT_BATCH', 'as told')
  }
  await b.assign({ active: ['0_0'] })
  await vi.waitUntil(() => b.seen.failing === undefined)
  expect(readdirSync(directory)).toHaveLength(1)
  await b.revoke({})
  taken.resolve()
  await vi.waitUntil(() => readdirSync(directory).length === 0)
  await b.assign({ active: ['0_0'] })
  await b.running.ready()
  expect(isCounted(b)).toBe(true)
})
