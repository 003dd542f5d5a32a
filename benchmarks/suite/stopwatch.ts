import { readFileSync } from 'node:fs'

/** Time and CPU time since it was started. */
export interface Stopwatch {
  read(): { seconds: number; cpu_s: number; broker_cpu_s?: number; start_s: number }
}

/** Where the clocks stood, in seconds; the first is the machine's own and the same in all threads. */
interface Start {
  readonly at: number
  readonly cpu: number
  readonly broker: number
}

/** @param brokerPid - a process on this machine whose CPU time is wanted, too (Linux only) */
export function stopwatch(brokerPid?: number, start: Start = now(brokerPid)): Stopwatch {
  return {
    read() {
      const end = now(brokerPid)
      return {
        seconds: end.at - start.at,
        cpu_s: end.cpu - start.cpu,
        ...(brokerPid !== undefined && { broker_cpu_s: end.broker - start.broker }),
        start_s: process.uptime() - (end.at - start.at),
      }
    },
  }
}

/** A stopwatch that whichever thread comes first starts. */
export const startBoard = (): SharedArrayBuffer => new SharedArrayBuffer(4 * Float64Array.BYTES_PER_ELEMENT)

export function startOnce(board: SharedArrayBuffer, brokerPid?: number): void {
  if (Atomics.compareExchange(new Int32Array(board), 0, 0, 1) !== 0) return
  const { at, cpu, broker } = now(brokerPid)
  new Float64Array(board).set([at, cpu, broker], 1)
}

/** What was started by then. */
export function startedStopwatch(board: SharedArrayBuffer, brokerPid?: number): Stopwatch {
  const [, at, cpu, broker] = new Float64Array(board)
  return stopwatch(brokerPid, at === 0 ? undefined : { at, cpu, broker })
}

function now(brokerPid: number | undefined): Start {
  const { user, system } = process.cpuUsage()
  return {
    at: Number(process.hrtime.bigint()) / 1e9,
    cpu: (user + system) / 1e6,
    broker: brokerPid === undefined ? 0 : cpuOf(brokerPid),
  }
}

/** proc(5): fields 14 and 15 of /proc/pid/stat are user and system time in ticks, of which Linux has 100 a second. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** Adds up pieces of work, and leaves out what is between them. */
export class Stopped {
  seconds = 0
  cpu_s = 0

  async during<T>(work: () => T | Promise<T>): Promise<T> {
    const watch = stopwatch()
    const result = await work()
    const { seconds, cpu_s } = watch.read()
    this.seconds += seconds
    this.cpu_s += cpu_s
    return result
  }
}
