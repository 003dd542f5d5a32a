import { kafka } from '../../../src/log/kafka/index.ts'
import { logContract } from '../../../src/testing/contracts/log.ts'
import { securedKafka } from '../../support/services.ts'

const { brokers, ca, username, password } = securedKafka()
const connect = () => kafka({ brokers, ssl: { ca }, sasl: { mechanism: 'scram-sha-512', username, password } })

logContract(
  'kafka, TLS and SCRAM',
  async () => ({ log: connect(), reopen: async () => connect(), cleanup: async () => {} }),
  { reopen: true },
)
