import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import {
  isAlive,
  type ProcessIdentity,
  signalGroup,
  startDetached,
  terminate,
} from '../../scripts/services/processes.ts'

let directory: string
const started: ProcessIdentity[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-processes-'))
})
afterEach(() => {
  for (const identity of started.splice(0)) signalGroup(identity, 'SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})

/** A process that runs `script` and then stays; resolves once the script has run. */
async function startNode(script: string): Promise<ProcessIdentity> {
  const log = join(directory, 'log')
  const program = `${script}; setInterval(() => {}, 1000); console.log('ready')`
  const identity = startDetached({ file: process.execPath, args: ['-e', program] }, directory, log)
  started.push(identity)
  await vi.waitFor(() => expect(readFileSync(log, 'utf8')).toContain('ready'), { timeout: 10_000 })
  return identity
}

test('a process that listens to SIGTERM ends by it', async () => {
  const identity = await startNode('')
  expect(isAlive(identity)).toBe(true)
  await terminate(identity)
  expect(isAlive(identity)).toBe(false)
})

test('a process that ignores SIGTERM is killed', async () => {
  const identity = await startNode("process.on('SIGTERM', () => {})")
  await terminate(identity, 200)
  expect(isAlive(identity)).toBe(false)
})

test('a frozen process is thawed, so that it can end in good order', async () => {
  const identity = await startNode("process.on('SIGTERM', () => { console.log('good order'); process.exit() })")
  signalGroup(identity, 'SIGSTOP')
  await terminate(identity)
  expect(readFileSync(join(directory, 'log'), 'utf8')).toContain('good order')
})

test('a process id that belongs to somebody else by now is not ours', async () => {
  const identity = await startNode('')
  const former = { ...identity, startedAt: 'long ago' }
  expect(isAlive(former)).toBe(false)
  expect(signalGroup(former, 'SIGKILL')).toBe(false)
  expect(isAlive(identity)).toBe(true)
})

test('a program that is not there is reported by name', () => {
  const command = { file: 'no-such-program', args: [] }
  expect(() => startDetached(command, directory, join(directory, 'log'))).toThrow(
    '`no-such-program` is not on this machine',
  )
})
