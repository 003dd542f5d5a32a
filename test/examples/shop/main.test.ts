import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

vi.setConfig({ testTimeout: 120_000 })

/** `npm start` as a newcomer meets it: a process, its words and its exit code. */
let data: string
const children = new Set<ChildProcess>()

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'millrace-shop-'))
})
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
})

function shop(argv: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const own = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/KAFKA|REGISTRY|CLICKHOUSE|S3/.test(name)),
  )
  const child = spawn(process.execPath, ['-C', 'millrace-source', 'examples/shop/main.ts', '--data', data, ...argv], {
    env: { ...own, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.add(child)
  const said = { out: '', err: '' }
  child.stdout.on('data', (text) => (said.out += text))
  child.stderr.on('data', (text) => (said.err += text))
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...said }))
  return { child, said, ended }
}

it('ends with the same totals when it was killed half way', async () => {
  const straight = await shop(['--json', '--records', '20000']).ended
  data = mkdtempSync(join(tmpdir(), 'millrace-shop-'))
  const killed = shop(['--records', '20000', '--log'])
  // Some of it has been committed, and it is not at its end.
  await vi.waitUntil(() => killed.said.err.includes('record sent to the dead letters'), {
    timeout: 60_000,
    interval: 5,
  })
  killed.child.kill('SIGKILL')
  await killed.ended
  const again = await shop(['--json']).ended
  expect(again).toMatchObject({ code: 0, err: '' })
  const { seconds: _, lakeFiles: __, ...totals } = JSON.parse(again.out)
  expect(JSON.parse(straight.out)).toMatchObject(totals)
  expect(totals).toMatchObject({ transactions: 20_000, problems: [] })
})

it('says in plain lines what it did and how to look further, and goes on the next time', async () => {
  const first = await shop(['--records', '3000']).ended
  expect(first).toMatchObject({ code: 0, err: '' })
  expect(first.out).not.toContain('\u001b')
  for (const words of [
    'log         embedded',
    '3,000 transactions',
    'Checked against an independent',
    'shop:sql',
    'ls ',
  ]) {
    expect(first.out).toContain(words)
  }
  expect(
    Math.max(
      ...first.out
        .split('\n')
        .filter((line) => !line.includes(data))
        .map((line) => line.length),
    ),
  ).toBeLessThanOrEqual(80)
  const second = await shop(['--records', '500', '--json']).ended
  expect(JSON.parse(second.out)).toMatchObject({ transactions: 3_500, problems: [] })
  const fresh = await shop(['--records', '500', '--fresh', '--json', '--seed', '9']).ended
  expect(JSON.parse(fresh.out)).toMatchObject({ transactions: 500, seed: 9, problems: [] })
})

it('follows until it is told to stop; the next run finishes and checks', async () => {
  const following = shop(['--follow', '--http', '0', '--log'])
  await vi.waitUntil(() => / running {2}[1-9][\d,]* written/.test(following.said.out), {
    timeout: 60_000,
    interval: 20,
  })
  following.child.kill('SIGTERM')
  const ended = await following.ended
  expect(ended.code).toBe(0)
  expect(ended.out).toContain('Stopped. "npm start" goes on from here')
  const next = await shop(['--json']).ended
  expect(next.code).toBe(0)
  const { target } = JSON.parse(readFileSync(join(data, 'shop.json'), 'utf8'))
  expect(JSON.parse(next.out)).toMatchObject({ transactions: target, problems: [] })
})

it('answers a mistake in words: a code, what, where, and what to do', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const taken = (server.address() as AddressInfo).port
  const cases: readonly (readonly [string[], NodeJS.ProcessEnv, RegExp])[] = [
    [['--bogus'], {}, /INVALID_OPTION: Unknown option '--bogus'\n {2}→ /],
    [
      [],
      { KAFKA_BROKERS: '127.0.0.1:1' },
      /UNAVAILABLE: Kafka at 127.0.0.1:1 cannot be reached.*\n {2}→ is Kafka running/,
    ],
    [
      [],
      { SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1' },
      /UNAVAILABLE: the schema registry http:..127.0.0.1:1.*\n {2}→ is it running/,
    ],
    [['--http', `${taken}`, '--records', '1'], {}, new RegExp(`PORT_IN_USE: port ${taken} .*\\n {2}→ choose another`)],
    [['--data', '/dev/null/data'], {}, /DATA_DIRECTORY: .*\/dev\/null\/data.*\n {2}→ look at its permissions/],
  ]
  const answers = await Promise.all(
    cases.map(([argv, env], i) => shop(['--data', join(data, `${i}`), ...argv], env).ended),
  )
  server.close()
  for (const [i, { code, err }] of answers.entries()) {
    expect(code).toBe(1)
    expect(err).toMatch(cases[i][2])
    expect(err).not.toMatch(/\n\s+at /)
  }
})
