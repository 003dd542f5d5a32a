import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { embedded } from '../../../src/log/embedded/embedded.ts'
import { faults } from '../../support/faults.ts'
import { readRecords } from '../../support/records.ts'

let path: string
beforeAll(async () => {
  path = await mkdtemp(join(tmpdir(), 'millrace-kill-'))
})
afterAll(() => rm(path, { recursive: true, force: true }))

/** Runs the writer and kills it; what it said was acknowledged last. */
async function writeAndKill(ms: number): Promise<{ committed: number; sent: number }> {
  const script = join(import.meta.dirname, 'writer-process.ts')
  const child = spawn(process.execPath, ['-C', 'millrace-source', script, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  const ready = Promise.withResolvers<void>()
  child.stdout.on('data', (chunk) => {
    said += chunk
    if (said.includes('ready\n')) ready.resolve()
  })
  child.once('exit', (code) => ready.reject(new Error(`the writer ended by itself with ${code}`)))
  await ready.promise
  await after(ms)
  child.kill('SIGKILL')
  await once(child, 'close')
  // The last line may be cut off: what follows the last newline was perhaps not meant to be a number yet.
  const lines = said.slice(0, said.lastIndexOf('\n')).split('\n')
  const last = (what: string) => Number(lines.findLast((line) => line.startsWith(what))?.split(' ')[1] ?? -1)
  return { committed: last('committed'), sent: last('sent') }
}

it('a writer killed at any moment loses nothing acknowledged and leaves no transaction in halves', async () => {
  const { rounds, below } = faults('embedded kill', 5)
  const acknowledged = { committed: -1, sent: -1 }
  for (let round = 0; round < rounds; round++) {
    const said = await writeAndKill(below(120))
    acknowledged.committed = Math.max(acknowledged.committed, said.committed)
    acknowledged.sent = Math.max(acknowledged.sent, said.sent)

    const log = embedded(path)
    await log.connect()
    const records = await readRecords(log, 'topic')
    const [one, other, plain] = [0, 1, 2].map((of) =>
      records.filter(({ partition }) => partition === of).map(({ value }) => Number(value)),
    )
    const group = log.group({
      group: 'group',
      topics: [],
      tasks: [],
      onAssigned: async () => {},
      onRevoked: async () => {},
      onLost: async () => {},
      onError: () => {},
    })
    const [offset] = await group.committed([{ topic: 'topic', partition: 0 }])
    await log.close()

    expect(one).toEqual(one.map((_, n) => n))
    expect(other).toEqual(one)
    expect(plain).toEqual(plain.map((_, n) => n))
    expect(one.length).toBeGreaterThan(acknowledged.committed)
    expect(plain.length).toBeGreaterThan(acknowledged.sent)
    expect(offset?.offset ?? 0).toBe(one.length)
    if (offset) expect(offset.metadata).toBe(`after ${one.length - 1}`)
  }
  expect(acknowledged.committed, 'the writer must have written something').toBeGreaterThan(0)
}, 0)
