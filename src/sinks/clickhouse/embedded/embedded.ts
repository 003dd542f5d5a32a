import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join, resolve as resolvePath } from 'node:path'
import { MillraceError } from '../../../errors.ts'
import { type CloseMessage, type FailedAnswer, OWNER_FILE, type StartAnswer, type StartMessage } from './messages.ts'

export interface EmbeddedClickHouseOptions {
  /** Directory of the data; made when it is not there. One directory belongs to one running engine. */
  readonly path: string
  /** On 127.0.0.1. Default: any that is free. */
  readonly port?: number
  /** What clients must present. Default `default` without a password, as on a new ClickHouse server. */
  readonly username?: string
  readonly password?: string
  /** Start the engine again on the same port when its process dies. Default true. */
  readonly restart?: boolean
}

export interface EmbeddedClickHouse {
  /** For `clickhouse({ url })` and every other ClickHouse client: 'http://127.0.0.1:54321'. */
  readonly url: string
  /** The engine's process; a new one after a restart. */
  readonly pid: number
  /** Finishes what is running, then stops the engine. Safe to call twice. */
  close(): Promise<void>
}

/**
 * Runs ClickHouse inside the application: the engine (npm package `chdb`, about 540 MB on disk, 260 MB of memory) in a
 * child process behind ClickHouse's HTTP interface, so that what works here works against a server. The child ends
 * with this process, however that ends, and does not keep it alive.
 *
 * Throws `MISSING_DEPENDENCY` without `chdb`, `DATA_DIRECTORY` when the directory is in use or cannot be used,
 * `PORT_IN_USE`. Not on Windows.
 *
 * @example
 * ```ts
 * const server = await embeddedClickHouse({ path: './data/clickhouse' })
 * const shop = topology('shop', [revenue.pipe(toStream(), to(clickhouse({ table: 'revenue', url: server.url })))])
 * ```
 */
export async function embeddedClickHouse(options: EmbeddedClickHouseOptions): Promise<EmbeddedClickHouse> {
  const { path, port = 0, username = 'default', password = '', restart = true } = options
  const start: StartMessage = { type: 'start', path: resolvePath(path), port, username, password }
  let closed = false
  let { child, port: bound } = await launch(start)
  if (restart) watch()

  function watch() {
    child.once('exit', () => {
      if (!closed) revive(100)
    })
  }

  function revive(delayMs: number) {
    setTimeout(async () => {
      if (closed) return
      try {
        child = (await launch({ ...start, port: bound })).child
        if (closed) await stop(child)
        else watch()
      } catch {
        revive(Math.min(delayMs * 2, 5000))
      }
    }, delayMs).unref()
  }

  return {
    url: `http://127.0.0.1:${bound}`,
    get pid() {
      return child.pid!
    },
    async close() {
      closed = true
      await stop(child)
    },
  }
}

/** Forks the child and waits until it serves. */
async function launch(start: StartMessage): Promise<{ child: ChildProcess; port: number }> {
  // In the package all JavaScript lies in one folder (rolldown.config.ts).
  const script = new URL(import.meta.url.endsWith('.ts') ? './child.ts' : './clickhouse-process.js', import.meta.url)
  const child = fork(script, [], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], execArgv: [] })
  let complaints = ''
  child.stderr!.on('data', (chunk) => (complaints = (complaints + chunk).slice(-2000)))
  const answer = await new Promise<StartAnswer>((resolve) => {
    child.once('message', (message) => resolve(message as StartAnswer))
    child.once('error', ({ message }) => resolve({ type: 'failed', code: 'INTERNAL', message }))
    child.once('exit', (code, signal) => {
      const message = `embedded ClickHouse ended while starting (${signal ?? `exit code ${code}`}) ${complaints}`.trim()
      resolve({ type: 'failed', code: 'INTERNAL', message })
    })
    child.send(start, () => {})
  })
  if (answer.type === 'failed') {
    child.kill('SIGKILL')
    if (child.pid !== undefined) await once(child, 'close')
    throw refusal(answer, start.path, complaints)
  }
  // Waiting for the engine is no reason for the application to go on.
  child.unref()
  child.channel?.unref()
  ;(child.stderr as { unref?: () => void }).unref?.()
  return { child, port: answer.port }
}

function refusal({ code, message, hint }: FailedAnswer, path: string, complaints: string): MillraceError {
  if (code !== 'DATA_DIRECTORY') return new MillraceError(code, message, hint === undefined ? {} : { hint })
  // The engine says on its error output only why it cannot open a directory.
  if (complaints.includes('Cannot lock file')) {
    return new MillraceError(code, `the ClickHouse directory ${path} is in use${owner(path)}`, {
      hint: 'use that one by its url, stop it, or give another directory',
    })
  }
  return new MillraceError(code, `${message}: ${/DB::Exception: (.*)/.exec(complaints)?.[1] ?? complaints}`)
}

function owner(path: string): string {
  try {
    const { pid, url } = JSON.parse(readFileSync(join(path, OWNER_FILE), 'utf8'))
    return ` by process ${pid}, which serves it at ${url}`
  } catch {
    return ''
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.ref()
  await new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.send({ type: 'close' } satisfies CloseMessage, (error) => {
      if (error) child.kill('SIGKILL')
    })
  })
}
