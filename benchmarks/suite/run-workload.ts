import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import type { ChildMessage } from './child.ts'
import { compiled } from './compiled.ts'
import type { Measured, RunSettings, Workload } from './workload.ts'

/** A line of the output; its first fields are the same for every workload and peer. */
export interface Line {
  readonly peer: string
  readonly variant: string
  readonly guarantee: string
  readonly n: number
  readonly seconds: number
  readonly records_per_s: number
  readonly cpu_s: number
  readonly broker_cpu_s: number | null
  readonly rss_mb: number
  readonly outputs: number | null
  readonly checksum: string | null
  readonly ok: boolean
  readonly cpu_s_per_million: number
  readonly threads: number
  readonly cores: number
  readonly [more: string]: unknown
}

/** Runs a prepared workload in a process of its own. */
export type Measure = (workload: Workload, settings: RunSettings) => Promise<ChildMessage>

/** Prepares, measures, checks, and cleans up. */
export async function runWorkload(
  workload: Workload,
  given: RunSettings,
  measure: Measure = inOwnProcess(),
): Promise<readonly Line[]> {
  const settings = await prepare(workload, given)
  try {
    return await runPrepared(workload, settings, measure)
  } finally {
    await workload.cleanUp?.(settings)
  }
}

/** Makes the input, and says how many records it has. */
export async function prepare(workload: Workload, given: RunSettings): Promise<RunSettings> {
  const records = (await workload.prepare?.(given)) ?? given.records ?? workload.records
  return { ...given, records }
}

/** Measures and checks what has been prepared, and leaves it there. */
export async function runPrepared(workload: Workload, settings: RunSettings, measure: Measure): Promise<Line[]> {
  const answer = await measure(workload, settings)
  if ('error' in answer) throw new Error(`${workload.name}: ${answer.error}`)
  const checked = await workload.check?.(settings)
  return answer.lines.map((measured) => ({
    ...lineOf(workload, settings, measured, answer.rss_mb),
    outputs: checked?.outputs ?? null,
    checksum: checked?.checksum ?? null,
    ok: checked?.ok ?? true,
  }))
}

/** Millrace, in a new process. */
export const inOwnProcess =
  (profileInto?: string): Measure =>
  (workload, settings) => {
    const profiling = profileInto === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileInto}`]
    const child = fork(compiled('child'), [JSON.stringify({ workload: workload.name, settings })], {
      execArgv: [...(workload.nodeOptions ?? []), ...profiling],
    })
    return new Promise((resolve, reject) => {
      let answer: ChildMessage | undefined
      child.on('message', (message) => {
        answer = message as ChildMessage
      })
      child.on('error', reject)
      child.on('exit', (code, signal) => {
        if (answer) resolve(answer)
        else reject(new Error(`${workload.name}: the measured process ended early (${signal ?? code})`))
      })
    })
  }

function lineOf(workload: Workload, settings: RunSettings, measured: Measured, rss_mb: number) {
  const { peer = 'millrace', variant = workload.name, n, seconds, cpu_s, broker_cpu_s, start_s, ...more } = measured
  const round = (x: number, digits = 3) => Number(x.toFixed(digits))
  return {
    peer,
    variant,
    guarantee: workload.onLog && workload.name !== 'consume' ? settings.guarantee : '',
    n,
    seconds: round(seconds),
    records_per_s: Math.round(n / seconds),
    cpu_s: round(cpu_s),
    broker_cpu_s: broker_cpu_s === undefined ? null : round(broker_cpu_s, 2),
    rss_mb,
    cpu_s_per_million: round((cpu_s / n) * 1e6),
    ...(start_s !== undefined && { start_s: round(start_s) }),
    threads: workload.onLog ? settings.threads : 1,
    cores: availableParallelism(),
    ...more,
  }
}
