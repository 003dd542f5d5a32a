import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { readTopic } from '../../examples/common/read-topic.ts'
import { expected } from '../../examples/shop/expected.ts'
import { PARTITIONS } from '../../examples/shop/feed.ts'
import type { Log } from '../../src/index.ts'
import { kafka } from '../../src/log/kafka/index.ts'
import { type EmbeddedClickHouse, embeddedClickHouse } from '../../src/sinks/clickhouse/index.ts'
import { sumOf } from '../support/metrics.ts'
import { kafkaBrokers, uniqueName } from '../support/services.ts'
import { type ShopInstance, shopInstance } from '../support/shop-instance.ts'

/** The main job on a real Kafka, registry and S3 server: two instances, one of them killed and started again. */
const RECORDS = Number(process.env.SHOP_RECORDS ?? 200_000)
const SEED = 42
const NAME = uniqueName('shop')
const TRANSACTIONS = `${NAME}-transactions`
const REPARTITION = `${NAME}-revenue-repartition`

let engine: EmbeddedClickHouse
let data: string
let log: Log
const instances: ShopInstance[] = []

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'millrace-shop-'))
  engine = await embeddedClickHouse({ path: join(data, 'clickhouse') })
  log = kafka({ brokers: kafkaBrokers() })
  await log.connect()
})

afterAll(async () => {
  await Promise.all(instances.map((instance) => instance.end('SIGKILL')))
  await log.close()
  await engine.close()
  await rm(data, { recursive: true, force: true })
})

function shop(...args: string[]): ShopInstance {
  const common = ['--name', NAME, '--data', data, '--records', `${RECORDS}`, '--seed', `${SEED}`]
  const instance = shopInstance([...common, ...args], PARTITIONS, { ...process.env, CLICKHOUSE_URL: engine.url })
  instances.push(instance)
  return instance
}

const job = (instance: string) => shop('--job-only', '--log', '--http', '0', '--instance', instance)

/** Looks at the metrics of all that live, until they are as they should be. */
const until = (condition: () => boolean) =>
  vi.waitUntil(
    async () => {
      await Promise.all(instances.map((instance) => instance.scrape()))
      return condition()
    },
    { timeout: 60_000 + RECORDS / 5, interval: 50 },
  )

it('is exact and counts every record once with two instances, one killed with SIGKILL and started again', async () => {
  const first = job('first')
  const second = job('second')
  const share = (instance: ShopInstance) => instance.partitions(TRANSACTIONS)
  await until(() => [first, second].every((instance) => share(instance).length === PARTITIONS / 2))
  const feeding = shop('--feed-only')
  await until(() => [first, second].every((instance) => total(instance.committed(TRANSACTIONS)) > 0))
  await first.end('SIGKILL')
  expect(feeding.child.exitCode).toBeNull()

  // What the dead instance committed after it was last asked went uncounted with it: the group's offsets tell how much.
  const died = await committedOffsets()
  const uncounted = (topic: string) => {
    const had = first.partitions(topic)
    const known = sums([first.committed(topic), second.committed(topic)])
    return died[topic].map((offset, partition) => (had.includes(partition) ? offset - known[partition] : 0))
  }
  const lost = uncounted(TRANSACTIONS)
  // Offsets of a topic that is written in transactions have holes: so many at most.
  const lostBehind = total(uncounted(REPARTITION))
  for (const n of lost) expect(n).toBeGreaterThanOrEqual(0)

  const again = job('first')
  await until(() => again.output().includes('tasks assigned'))
  if (feeding.child.exitCode === null) await once(feeding.child, 'exit')
  const ends = await endOffsets(TRANSACTIONS)
  expect(total(ends)).toBe(RECORDS)
  const jobs = [first, second, again]
  const counted = (topic: string) => sums(jobs.map((instance) => instance.committed(topic)))
  const wanted = expected(SEED, RECORDS, PARTITIONS)
  const late = () => sumOver(jobs, 'records_dropped_total', { node: 'aggregate:revenue', reason: 'late' })
  await until(() => {
    const all = sums([counted(TRANSACTIONS), lost])
    // More than there is would never become equal: a record that counts twice fails here.
    for (const [partition, n] of all.entries()) expect(n).toBeLessThanOrEqual(ends[partition])
    expect(late()).toBeLessThanOrEqual(wanted.late)
    return all.every((n, partition) => n === ends[partition]) && late() >= wanted.late - lostBehind
  })

  // What is neither in a window nor late is a dead letter, with its reason.
  const letters = await deadLetters()
  const inGap = letters.filter(({ partition, offset }) => {
    const to = died[TRANSACTIONS][partition]
    return offset < to && offset >= to - lost[partition]
  })
  const reasons = Object.groupBy(letters, ({ reason }) => reason)
  for (const [reason, found = []] of Object.entries(reasons)) {
    const missed = inGap.filter((letter) => letter.reason === reason).length
    expect([reason, sumOver(jobs, 'records_dead_lettered_total', { reason }) + missed]).toEqual([reason, found.length])
  }
  expect(letters.length).toBe(total(Object.values(wanted.broken)))
  expect(sumOver(jobs, 'records_skipped_total')).toBe(0)

  await second.end('SIGTERM')
  expect(second.output()).not.toContain('"level":60')
  // The last instance joins, waits until the group has caught up, and checks everything, record by record.
  const last = shop('--json')
  const [code] = await once(last.child, 'exit')
  await again.end('SIGTERM')
  expect(last.output()).toContain('"problems":[]')
  expect(code).toBe(0)
  expect(JSON.parse(last.output())).toMatchObject({ transactions: RECORDS, late: wanted.late })
})

const total = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0)
const sums = (lists: readonly number[][]): number[] => lists[0].map((_, i) => total(lists.map((list) => list[i])))
const sumOver = (of: readonly ShopInstance[], name: string, labels = {}): number =>
  total(of.map(({ samples }) => sumOf(samples, `millrace_${name}`, labels)))

const partitionsOf = (topic: string) => Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }))

async function endOffsets(topic: string): Promise<number[]> {
  const ends = await log.admin.endOffsets(partitionsOf(topic))
  return ends.map(({ offset }) => offset)
}

/** Of the group, once the transaction that the dead instance may have left is over: as its successor ends it. */
async function committedOffsets(): Promise<Record<string, number[]>> {
  const successor = log.producer({ transactionalId: `${NAME}-first` })
  await successor.init()
  await successor.close()
  const ignore = async () => {}
  const group = log.group({
    group: NAME,
    topics: [],
    tasks: [],
    onRevoked: ignore,
    onAssigned: ignore,
    onLost: ignore,
    onError: () => {},
  })
  const topics = [TRANSACTIONS, REPARTITION]
  const committed = await group.committed(topics.flatMap(partitionsOf))
  await group.leave()
  return Object.fromEntries(
    topics.map((topic) => [
      topic,
      partitionsOf(topic).map(
        ({ partition }) => committed.find((of) => of.topic === topic && of.partition === partition)?.offset ?? 0,
      ),
    ]),
  )
}

async function deadLetters(): Promise<{ partition: number; offset: number; reason: string }[]> {
  const letters = []
  for await (const { headers } of readTopic(log, `${NAME}-dead-letters`)) {
    const found = new Map(headers.map(([name, value]) => [name, `${value}`]))
    const of = (what: string) => found.get(`__streams.errors.${what}`)!
    letters.push({ partition: Number(of('partition')), offset: Number(of('offset')), reason: of('exception') })
  }
  return letters
}
