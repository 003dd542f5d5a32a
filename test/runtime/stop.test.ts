import { expect, it, vi } from 'vitest'
import { MillraceError } from '../../src/errors.ts'
import { stream, string, to, topology } from '../../src/index.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { run } from '../../src/runtime/run.ts'
import type { SinkDefinition } from '../../src/sinks/sink.ts'
import { writeRecords } from '../support/records.ts'

const away = () => Promise.reject(new MillraceError('UNAVAILABLE', 'nobody there', { retriable: true }))

/** A sink that can be away when it is opened, or when it is written to. */
function sink({ opens }: { readonly opens: boolean }): SinkDefinition<string, string> {
  return {
    kind: 'test',
    name: 'test:sink',
    mode: 'upsert',
    parameters: {},
    open: opens ? async () => ({ write: away, close: async () => {} }) : away,
  }
}

async function running(opens: boolean, stopTimeoutMs: number) {
  const log = memoryLog()
  await log.connect()
  await log.admin.create([{ topic: 'in', partitions: 1 }])
  await writeRecords(log, 'in', [{ key: 'a', value: 'x', timestamp: 1 }])
  const app = topology('app', [stream('in', { key: string(), value: string() }).pipe(to(sink({ opens })))])
  return run(app, { log, logger: false, commitIntervalMs: 10, stopTimeoutMs, handleSignals: true })
}

it.each([
  ['opened', false],
  ['written to', true],
])('stops although a sink is away while it is %s, after the time given', async (_, opens) => {
  const app = await running(opens, 50)
  await vi.waitUntil(() => app.state.waitingFor.has('sink test:sink'))
  expect(app.state.waitingFor.get('sink test:sink')).toBe('nobody there')
  await app.stop()
  expect(app.state.phase).toBe('stopped')
  await app.done
})

it('does not wait after a second signal', async () => {
  const app = await running(true, 3_600_000)
  await vi.waitUntil(() => app.state.waitingFor.size > 0)
  process.emit('SIGTERM')
  process.emit('SIGTERM')
  await app.done
  expect(app.state.phase).toBe('stopped')
})

it('takes a time to stop in that is above 0', async () => {
  await expect(running(true, 0)).rejects.toMatchObject({ code: 'INVALID_OPTION' })
})
