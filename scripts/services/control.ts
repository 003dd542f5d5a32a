/**
 * Starts, stops and hurts the real services: behind the command line of this folder, and in fault tests.
 * Every function works on the set of services of this checkout (see `stateDirectory`).
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { kafka } from './kafka.ts'
import { cacheDirectory, stateDirectory } from './paths.ts'
import { goneWithin, isAlive, type ProcessIdentity, signalGroup, startDetached, terminate } from './processes.ts'
import { registry } from './registry.ts'
import { s3 } from './s3.ts'
import type { Place, Service, ServiceName } from './service.ts'
import { checkFree, choosePort, locked, readState, updateState } from './state.ts'
import { progress } from './tools.ts'

const services: readonly Service[] = [kafka, registry, s3]
export const serviceNames: readonly ServiceName[] = services.map((service) => service.name)

export type StartOptions = {
  /** Fixed port numbers by port name; the others are chosen once and kept. */
  readonly ports?: Readonly<Record<string, number>>
  /** How long the service may take until it answers, in ms. */
  readonly patience?: number
}

/** Starts a service, downloading it first when needed, and waits until it answers. A running one is left alone. True when it was started. */
export const start = (name: ServiceName, options: StartOptions = {}): Promise<boolean> =>
  locked(async () => {
    const service = serviceNamed(name)
    if (runningProcess(name)) {
      await untilReady(service, options.patience)
      return false
    }
    await service.install(cacheDirectory())
    await checkFree(name, options.ports ?? {})
    const ports = await choosePorts(service, options.ports ?? {})
    const place = placeOf(name, ports)
    mkdirSync(place.directory, { recursive: true })
    await service.prepare(place)
    const command = await service.command(place)
    updateState(name, { ports, process: startDetached(command, place.directory, logFile(name)) })
    await untilReady(service, options.patience)
    await service.settle?.(place)
    return true
  })

/** Stops a service in good order (SIGTERM, SIGKILL for the stubborn) and keeps its data and ports. True when it was running. */
export const stop = (name: ServiceName): Promise<boolean> =>
  locked(async () => {
    const running = runningProcess(name)
    if (running === undefined) return false
    await terminate(running)
    return true
  })

/** Sends a signal to a running service; after SIGKILL, also waits until it is gone. */
export async function kill(name: ServiceName, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  const running = runningProcess(name)
  if (running === undefined || !signalGroup(running, signal)) throw new Error(`${name} is not running: nothing to kill`)
  if (signal === 'SIGKILL' && !(await goneWithin(running, 10_000))) throw new Error(`${name} survived SIGKILL`)
}

/** Freezes a service: its connections stay open and nothing answers. */
export const pause = (name: ServiceName): Promise<void> => kill(name, 'SIGSTOP')

/** Lets a frozen service go on. */
export const resume = (name: ServiceName): Promise<void> => kill(name, 'SIGCONT')

/** Stops in good order and starts again, on the same data and ports. */
export async function restart(name: ServiceName): Promise<void> {
  await stop(name)
  await start(name)
}

/** Stops a service and deletes its data, its ports and its log. */
export async function purge(name: ServiceName): Promise<void> {
  await stop(name)
  await locked(async () => {
    rmSync(join(stateDirectory(), name), { recursive: true, force: true })
    updateState(name, undefined)
  })
}

/** Is the process of this service there? */
export const isRunning = (name: ServiceName): boolean => runningProcess(name) !== undefined

/** The environment variables that lead clients to a service which has been started, running or not. Empty when it never was. */
export function environmentOf(name: ServiceName): Record<string, string> {
  const ports = readState()[name]?.ports
  return ports === undefined ? {} : serviceNamed(name).environment(placeOf(name, ports))
}

const logFile = (name: ServiceName): string => join(stateDirectory(), name, 'service.log')

export const runningProcess = (name: ServiceName): ProcessIdentity | undefined => {
  const known = readState()[name]?.process
  return known !== undefined && isAlive(known) ? known : undefined
}

const placeOf = (name: ServiceName, ports: Readonly<Record<string, number>>): Place => ({
  cache: cacheDirectory(),
  directory: join(stateDirectory(), name),
  ports,
})

function serviceNamed(name: ServiceName): Service {
  const service = services.find((candidate) => candidate.name === name)
  if (service === undefined) throw new Error(`there is no service "${name}"; there are: ${serviceNames.join(', ')}`)
  return service
}

async function choosePorts(
  service: Service,
  wanted: Readonly<Record<string, number>>,
): Promise<Record<string, number>> {
  const state = readState()
  const taken = new Set(Object.values(state).flatMap((known) => Object.values(known.ports)))
  const ports: Record<string, number> = {}
  for (const name of service.ports) {
    const port = wanted[name] ?? state[service.name]?.ports[name] ?? (await choosePort(taken))
    taken.add(port)
    ports[name] = port
  }
  return ports
}

async function untilReady(service: Service, patience = 90_000): Promise<void> {
  const ports = readState()[service.name]?.ports ?? {}
  for (const deadline = Date.now() + patience; ; await delay(100)) {
    try {
      return await service.probe(placeOf(service.name, ports))
    } catch (error) {
      const gone = !isRunning(service.name)
      if (!gone && Date.now() < deadline) continue
      const why = gone ? 'ended before it answered' : `does not answer after ${patience / 1000} s`
      const log = logFile(service.name)
      progress(readFileSync(log, 'utf8').trim().split('\n').slice(-15).join('\n'))
      throw new Error(`${service.name} ${why}; its log is ${log}`, { cause: error })
    }
  }
}
