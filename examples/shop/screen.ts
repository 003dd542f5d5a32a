import { stdout } from 'node:process'
import type { Running } from 'millrace'
import type { Revenue } from './job.ts'

const REFRESH_MS = 250
const LINE_MS = 2_000

/** A calm picture of the job while it runs: a table in a terminal, a line now and then anywhere else. */
export function watch(running: Running, written: () => number, target: number): () => void {
  const started = Date.now()
  let drawn = 0
  const draw = () => {
    const lines = picture(running, written(), target, Date.now() - started)
    // Back to the first line of the picture before, then over it.
    stdout.write(`${drawn ? `\x1b[${drawn}A` : ''}${lines.map((line) => `\x1b[2K${line}`).join('\n')}\n`)
    drawn = lines.length
  }
  const tell = () => console.log(oneLine(running, written(), target, Date.now() - started))
  const timer = stdout.isTTY ? setInterval(draw, REFRESH_MS) : setInterval(tell, LINE_MS)
  return () => {
    clearInterval(timer)
    if (stdout.isTTY) draw()
  }
}

function oneLine(running: Running, written: number, target: number, ms: number): string {
  const { phase, waitingFor } = running.state
  const waiting = waitingFor.size ? `, waiting for ${[...waitingFor.keys()].join(' and ')}` : ''
  return `${seconds(ms)}  ${phase}${waiting}  ${number(written)} of ${number(target)} written, ${number(running.lag())} to go`
}

function picture(running: Running, written: number, target: number, ms: number): string[] {
  const { phase, waitingFor } = running.state
  const totals = new Map<string, { minutes: number; newest: number }>()
  for (const { key, start } of running.query<string, Revenue>('revenue')) {
    const total = totals.get(key) ?? { minutes: 0, newest: 0 }
    totals.set(key, { minutes: total.minutes + 1, newest: Math.max(total.newest, start) })
  }
  const rows = [...totals].sort(([a], [b]) => (a < b ? -1 : 1))
  return [
    `${bar(written / target)}  ${number(written)} of ${number(target)} transactions written`,
    `${phase.padEnd(12)} ${seconds(ms)}   ${number(running.lag())} to go`,
    ...[...waitingFor].map(([what, why]) => `waiting for ${what}: ${why}`.split('\n')[0].slice(0, 79)),
    '',
    'category       open windows   newest minute',
    ...rows.map(
      ([category, { minutes, newest }]) =>
        `${category.padEnd(14)} ${String(minutes).padStart(12)}   ${new Date(newest).toISOString().slice(0, 16).replace('T', ' ')}`,
    ),
  ]
}

const bar = (share: number): string => {
  const full = Math.round(Math.min(1, share) * 24)
  return `[${'#'.repeat(full)}${'.'.repeat(24 - full)}]`
}
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
export const number = (n: number): string => n.toLocaleString('en-US')
