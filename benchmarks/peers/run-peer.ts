import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Measure } from '../suite/run-workload.ts'
import type { Measured, RunSettings } from '../suite/workload.ts'
import { classpathOf, type Peer } from './peer.ts'

/** A peer that makes no progress is ended. */
const PATIENCE_MS = 20 * 60_000

/** Runs a job in the peer's JVM: the program measures itself, as Millrace's process does, and prints one line of JSON. */
export const inJvm =
  (peer: Peer, job: string, options: readonly string[]): Measure =>
  async (workload, settings) => {
    const directory = mkdtempSync(join(tmpdir(), `millrace-${peer.name}-`))
    const { inputs, output } = workload.topicsOf!(settings)
    const topics = [...inputs.flatMap((input) => ['--input', input]), '--output', output]
    const program = [...peer.jvm, '-cp', classpathOf(peer), peer.mainClass]
    const own = ['--job', job, '--directory', directory, ...topics, ...settingsOf(peer, settings), ...options]
    try {
      const { rss_mb, ...measured } = await measuredBy(peer.name, [...program, ...own])
      return { lines: [{ peer: peer.name, ...measured }], rss_mb }
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  }

function settingsOf({ name }: Peer, settings: RunSettings): readonly string[] {
  const { place, id, records, guarantee, threads, commitIntervalMs, brokerPid } = settings
  if (place.kind !== 'kafka') throw new Error('the peers need Kafka')
  return [
    ...['--brokers', place.brokers.join(','), '--broker-pid', brokerPid === undefined ? '' : String(brokerPid)],
    // Of its own: what only reads has one input with others, whose groups have another kind of members.
    ...['--id', `${id}-${name}`, '--records', String(records), '--guarantee', guarantee],
    ...['--threads', String(threads), '--commit-interval', String(commitIntervalMs)],
  ]
}

function measuredBy(name: string, args: readonly string[]): Promise<Measured & { readonly rss_mb: number }> {
  const child = spawn('java', args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: PATIENCE_MS, killSignal: 'SIGKILL' })
  let output = ''
  let errors = ''
  child.stdout.on('data', (data) => {
    output += data
  })
  child.stderr.on('data', (data) => {
    errors = (errors + data).slice(-8000)
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      const line = output.split('\n').find((text) => text.startsWith('{'))
      if (code === 0 && line !== undefined) resolve(JSON.parse(line))
      else reject(new Error(`${name} ended with ${signal ?? code}:\n${errors || output}`))
    })
  })
}
