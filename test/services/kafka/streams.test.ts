import { kafka } from '../../../src/log/kafka/index.ts'
import { logContract } from '../../../src/testing/contracts/log.ts'
import { kafkaBrokers } from '../../support/services.ts'

logContract(
  'kafka, broker-side protocol',
  async () => ({
    log: kafka({ brokers: kafkaBrokers(), protocol: 'streams' }),
    reopen: async () => kafka({ brokers: kafkaBrokers(), protocol: 'streams' }),
    cleanup: async () => {},
  }),
  { reopen: true },
)
