import type { Log } from '../log.ts'
import { kafkaAdmin } from './admin.ts'
import { kafkaGroup } from './membership/group.ts'
import type { KafkaOptions } from './options.ts'
import { type EndsById, kafkaProducer } from './producer.ts'
import { kafkaReader } from './reader.ts'
import { type Transport, transport } from './transport.ts'

/**
 * A Kafka cluster (2.5 or newer) as the log. Readers, producers and group memberships have connections of their own,
 * which `close` closes, too.
 *
 * Throws `INVALID_OPTION` at once when an address is not of the form host:port; whether anybody is there turns out in
 * `connect`: `UNAVAILABLE`, `AUTHENTICATION_FAILED`.
 *
 * @example
 * ```ts
 * const plain = kafka({ brokers: ['localhost:9092'] })
 * const secured = kafka({
 *   brokers: ['broker-1.example.org:9094', 'broker-2.example.org:9094'],
 *   ssl: { ca: readFileSync('ca.pem') },
 *   sasl: { mechanism: 'scram-sha-512', username: 'shop', password: process.env.KAFKA_PASSWORD ?? '' },
 * })
 * ```
 */
export function kafka(options: KafkaOptions): Log {
  const { protocol, rack, clientTags } = options
  const open = new Set<Transport>()
  const connect = (): Transport => {
    const opened = transport(options)
    const tracked: Transport = {
      ...opened,
      async close() {
        open.delete(tracked)
        await opened.close()
      },
    }
    open.add(tracked)
    return tracked
  }
  const main = connect()
  const ends: EndsById = new Map()
  const requestTimeoutMs = options.requestTimeoutMs ?? 30_000
  const deliveryTimeoutMs = options.deliveryTimeoutMs ?? 60_000

  return {
    kind: 'kafka',
    connect: () => main.connect(),
    async close() {
      await Promise.all([...open].map((each) => each.close()))
    },
    admin: kafkaAdmin(main),
    reader: (readerOptions) => kafkaReader(connect(), readerOptions),
    producer: (producerOptions = {}) =>
      kafkaProducer(connect(), producerOptions, { requestTimeoutMs, deliveryTimeoutMs }, ends),
    group: (groupOptions) => kafkaGroup(connect, groupOptions, { protocol, rack, clientTags }),
  }
}
