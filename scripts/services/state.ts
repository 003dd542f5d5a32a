/** What is kept between two runs of the command, in one JSON file: the ports and the processes of this checkout's services. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { stateDirectory } from './paths.ts'
import type { ProcessIdentity } from './processes.ts'
import type { ServiceName } from './service.ts'

export type ServiceState = { readonly ports: Record<string, number>; readonly process?: ProcessIdentity }
export type State = Partial<Record<ServiceName, ServiceState>>

const stateFile = (): string => join(stateDirectory(), 'state.json')

export function readState(): State {
  try {
    return JSON.parse(readFileSync(stateFile(), 'utf8')) as State
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new Error(`${stateFile()} cannot be read; stop the services by hand and remove it`, { cause: error })
  }
}

/** Only to be called under {@link locked}: it reads, changes and writes back. */
export function updateState(name: ServiceName, service: ServiceState | undefined): void {
  const { [name]: _, ...others } = readState()
  const next: State = service === undefined ? others : { ...others, [name]: service }
  mkdirSync(stateDirectory(), { recursive: true })
  writeFileSync(`${stateFile()}.new`, `${JSON.stringify(next, null, 2)}\n`)
  renameSync(`${stateFile()}.new`, stateFile())
}

/** Runs `work` alone: two commands at once would start two brokers on one data directory. */
export async function locked<T>(work: () => Promise<T>): Promise<T> {
  mkdirSync(stateDirectory(), { recursive: true })
  const lock = join(stateDirectory(), 'lock')
  while (!tryLock(lock)) await delay(100)
  try {
    return await work()
  } finally {
    rmSync(lock, { force: true })
  }
}

function tryLock(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    removeAbandoned(lock)
    return false
  }
}

function removeAbandoned(lock: string): void {
  try {
    const holder = Number(readFileSync(lock, 'utf8'))
    if (holder > 0) process.kill(holder, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') rmSync(lock, { force: true })
  }
}

/**
 * A free port below the ephemeral range. A port out of that range may, while its service is down, be handed to some outgoing
 * connection, and a client that keeps trying to reconnect to it can even end up connected to itself.
 */
export async function choosePort(taken: ReadonlySet<number>): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000)
    if (!taken.has(port) && (await isFree(port))) return port
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })

/** Throws for a port that another program has: a service that cannot get it would be waited for in vain. */
export async function checkFree(service: string, ports: Readonly<Record<string, number>>): Promise<void> {
  for (const [name, port] of Object.entries(ports)) {
    if (await isFree(port)) continue
    throw new Error(`port ${port} is taken by another program; choose one: --port ${service}.${name}=NUMBER`)
  }
}
