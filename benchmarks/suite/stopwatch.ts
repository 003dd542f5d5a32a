import { readFileSync } from 'node:fs'

/** Time and CPU time since it was started. */
export interface Stopwatch {
  read(): { seconds: number; cpu_s: number; broker_cpu_s?: number; start_s: number }
}

/** @param brokerPid - a process on this machine whose CPU time is wanted, too (Linux only) */
export function stopwatch(brokerPid?: number): Stopwatch {
  const began = performance.now()
  const cpu = process.cpuUsage()
  const broker = brokerPid === undefined ? undefined : cpuOf(brokerPid)
  return {
    read() {
      const { user, system } = process.cpuUsage(cpu)
      return {
        seconds: (performance.now() - began) / 1000,
        cpu_s: (user + system) / 1e6,
        ...(broker !== undefined && { broker_cpu_s: cpuOf(brokerPid!) - broker }),
        start_s: began / 1000,
      }
    },
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
