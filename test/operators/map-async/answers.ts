import { type MapAsyncOptions, mapAsync, stream, string, to, topology } from '../../../src/index.ts'
import { type DriverOptions, TopologyDriver } from '../../../src/testing/index.ts'

export const texts = { key: string(), value: string() }

/** Calls that answer when the test says so. */
export function answers() {
  const open = new Map<
    string,
    { resolve: (value: string) => void; reject: (error: unknown) => void; signal: AbortSignal }
  >()
  const started: string[] = []
  return {
    open,
    started,
    ask(value: string, _key: string, { signal }: { readonly signal: AbortSignal }): string | Promise<string> {
      started.push(value)
      if (value.startsWith('cached')) return `${value}!`
      return new Promise((resolve, reject) => open.set(value, { resolve, reject, signal }))
    },
    answer(value: string) {
      open.get(value)!.resolve(`${value}!`)
      open.delete(value)
    },
    refuse(value: string, error: unknown = new Error('no')) {
      open.get(value)!.reject(error)
      open.delete(value)
    },
  }
}

export function setUp(options: MapAsyncOptions, driverOptions?: DriverOptions) {
  const calls = answers()
  const app = topology('app', [stream('in', texts).pipe(mapAsync(calls.ask, options), to('out', texts))])
  const driver = new TopologyDriver(app, driverOptions)
  const pipe = (key: string, value: string, timestamp = 0) => driver.pipe('in', key, value, timestamp)
  /** Lets what has been answered come in, and gives what has come out. */
  const out = async () => {
    await turn()
    driver.advanceWallClock(0)
    return driver.read('out').map(({ value }) => value)
  }
  return { calls, driver, pipe, out }
}

/** Lets everything that promises have to do be done. */
export const turn = () => new Promise(setImmediate)
