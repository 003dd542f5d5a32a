import { describe, expect, it, vi } from 'vitest'
import { peek, type SinkDefinition, stream, string, to, topology } from '../../src/index.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { type RunHooks, run } from '../../src/runtime/run.ts'
import type { SinkBatch } from '../../src/sinks/sink.ts'
import { batchOf } from '../../src/testing/contracts/log/fixture.ts'

/**
 * An application that died when its append sink had written a batch and nothing was committed. The range that it had
 * planned ends behind an offset at which there is no record: of an aborted transaction, as of the marker of any on Kafka.
 */
async function planned({ aborted }: { readonly aborted: number }) {
  const log = memoryLog()
  await log.connect()
  await log.admin.create([{ topic: 'in', partitions: 1 }])
  const producer = log.producer({ transactionalId: 'feed' })
  await producer.init()
  const transaction = async (values: readonly string[], end: 'commit' | 'abort') => {
    producer.begin()
    await producer.send('in', 0, batchOf(...values.map((value) => ['k', value] as const)))
    await producer[end]()
  }
  const written: SinkBatch<string, string>[] = []
  const sink: SinkDefinition<string, string> = {
    kind: 'test',
    name: 'test:sink',
    mode: 'append',
    parameters: {},
    async open() {
      const write = async (batch: SinkBatch<string, string>) => {
        written.push(batch)
        return []
      }
      return { write, close: async () => {} }
    },
  }
  let seen = 0
  const job = topology('job', [
    stream('in', { key: string(), value: string() }).pipe(
      peek(() => void seen++),
      to(sink),
    ),
  ])
  const start = (commitIntervalMs: number, hooks?: RunHooks) =>
    run(job, { log: log.peer(), logger: false, commitIntervalMs, transactionTimeoutMs: 2 * commitIntervalMs }, hooks)

  await transaction(['a', 'b', 'c'], 'commit')
  if (aborted > 0) await transaction(Array<string>(aborted).fill('not this'), 'abort')
  const first = await start(300_000, {
    onStep(step) {
      if (step === 'produce') throw new Error('dies in its commit')
    },
  })
  await vi.waitUntil(() => seen === 3 && first.lag() === 0)
  const death = expect(first.done).rejects.toThrow('dies in its commit')
  await first.stop().catch(() => {})
  await death
  const [before] = written.splice(0)
  return { before, written, transaction, start }
}

const contents = ({ range: { firstOffset, lastOffset }, values }: SinkBatch<string, string>) => ({
  from: firstOffset,
  to: lastOffset,
  values,
})

describe.each([0, 1, 3])('a planned range that ends behind %i offsets without a record', (aborted) => {
  it('is replayed as it was, and what has come since by itself', async () => {
    const { before, written, transaction, start } = await planned({ aborted })
    expect(contents(before)).toEqual({ from: 0, to: 2 + aborted, values: ['a', 'b', 'c'] })
    await transaction(['nor this'], 'abort')
    await transaction(['d', 'e'], 'commit')
    const second = await start(5)
    await vi.waitUntil(() => written.length >= 2, { timeout: 5_000 })
    await second.caughtUp()
    await second.stop()
    expect(written[0]).toEqual(before)
    const end = 2 + aborted + 1 + 2
    expect(contents(written[1])).toEqual({ from: 3 + aborted, to: end, values: ['d', 'e'] })
    expect(written.length).toBe(2)
  })

  it('is committed when nothing has come since', async () => {
    const { before, written, start } = await planned({ aborted })
    const second = await start(5)
    await second.caughtUp()
    await second.stop()
    expect(written).toEqual([before])
  })
})
