import { it } from 'vitest'
import { count, groupBy, json, stream, string, to, topology, toStream } from '../../src/index.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { run } from '../../src/runtime/run.ts'
import { manualClock } from '../../src/time.ts'
import { readRecords, writeRecords } from '../support/records.ts'

/** More than one fetch brings of a partition. */
const RECORDS = 500
const VALUE = 'x'.repeat(5_000)

it('an input that was full when a fetch began is read on while that waits for another that is empty', async () => {
  // The clock stands still: no wait of a fetch ends by itself.
  const clock = manualClock(1_000_000)
  const log = memoryLog({ clock })
  await log.connect()
  await log.admin.create(['in', 'out'].map((topic) => ({ topic, partitions: 1 })))
  for (let i = 0; i < RECORDS; i++) await writeRecords(log, 'in', [{ key: `k${i}`, value: VALUE, timestamp: i }])
  const counting = topology('counting', [
    stream('in', { key: string(), value: string() }).pipe(
      groupBy(() => 'all'),
      count('all'),
      toStream(),
      to('out', { key: string(), value: json() }),
    ),
  ])
  // No room is left after the first fetch, and what has been repartitioned is read when it has been committed.
  const running = await run(counting, {
    log,
    clock,
    guarantee: 'exactly-once',
    maxBufferedBytes: 2_000,
    commitIntervalMs: 60_000,
    transactionTimeoutMs: 120_000,
    logger: false,
    handleSignals: false,
  })
  const last = async () => Number((await readRecords(log, 'out')).at(-1)?.value)
  for (let turn = 0; (await last()) !== RECORDS; turn++) {
    if (turn > 20_000) throw new Error(`stands still; ${JSON.stringify({ last: await last(), lag: running.lag() })}`)
    await new Promise(setImmediate)
  }
  await running.stop()
})
