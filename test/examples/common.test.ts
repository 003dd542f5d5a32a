import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { type Arrival, arrivals, type Input, START } from '../../examples/common/arrivals.ts'
import { feed } from '../../examples/common/feed.ts'
import { helpFor, readOptions } from '../../examples/common/options.ts'
import { openParts } from '../../examples/common/parts.ts'
import { readTopic } from '../../examples/common/read-topic.ts'
import { fraudExample } from '../../examples/fraud/example.ts'
import { json, minutes, seconds } from '../../src/index.ts'
import { fates, partsInMemory } from './play.ts'

const inputs: Input[] = Array.from({ length: 10_000 }, (_, i) => ({
  topic: i % 4 === 0 ? 'rows' : 'events',
  key: `key-${i % 100}`,
  value: { i },
  timestamp: START + i * 1_000,
}))

it('delivers records as life does, and the same way for the same seed', () => {
  const sent = arrivals(1, inputs, ['rows'])
  expect(arrivals(1, inputs, ['rows'])).toEqual(sent)
  expect(arrivals(2, inputs, ['rows'])).not.toEqual(sent)
  const { copy, late, broken, 'in time': inTime } = fates(sent)
  for (const n of [copy, late, broken]) expect(n).toBeGreaterThan(10)
  expect(inTime + late).toBe(inputs.length)
  expect(sent.every(({ topic, fate }) => topic === 'events' || fate === 'in time')).toBe(true)
  let latest = 0
  for (const { fate, timestamp } of sent) {
    if (fate === 'late') expect(latest - timestamp).toBeGreaterThan(minutes(44))
    else expect(latest - timestamp).toBeLessThan(seconds(5))
    latest = Math.max(latest, timestamp)
  }
})

const written: Arrival[] = arrivals(1, inputs.slice(0, 500))
const topics = { rows: json<object>(), events: json<object>() }

it('writes each record once, however often it is asked to, and nothing over another run', async () => {
  const { log: open, registry, name } = partsInMemory('example')
  const log = open()
  await log.connect()
  const write = (records: readonly Arrival[]) =>
    feed({ log, registry, name, inputs: topics, outputs: ['out'] }, records)
  await write(written.slice(0, 200))
  await write(written)
  await write(written)
  for (const topic of Object.keys(topics)) {
    const times: number[] = []
    for await (const { timestamp } of readTopic(log, `example-${topic}`)) times.push(timestamp)
    const wanted = written.filter((of) => of.topic === topic).map(({ timestamp }) => timestamp)
    expect(times.sort()).toEqual(wanted.sort())
  }
  await expect(write(written.slice(1))).rejects.toThrow(/another run[\s\S]*--name/)
  await log.close()
})

it('has defaults for everything, and answers mistakes with what to write', () => {
  const read = (...argv: string[]) => readOptions(argv, 'fraud', 20_000)
  expect(read()).toMatchObject({ records: 20_000, seed: 42, name: 'fraud', describe: false, log: false })
  expect(read('--records', '5,000', '--name', 'f2')).toMatchObject({ records: 5_000, name: 'f2' })
  expect(read('--help', '--records', 'x')).toBe('help')
  expect(() => read('--bogus')).toThrow(/'--bogus'\n.*npm run fraud -- --help/)
  expect(() => read('--records', '5')).toThrow(/--records 5\n.*from 100/)
  expect(() => read('--seed', 'x')).toThrow(/whole number/)
  expect(() => read('--name', 'a b')).toThrow(/letters/)
  const help = helpFor('fraud', fraudExample.about, 20_000)
  expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
  for (const option of ['records', 'seed', 'name', 'data', 'describe', 'log']) expect(help).toContain(`--${option}`)
})

it('begins anew only where an example has been, and deletes nothing else', async () => {
  const data = mkdtempSync(join(tmpdir(), 'millrace-example-'))
  mkdirSync(join(data, 'log'))
  writeFileSync(join(data, 'log', 'diary.txt'), 'mine')
  const open = (dry: boolean) => openParts({}, { name: 'example', data, sinks: [], dry })
  await open(true)
  await open(false)
  expect(existsSync(join(data, 'log', 'diary.txt'))).toBe(true)
  writeFileSync(join(data, 'letter.txt'), 'mine, too')
  await open(true)
  expect(existsSync(join(data, 'log'))).toBe(true)
  await open(false)
  expect(existsSync(join(data, 'log'))).toBe(false)
  expect(existsSync(join(data, 'letter.txt'))).toBe(true)
})

/** An example as a newcomer meets it: a process, its words and its exit code. */
async function program(example: string, ...argv: string[]) {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/KAFKA|REGISTRY|CLICKHOUSE|S3/.test(name)),
  )
  const child = spawn(process.execPath, ['-C', 'millrace-source', `examples/${example}/main.ts`, ...argv], { env })
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code, out, err }
}

it('is a program: it runs on embedded parts, checks its sinks, and says what to look at next', async () => {
  const data = join(mkdtempSync(join(tmpdir(), 'millrace-example-')), 'quality')
  const ran = await program('quality', '--records', '2000', '--data', data)
  expect(ran).toMatchObject({ code: 0, err: '' })
  for (const words of ['log         embedded', 'clean orders', 'Checked against a plain', 'Look further', data]) {
    expect(ran.out).toContain(words)
  }
  const mistaken = await program('fraud', '--bogus')
  expect(mistaken.code).toBe(1)
  expect(mistaken.err).toMatch(/INVALID_OPTION: Unknown option '--bogus'\n {2}→ /)
  expect(mistaken.err).not.toMatch(/\n\s+at /)
}, 60_000)
