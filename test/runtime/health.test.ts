import { expect, it, vi } from 'vitest'
import { MillraceError } from '../../src/errors.ts'
import {
  count,
  groupByKey,
  json,
  mapValues,
  RejectedRecord,
  stream,
  string,
  to,
  topology,
  toStream,
  tumbling,
  windowed,
  windowedBy,
} from '../../src/index.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { type RunHooks, run } from '../../src/runtime/run.ts'
import type { SinkDefinition } from '../../src/sinks/sink.ts'
import { keptLog } from '../support/log-lines.ts'
import { parseMetrics, sumOf } from '../support/metrics.ts'
import { writeRecords } from '../support/records.ts'

async function started(sink: SinkDefinition<string | null, { n: number }>, hooks?: RunHooks) {
  const log = memoryLog()
  await log.connect()
  await log.admin.create(['in', 'out'].map((topic) => ({ topic, partitions: 1 })))
  const source = stream('in', { key: string(), value: json<{ n: number }>() }).pipe(
    mapValues((value) => {
      if (value.n < 0) throw new RejectedRecord('negative')
      return value
    }),
  )
  const app = topology('watched', [
    source.pipe(
      groupByKey(),
      windowedBy(tumbling(1_000)),
      count('per-second'),
      toStream(),
      to('out', { key: windowed(string()), value: json<number | null>() }),
    ),
    source.pipe(to(sink)),
  ])
  const { logger, lines } = keptLog()
  const running = await run(app, { log, logger, commitIntervalMs: 10, stopTimeoutMs: 50, http: { port: 0 } }, hooks)
  const get = async (page: string) => fetch(`http://127.0.0.1:${running.httpPort}/${page}`)
  return { log, lines, running, get }
}

const working: SinkDefinition<string | null, { n: number }> = {
  kind: 'test',
  name: 'test:rows',
  mode: 'append',
  parameters: {},
  open: async ({ onRetry }) => ({
    async write() {
      onRetry(new Error('once'))
      return []
    },
    close: async () => {},
  }),
}

it('counts every record once: processed, dropped by reason, or dead-lettered', async () => {
  const { log, lines, running, get } = await started(working)
  await writeRecords(log, 'in', [
    { key: 'a', value: '{"n":1}', timestamp: 10_000 },
    { key: 'a', value: '{"n":2}', timestamp: 10_500 },
    { key: 'b', value: '{"n":3}', timestamp: 2_000 },
    { key: null, value: '{"n":4}', timestamp: 10_000 },
    { key: 'c', value: '{"n":', timestamp: 10_000 },
    { key: 'd', value: '{"n":-1}', timestamp: 10_000 },
  ])
  await running.caughtUp()
  const text = await (await get('metrics')).text()
  const samples = parseMetrics(text)
  const sum = (name: string, labels = {}) => sumOf(samples, `millrace_${name}`, labels)
  expect(sum('records_in_total')).toBe(6)
  expect(sum('records_dropped_total', { reason: 'null-key' })).toBe(1)
  expect(sum('records_dropped_total', { reason: 'late' })).toBe(1)
  expect(sum('records_dead_lettered_total', { reason: 'UNDECODABLE_RECORD' })).toBe(1)
  expect(sum('records_dead_lettered_total', { reason: 'negative' })).toBe(1)
  // A late record is left out by the window, not by the sink beside it.
  expect(sum('sink_rows_total')).toBe(6 - 1 - 2)
  expect(sum('sink_retries_total')).toBeGreaterThan(0)
  expect(sum('store_entries')).toBe(1)
  expect(sum('lag_records')).toBe(0)
  expect(sum('commit_seconds_count')).toBeGreaterThan(0)
  for (const line of text.split('\n').filter((line) => line.startsWith('# TYPE millrace_'))) {
    const [, , name, type] = line.split(' ')
    if (type === 'counter') expect(name).toMatch(/_total$/)
    else expect(name).not.toMatch(/_total$/)
  }
  const letters = lines.filter(({ msg }) => msg === 'record sent to the dead letters')
  expect(letters.map(({ topic, partition, offset }) => [topic, partition, offset])).toEqual([
    ['in', 0, 4],
    ['in', 0, 5],
  ])
  await running.stop()
})

it('counts once what a commit that failed has done again', async () => {
  let failures = 3
  const { log, running, get } = await started(working, {
    onStep(step) {
      if (step === 'offsets' && failures-- > 0)
        throw new MillraceError('UNAVAILABLE', 'broken off', { retriable: true })
    },
  })
  await writeRecords(log, 'in', [
    { key: 'a', value: '{"n":1}', timestamp: 10_000 },
    { key: 'b', value: '{"n":2}', timestamp: 2_000 },
    { key: 'c', value: '{"n":', timestamp: 10_000 },
  ])
  await running.caughtUp()
  const samples = parseMetrics(await (await get('metrics')).text())
  expect(failures).toBeLessThan(0)
  expect(sumOf(samples, 'millrace_records_in_total')).toBe(3)
  expect(sumOf(samples, 'millrace_records_out_total', { topic: 'out' })).toBe(1)
  expect(sumOf(samples, 'millrace_records_dropped_total')).toBe(1)
  expect(sumOf(samples, 'millrace_records_dead_lettered_total')).toBe(1)
  // The sink was really written to each time: its rows are attempts.
  expect(sumOf(samples, 'millrace_sink_rows_total')).toBe(2 * 4)
  await running.stop()
})

it('is alive and ready while it runs, and says where else there is something', async () => {
  const { running, get } = await started(working)
  await running.ready()
  for (const page of ['healthz', 'readyz']) {
    const answer = await get(page)
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({ phase: 'running', waitingFor: {} })
  }
  expect(await (await get('nothing')).text()).toContain('/metrics, /healthz and /readyz')
  await running.stop()
})

it('is alive, not ready, and names what it waits for while a sink cannot be opened', async () => {
  const away = async () => {
    throw new MillraceError('UNAVAILABLE', 'nobody there', { retriable: true })
  }
  const { lines, running, get } = await started({ ...working, open: away })
  await vi.waitUntil(() => running.state.waitingFor.size > 0)
  expect((await get('healthz')).status).toBe(200)
  const ready = await get('readyz')
  expect(ready.status).toBe(503)
  expect(await ready.json()).toMatchObject({ waitingFor: { 'sink test:rows': 'nobody there' } })
  expect(lines.some(({ msg }) => msg === 'waiting for sink test:rows')).toBe(true)
  expect(await (await get('metrics')).text()).toContain('millrace_waiting_dependencies{application="watched"} 1')
  await running.stop()
})
