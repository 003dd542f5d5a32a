import { kafka } from '../../../src/log/kafka/index.ts'
import { logContract } from '../../../src/testing/contracts/log.ts'
import { kafkaBrokers } from '../../support/services.ts'

logContract(
  'kafka, plain',
  async () => ({
    log: kafka({ brokers: kafkaBrokers() }),
    reopen: async () => kafka({ brokers: kafkaBrokers() }),
    cleanup: async () => {},
  }),
  { reopen: true },
)
