import { writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { makeDirectory } from '../../../directories.ts'
import { MillraceError, toError } from '../../../errors.ts'
import { type Engine, openEngine } from './engine.ts'
import { httpFront } from './http-front.ts'
import { type CloseMessage, OWNER_FILE, type StartAnswer, type StartMessage } from './messages.ts'
import { openSpool } from './spool.ts'

// The process that `embeddedClickHouse` forks. It lives as long as the channel to its parent does, which a parent
// that is killed closes too. Signals are left to the parent: Ctrl-C reaches the whole process group, and the parent
// still has results to write then.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
process.on('SIGHUP', () => {})
// Not `process.exit`: the engine's own handlers at exit can spin for ever while a query runs, and nobody is left to see
// it. What it has acknowledged is on disk.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
process.on('message', (message: StartMessage | CloseMessage) => {
  if (message.type === 'start') void start(message)
  else void stop()
})

let stop = async () => process.exit(0)

async function start({ path, port, username, password }: StartMessage) {
  try {
    const engine = await open(path)
    const server = httpFront(engine, openSpool(join(path, 'spool')), { username, password })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', resolve)
    })
    const bound = (server.address() as AddressInfo).port
    writeFileSync(join(path, OWNER_FILE), JSON.stringify({ pid: process.pid, url: `http://127.0.0.1:${bound}` }))
    stop = async () => {
      server.close()
      server.closeIdleConnections()
      await engine.close()
      process.exit(0)
    }
    answer({ type: 'ready', port: bound })
  } catch (thrown) {
    answer(failure(thrown, port))
  }
}

async function open(path: string): Promise<Engine> {
  try {
    makeDirectory(path)
  } catch (error) {
    throw new MillraceError('DATA_DIRECTORY', `cannot use the directory ${path}: ${toError(error).message}`)
  }
  return openEngine(path)
}

function failure(thrown: unknown, port: number): StartAnswer {
  const error = toError(thrown)
  if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
    const hint = 'give another port, or none for any that is free'
    return { type: 'failed', code: 'PORT_IN_USE', message: `port ${port} is in use`, hint }
  }
  const code = error instanceof MillraceError ? error.code : 'INTERNAL'
  return { type: 'failed', code, message: error.message }
}

function answer(message: StartAnswer) {
  process.send!(message, () => {
    if (message.type === 'failed') process.exit(1)
  })
}
