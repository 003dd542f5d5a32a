import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { embedded } from '../../../src/log/embedded/embedded.ts'
import { logContract } from '../../../src/testing/contracts/log.ts'

logContract(
  'embedded',
  async () => {
    const path = await mkdtemp(join(tmpdir(), 'millrace-log-'))
    return {
      log: embedded(path),
      reopen: async () => embedded(path),
      cleanup: () => rm(path, { recursive: true, force: true }),
    }
  },
  { promptExpiry: true, reopen: true },
)
