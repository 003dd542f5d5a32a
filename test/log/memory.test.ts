import { memoryLog } from '../../src/log/memory.ts'
import { logContract } from '../../src/testing/contracts/log.ts'

logContract(
  'memory',
  async () => {
    const log = memoryLog()
    const next = log.peer()
    return { log, cleanup: () => next.close(), reopen: async () => next }
  },
  { promptExpiry: true, reopen: true, largeValue: 5_000_000 },
)
