import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { type EmbeddedClickHouse, embeddedClickHouse } from '../../src/sinks/clickhouse/index.ts'

/** The main job on a real Kafka, registry and S3 server: two instances, one of them killed and started again. */
const RECORDS = Number(process.env.SHOP_RECORDS ?? 200_000)
const NAME = `shop-${process.pid}-${Date.now()}`

let engine: EmbeddedClickHouse
let data: string
const running = new Set<ChildProcess>()

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'millrace-shop-'))
  engine = await embeddedClickHouse({ path: join(data, 'clickhouse') })
})

afterAll(async () => {
  for (const child of running) child.kill('SIGKILL')
  await engine.close()
})

function shop(...args: string[]): { child: ChildProcess; output: () => string } {
  const child = spawn(
    process.execPath,
    [
      '-C',
      'millrace-source',
      'examples/shop/main.ts',
      '--name',
      NAME,
      '--data',
      data,
      '--records',
      `${RECORDS}`,
      ...args,
    ],
    { env: { ...process.env, CLICKHOUSE_URL: engine.url }, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  running.add(child)
  child.once('exit', () => running.delete(child))
  let text = ''
  child.stdout!.on('data', (chunk) => {
    text += chunk
  })
  child.stderr!.on('data', (chunk) => {
    text += chunk
  })
  return { child, output: () => text }
}

const until = (condition: () => boolean) => vi.waitUntil(condition, { timeout: 60_000, interval: 50 })

it('is exact with two instances, one killed with SIGKILL and started again', async () => {
  const feeding = shop('--feed-only')
  const first = shop('--job-only', '--log', '--instance', 'first')
  const second = shop('--job-only', '--log', '--instance', 'second')
  await until(() => [first, second].every(({ output }) => output().includes('tasks assigned')))
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')
  const again = shop('--job-only', '--log', '--instance', 'first')
  await until(() => again.output().includes('tasks assigned'))
  if (feeding.child.exitCode === null) await once(feeding.child, 'exit')
  second.child.kill('SIGTERM')
  await once(second.child, 'exit')
  expect(second.output()).not.toContain('"level":60')
  // The last instance joins, takes part, waits until the group has caught up, and checks everything.
  const last = shop('--json')
  const [code] = await once(last.child, 'exit')
  again.child.kill('SIGTERM')
  expect(last.output()).toContain('"problems":[]')
  expect(code).toBe(0)
  const summary = JSON.parse(last.output())
  expect(summary.transactions).toBe(RECORDS)
})
