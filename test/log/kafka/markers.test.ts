import { beforeEach, describe, expect, it, vi } from 'vitest'
import { coordinator } from '../../../src/log/kafka/coordinator.ts'
import { markers, noEnds } from '../../../src/log/kafka/markers.ts'
import { type EndsById, kafkaProducer } from '../../../src/log/kafka/producer.ts'
import type { LogProducer } from '../../../src/log/log.ts'
import { valuesOf } from '../../../src/testing/contracts/log/fixture.ts'
import { manualClock } from '../../../src/time.ts'
import { fakeTransactions } from './fake-transactions.ts'

const INVALID_PRODUCER_EPOCH = 47
const INVALID_TXN_STATE = 48
const stamp = { group: 'g', memberId: 'm', epoch: 1 }

let broker: ReturnType<typeof fakeTransactions>
let ends: EndsById
beforeEach(() => {
  broker = fakeTransactions()
  ends = new Map()
})

/** A producer that gives up soon. */
async function started(): Promise<LogProducer> {
  const producer = kafkaProducer(
    broker.transport,
    { transactionalId: 'id' },
    { requestTimeoutMs: 10, deliveryTimeoutMs: 10 },
    ends,
  )
  await producer.init()
  return producer
}

async function transaction(producer: LogProducer, topic: string, end: 'commit' | 'abort'): Promise<void> {
  producer.begin()
  await producer.send(topic, 0, valuesOf('v'))
  await producer.sendOffsets([{ topic: 'in', partition: 0, offset: 1 }], stamp)
  await producer[end]()
}

/** What the broker is told from now on. */
const heard = () => broker.said.splice(0)
const away = Array.from({ length: 100 }, () => 'away' as const)

describe('after a connection broke', () => {
  it('markers are written again, as each transaction ended, although nobody begins another one', async () => {
    const producer = await started()
    await transaction(producer, 'a', 'commit')
    await transaction(producer, 'b', 'abort')
    await transaction(producer, 'c', 'commit')
    heard()
    broker.breakConnection()
    await vi.waitUntil(() => broker.said.length === 5)
    expect(heard()).toEqual(['0: add b/0', '0: abort', '0: add a/0 c/0', '0: add offsets of g', '0: commit'])
    await producer.close()
    expect(heard()).toEqual([])
  })

  it('the next transaction comes after them', async () => {
    const producer = await started()
    await transaction(producer, 'a', 'commit')
    heard()
    broker.breakConnection()
    await transaction(producer, 'b', 'abort')
    expect(heard().slice(0, 4)).toEqual(['0: add a/0', '0: add offsets of g', '0: commit', '0: add b/0'])
    await producer.close()
  })

  it('a transaction that is open ends first', async () => {
    const producer = await started()
    await transaction(producer, 'a', 'commit')
    producer.begin()
    await producer.send('b', 0, valuesOf('v'))
    heard()
    broker.breakConnection()
    await producer.send('b', 0, valuesOf('w'))
    expect(heard()).toEqual([])
    await producer.commit()
    await vi.waitUntil(() => broker.said.length === 4)
    expect(heard()).toEqual(['0: commit', '0: add a/0 b/0', '0: add offsets of g', '0: commit'])
    await producer.close()
  })

  it('it goes on trying while the broker is away', async () => {
    const producer = await started()
    await transaction(producer, 'a', 'commit')
    heard()
    broker.faults.set('AddPartitionsToTxn', away.slice(0, 5))
    broker.breakConnection()
    await vi.waitUntil(() => broker.said.length === 3)
    expect(heard()).toEqual(['0: add a/0', '0: add offsets of g', '0: commit'])
    await producer.close()
  })

  it('a topic that may not be written to any more keeps the others from nothing', async () => {
    const producer = await started()
    await transaction(producer, 'a', 'commit')
    await transaction(producer, 'b', 'commit')
    heard()
    broker.forbidden.add('a')
    broker.breakConnection()
    await vi.waitUntil(() => broker.said.length === 4)
    expect(heard()).toEqual(['0: add a/0 b/0', '0: add b/0', '0: add offsets of g', '0: commit'])
    await producer.close()
  })

  it('a producer that is fenced meanwhile learns so from its next transaction', async () => {
    const producer = await started()
    await transaction(producer, 'a', 'commit')
    heard()
    broker.faults.set('AddPartitionsToTxn', [INVALID_PRODUCER_EPOCH])
    broker.breakConnection()
    await vi.waitUntil(() => broker.said.length === 1)
    await expect(transaction(producer, 'a', 'commit')).rejects.toMatchObject({ code: 'FENCED' })
    await producer.close()
  })

  it('a producer that has written nothing says nothing', async () => {
    const producer = await started()
    heard()
    broker.breakConnection()
    await producer.close()
    expect(heard()).toEqual([])
  })
})

it('a connection that breaks long after the last transaction, or after the markers were written again, is no reason', async () => {
  const clock = manualClock(0)
  const locate = () => broker.transport.coordinator('id', 'transaction')
  const marked = markers('id', coordinator(broker.transport, locate, 10), noEnds(), clock)
  const end = () => marked.ended('commit', { partitions: [{ topic: 'a', partition: 0 }], groups: [] })
  const isDueAfter = (ms: number) => {
    clock.advance(ms)
    marked.broken()
    return marked.isDue
  }
  end()
  expect(isDueAfter(299_000)).toBe(true)
  await marked.settle({ producerId: 7, epoch: 0 })
  expect(isDueAfter(30_000)).toBe(false)
  end()
  expect(isDueAfter(300_000)).toBe(false)
  end()
  expect(isDueAfter(1)).toBe(true)
  await marked.settle({ producerId: 7, epoch: 0 })
  expect(isDueAfter(29_000)).toBe(true)
})

describe('when the end of a transaction was not seen, the next producer asks, and marks it', () => {
  it.each([
    ['it was committed', INVALID_TXN_STATE, 'commit'],
    ['it was aborted now', 0, 'abort'],
    ['it had expired', INVALID_PRODUCER_EPOCH, 'abort'],
  ] as const)('%s', async (_, answer, end) => {
    const producer = await started()
    broker.faults.set('EndTxn', [...away])
    await expect(transaction(producer, 'a', 'commit')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await expect(producer.abort()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await producer.close()
    broker.faults.set('EndTxn', [answer])
    heard()
    const next = await started()
    expect(heard()).toEqual(['0: abort', 'init', '1: add a/0', '1: add offsets of g', `1: ${end}`])
    await next.close()
  })

  it('fenced again before it has done so, it learns so from its next transaction', async () => {
    const producer = await started()
    broker.faults.set('EndTxn', [...away])
    await expect(transaction(producer, 'a', 'commit')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await producer.close()
    broker.faults.set('EndTxn', [INVALID_PRODUCER_EPOCH])
    broker.faults.set('AddPartitionsToTxn', [INVALID_PRODUCER_EPOCH])
    const next = await started()
    expect(() => next.begin()).toThrow(expect.objectContaining({ code: 'FENCED' }))
    await next.close()
  })

  it('of one that never reached the coordinator nothing is marked, and what ended before it stands', async () => {
    const producer = await started()
    await transaction(producer, 'a', 'commit')
    broker.faults.set('AddPartitionsToTxn', [...away])
    producer.begin()
    await expect(producer.send('b', 0, valuesOf('v'))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    broker.faults.clear()
    broker.faults.set('EndTxn', [INVALID_TXN_STATE])
    heard()
    await producer.abort()
    expect(heard()).toEqual(['0: abort', 'init', '1: add a/0', '1: add offsets of g', '1: commit'])
    await producer.close()
  })
})
