import { afterAll, beforeAll, describe } from 'vitest'
import { adminContract } from './log/admin.ts'
import { durabilityContract } from './log/durability.ts'
import { fetchContract } from './log/fetch.ts'
import { type LogCapabilities, LogUnderTest, type MakeLog } from './log/fixture.ts'
import { groupContract } from './log/group.ts'
import { isolationContract } from './log/isolation.ts'
import { produceContract } from './log/produce.ts'
import { transactionContract } from './log/transactions.ts'

export type { LogCapabilities, MakeLog } from './log/fixture.ts'

/**
 * What every log must keep; run it on your own too. One log serves the whole suite: every test makes its own topics,
 * groups and transactional ids, and waits for what a cluster shows a moment later.
 *
 * @example
 * ```ts
 * logContract('memory', async () => ({ log: memoryLog(), cleanup: async () => {} }))
 * ```
 */
export function logContract(name: string, makeLog: MakeLog, capabilities: LogCapabilities = {}): void {
  describe(`log contract: ${name}`, () => {
    const under = new LogUnderTest(makeLog, capabilities)
    beforeAll(() => under.start(), 60_000)
    afterAll(() => under.stop(), 60_000)
    adminContract(under)
    fetchContract(under)
    produceContract(under)
    if (capabilities.transactions !== false) {
      isolationContract(under)
      transactionContract(under)
    }
    groupContract(under)
    durabilityContract(under)
  })
}
