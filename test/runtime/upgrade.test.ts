import { describe, expect, it } from 'vitest'
import {
  count,
  filter,
  groupByKey,
  join,
  json,
  merge,
  type Output,
  output,
  process,
  stream,
  string,
  table,
  to,
  topology,
  toStream,
  tumbling,
  untilWindowCloses,
  windowed,
  windowedBy,
} from '../../src/index.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { run } from '../../src/runtime/run.ts'
import { readRecords, writeRecords } from '../support/records.ts'

const orders = stream('orders', { key: string(), value: string() })
const text = { key: string(), value: string() }

/** What is there in every version: windows that are final once, by the time of their operator. */
const finals = orders.pipe(
  groupByKey(),
  windowedBy(tumbling(10)),
  count('per-ten'),
  untilWindowCloses(),
  to('finals', { key: windowed(string(), { size: 10 }), value: json() }),
)

/** What comes and goes beside it. */
const others: Readonly<Record<string, () => Output>> = {
  'a stateless operator before it': () =>
    orders.pipe(
      filter((value) => value !== ''),
      to('others', text),
    ),
  'a window of its own': () =>
    orders.pipe(
      groupByKey(),
      windowedBy(tumbling(1_000)),
      count('an-hour'),
      toStream(),
      to('others', { key: windowed(string(), { size: 1_000 }), value: json() }),
    ),
  'another topic, read by the same task': () => orders.pipe(merge(stream('addresses', text)), to('others', text)),
  'a table that the stream is joined with': () =>
    orders.pipe(
      join('named', table('customers', { ...text, store: 'customers' }), (order, name) => `${order} of ${name}`),
      to('others', text),
    ),
  'an operator with a time of its own': () =>
    stream('addresses', text).pipe(
      process('moves', { output: output<string, string>() }, ({ forward }) => ({
        process: (value, key) => forward(key, value),
      })),
      merge(orders),
      to('others', text),
    ),
}

/** Runs one version over what has come since the last. */
async function version(log: ReturnType<typeof memoryLog>, outputs: readonly Output[]): Promise<void> {
  const running = await run(topology('app', outputs), { log, logger: false })
  await running.caughtUp()
  await running.stop()
  await log.connect()
}

async function prepared() {
  const log = memoryLog()
  await log.connect()
  await log.admin.create(
    ['orders', 'addresses', 'customers', 'finals', 'others'].map((topic) => ({ topic, partitions: 1 })),
  )
  return log
}

describe('a final result stays the only one when a new version', () => {
  it.each(Object.entries(others))('adds %s, and when the next takes it away', async (_, other) => {
    const log = await prepared()
    const order = (value: string, timestamp: number) => writeRecords(log, 'orders', [{ key: 'a', value, timestamp }])
    await order('one', 1)
    await order('two', 25)
    await version(log, [finals])
    // Late for the window that is over, wherever time is taken from.
    await order('late', 2)
    await version(log, [other(), finals])
    await order('late again', 3)
    await order('three', 40)
    await order('late for the second', 21)
    await version(log, [other(), finals])
    await order('late once more', 4)
    await version(log, [finals])
    expect((await readRecords(log, 'finals')).map(({ value }) => value)).toEqual(['1', '1'])
  })
})
