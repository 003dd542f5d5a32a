import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { batchHeader } from '../../src/log/batch/batch-header.ts'
import { RECORDS } from '../../src/log/batch/layout.ts'
import { kafka } from '../../src/log/kafka/index.ts'
import type { Log } from '../../src/log/log.ts'
import { eventually, TestMember, valuesOf } from '../../src/testing/contracts/log/fixture.ts'
import { faults } from '../support/faults.ts'
import { api, type KafkaProxy, kafkaProxy } from '../support/kafka-proxy.ts'
import { readRecords } from '../support/records.ts'
import { kafkaBrokers, proxiedKafka, uniqueName } from '../support/services.ts'

/** What networks do between a producer and its broker, at every message of a transaction. */
const { rounds, below } = faults('kafka cuts', 1)
const TRANSACTIONS = 8

let proxy: KafkaProxy
let direct: Log
let through: Log

beforeAll(async () => {
  const { listener, proxy: address } = proxiedKafka()
  proxy = await kafkaProxy(address, listener)
  direct = kafka({ brokers: kafkaBrokers() })
  through = kafka({ brokers: [address], requestTimeoutMs: 1_000 })
  await direct.connect()
  await through.connect()
})

afterAll(async () => {
  proxy.judge = () => 'pass'
  await through.close()
  await direct.close()
  await proxy.close()
})

beforeEach(() => {
  proxy.judge = () => 'pass'
})

const messages = [
  'initProducerId',
  'addPartitionsToTxn',
  'produce',
  'addOffsetsToTxn',
  'txnOffsetCommit',
  'endTxn',
  'findCoordinator',
] as const
const cases = messages.flatMap((name) =>
  (['request', 'answer'] as const).flatMap((at) =>
    (['cut', 'silence'] as const).map((verdict) => ({ name, at, verdict })),
  ),
)

describe('transactions stay whole, and come once, when', () => {
  it.each(cases)('the $at of $name meets a $verdict', async ({ name, at, verdict }) => {
    for (let round = 0; round < rounds; round++) {
      const topic = uniqueName('cuts')
      await direct.admin.create([{ topic, partitions: 2 }])
      const member = new TestMember(direct, { group: topic, topics: [topic], tasks: ['0_0'] })
      await member.group.join()
      const stamp = await member.holding(1)

      let passed = 0
      let hit = 0
      // Not always the first one: what is known already changes what a retry meets.
      const unlucky = name === 'initProducerId' || name === 'findCoordinator' || name.startsWith('add') ? 0 : below(4)
      proxy.judge = (passing) => {
        if (passing.api !== api[name] || passing.at !== at || passed++ !== unlucky) return 'pass'
        hit++
        return verdict
      }
      const producer = through.producer({ transactionalId: topic })
      await producer.init()
      const expected: string[] = []
      for (let n = 0; n < TRANSACTIONS; n++) {
        producer.begin()
        const sends = [0, 1, 0].map((partition, i) => producer.send(topic, partition, valuesOf(`${n}.${i}`)))
        await Promise.all(sends)
        await producer.sendOffsets([{ topic, partition: 0, offset: n + 1 }], stamp)
        if (n % 4 === 2) await producer.abort()
        else {
          await producer.commit()
          expected.push(`${n}`)
        }
      }
      expect(hit, 'the message that was to be hit').toBe(1)
      await producer.close()
      const values = async (partition: number) =>
        (await readRecords(direct, topic)).filter((r) => r.partition === partition).map(({ value }) => value)
      await eventually(async () => {
        expect(await values(0)).toEqual(expected.flatMap((n) => [`${n}.0`, `${n}.2`]))
        expect(await values(1)).toEqual(expected.map((n) => `${n}.1`))
      })
      expect(await member.group.committed([{ topic, partition: 0 }])).toMatchObject([{ offset: TRANSACTIONS }])
      await member.group.leave()
    }
  })
})

it('batches outside transactions come once and in order while connections break at random', async () => {
  const topic = uniqueName('cuts')
  await direct.admin.create([{ topic, partitions: 3 }])
  const producer = through.producer()
  await producer.init()
  let left = 12 * rounds
  proxy.judge = ({ api: key }) => {
    if (key !== api.produce || left === 0 || below(4) > 0) return 'pass'
    left--
    return 'cut'
  }
  const numbers = Array.from({ length: 300 * rounds }, (_, n) => n)
  for (let from = 0; from < numbers.length; from += 30) {
    const some = numbers.slice(from, from + 30)
    await Promise.all(some.map((n) => producer.send(topic, n % 3, valuesOf(`${n}`))))
  }
  expect(left, 'connections must have been cut').toBe(0)
  await producer.close()
  const records = await readRecords(direct, topic)
  for (const partition of [0, 1, 2])
    expect(records.filter((r) => r.partition === partition).map(({ value }) => Number(value))).toEqual(
      numbers.filter((n) => n % 3 === partition),
    )
})

it('a transaction that is aborted while it is not known what arrived bumps the epoch, and what comes later is whole', async () => {
  const topic = uniqueName('cuts')
  await direct.admin.create([{ topic, partitions: 1 }])
  const producer = through.producer({ transactionalId: topic })
  await producer.init()
  for (let round = 0; round < rounds; round++) {
    producer.begin()
    await producer.send(topic, 0, valuesOf(`${round} committed`))
    await producer.commit()

    // The broker has it, and its word is lost: it may come back later, under the old epoch.
    const lost = Promise.withResolvers<void>()
    proxy.judge = ({ api: key, at }) => {
      if (key !== api.produce || at !== 'answer') return 'pass'
      lost.resolve()
      return 'silence'
    }
    producer.begin()
    const sent = producer.send(topic, 0, valuesOf(`${round} in doubt`)).catch((error: Error) => error)
    await lost.promise
    const aborted = producer.abort()
    proxy.judge = () => 'pass'
    await aborted
    expect(await sent).toMatchObject({ code: 'CLOSED' })
  }
  producer.begin()
  await producer.send(topic, 0, valuesOf('last'))
  await producer.commit()
  await producer.close()
  const all = Array.from({ length: rounds }, (_, round) => `${round} committed`)
  expect((await readRecords(direct, topic)).map(({ value }) => value)).toEqual([...all, 'last'])

  const reader = direct.reader({ isolation: 'uncommitted' })
  const [{ offset: end }] = await direct.admin.endOffsets([{ topic, partition: 0 }], 'uncommitted')
  const epochs = new Map<string, number>()
  for (let offset = 0; offset < end; ) {
    const [fetched] = await reader.fetch([{ topic, partition: 0, offset }], {
      maxBytes: 1 << 20,
      maxBytesPerPartition: 1 << 20,
      maxWaitMs: 100,
    })
    if (fetched === undefined) continue
    for (const batch of fetched.batches) {
      const value = batch.buffer.toString('utf8', batch.valueStart[0], batch.valueEnd[0])
      epochs.set(value, batchHeader(batch.buffer, batch.base - RECORDS).producerEpoch)
    }
    offset = fetched.next
  }
  await reader.close()
  const epochOf = (value: string) => epochs.get(value) ?? Number.NaN
  for (let round = 0; round < rounds; round++) {
    expect(epochOf(`${round} in doubt`)).toBe(epochOf(`${round} committed`))
    const next = round + 1 < rounds ? `${round + 1} committed` : 'last'
    expect(epochOf(next)).toBeGreaterThan(epochOf(`${round} in doubt`))
  }
})
