import { stdout } from 'node:process'
import type { Running } from 'millrace'
import type { Revenue } from './job.ts'

const REFRESH_MS = 250
const LINE_MS = 2_000
const WIDTH = 79

/** What there is to tell of a job that runs. */
export interface Scene {
  readonly phase: string
  /** What is away, and why. */
  readonly waitingFor: ReadonlyMap<string, string>
  readonly written: number
  /** undefined: it goes on for ever. */
  readonly target: number | undefined
  /** Read and not yet processed. */
  readonly lag: number
  readonly ms: number
  /** The revenue windows that are open. */
  readonly windows: Iterable<{ readonly key: string; readonly start: number; readonly value: Revenue }>
}

/** A calm picture of the job while it runs: a table in a terminal, a line now and then anywhere else. */
export function watch(running: Running, written: () => number, target: number | undefined): () => void {
  const started = Date.now()
  let drawn = 0
  const scene = (): Scene => ({
    phase: running.state.phase,
    waitingFor: running.state.waitingFor,
    written: written(),
    target,
    lag: running.lag(),
    ms: Date.now() - started,
    windows: running.query<string, Revenue>('revenue') as Scene['windows'],
  })
  const draw = () => {
    const lines = picture(scene())
    // Back to the first line of the picture before, then over it, and away with what it had more.
    stdout.write(`${drawn ? `\x1b[${drawn}A` : ''}${lines.map((line) => `\x1b[2K${line}\n`).join('')}\x1b[J`)
    drawn = lines.length
  }
  const tell = () => console.log(oneLine(scene()))
  const timer = stdout.isTTY ? setInterval(draw, REFRESH_MS) : setInterval(tell, LINE_MS)
  return () => {
    clearInterval(timer)
    if (stdout.isTTY) draw()
  }
}

/** The state in one line, and one more for each thing that is waited for. */
export function oneLine({ phase, waitingFor, written, target, lag, ms }: Scene): string {
  const state = `${seconds(ms)}  ${phase}  ${number(written)}${of(target)} written, ${number(lag)} to go`
  return [state, ...waits(waitingFor)].join('\n')
}

/** The state as lines of at most 79 characters. */
export function picture({ phase, waitingFor, written, target, lag, ms, windows }: Scene): string[] {
  const newest = new Map<string, { start: number; value: Revenue }>()
  for (const { key, start, value } of windows) {
    if (start > (newest.get(key)?.start ?? -1)) newest.set(key, { start, value })
  }
  const rows = [...newest].sort(([a], [b]) => (a < b ? -1 : 1))
  return [
    `${bar(target === undefined ? 1 : written / target)}  ${number(written)}${of(target)} transactions written`,
    `${phase.padEnd(12)} ${seconds(ms)}   ${number(lag)} to go`,
    ...waits(waitingFor),
    '',
    'category       newest minute       orders      revenue',
    ...rows.map(
      ([category, { start, value }]) =>
        `${category.padEnd(14)} ${minute(start)} ${number(value.orders).padStart(9)} ${money(value.revenue).padStart(12)}`,
    ),
  ]
}

const waits = (waitingFor: Scene['waitingFor']): string[] =>
  [...waitingFor].flatMap(([what, why]) =>
    `waiting for ${what}: ${why}`
      .split('\n')
      .map((line) => (line.length > WIDTH ? `${line.slice(0, WIDTH - 1)}…` : line)),
  )

const bar = (share: number): string => {
  const full = Math.round(Math.min(1, share) * 24)
  return `[${'#'.repeat(full)}${'.'.repeat(24 - full)}]`
}
const of = (target: number | undefined): string => (target === undefined ? '' : ` of ${number(target)}`)
const minute = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ')
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
const money = (n: number): string => n.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })
export const number = (n: number): string => n.toLocaleString('en-US')
