import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { diskState } from '../../src/state/disk/sqlite.ts'
import type { StoreSpec } from '../../src/topology/store-spec.ts'

/**
 * Stores as they are in a task with state on disk, for the tests of one file. Nothing stays in memory beyond a flush
 * unless a test gives it room.
 */
export function storesOnDisk(cacheBytes = 0): <S>(spec: StoreSpec<S>) => StoreSpec<S> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-state-'))
  const state = diskState(directory, { cacheBytes, pageCacheBytes: 0 })
  afterAll(() => {
    state.close()
    rmSync(directory, { recursive: true, force: true })
  })
  return (spec) => {
    const disk = {
      table: () => state.table('0_0', spec.name),
      timelines: () => state.timelines('0_0', spec.name),
      cacheBytes,
    }
    return { ...spec, create: (environment) => spec.create({ ...environment, disk }) }
  }
}
