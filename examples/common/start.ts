import { describe, MillraceError, type RunOptions, run, type Serde, type Topology } from 'millrace'
import { pino } from 'pino'
import type { Arrival } from './arrivals.ts'
import { type Feed, feed, PARTITIONS } from './feed.ts'
import { helpFor, readOptions } from './options.ts'
import { openParts, type Parts, type SinkKind } from './parts.ts'
import { type Out, readRecords } from './read-records.ts'

/** How a topic is read back, without the name of the application: `read('alerts', alertSerdes)`. */
export type Read = <K, V>(topic: string, serdes: { key: Serde<K>; value: Serde<V> }) => Promise<Out<K, V>[]>

/** What came out, for the terminal, and everything that is not as it must be. */
export interface Verdict {
  readonly lines: readonly string[]
  readonly problems: readonly string[]
}

export interface Example extends Pick<Feed, 'inputs' | 'outputs'> {
  readonly name: string
  /** For --help. */
  readonly about: string
  /** How many are made unless --records says otherwise. */
  readonly records: number
  /** Beside topics. */
  readonly sinks?: readonly SinkKind[]
  generate(seed: number, records: number): readonly Arrival[]
  topology(parts: Parts): Topology
  /** Compares what came out with a plain computation. */
  check(read: Read, arrivals: readonly Arrival[], parts: Parts): Promise<Verdict>
  /** What to look at next, a line each. */
  next(parts: Parts): readonly string[]
}

/** Runs an example as a program: its command line, its words, its exit code. */
export async function start(example: Example): Promise<void> {
  try {
    process.exitCode = await main(example, process.argv.slice(2))
  } catch (error) {
    // A mistake is told in words; anything else is a defect of the program and shows where it is.
    console.error(error instanceof MillraceError ? `\n${error.code}: ${error.message}` : error)
    process.exitCode = 1
  }
  // Embedded parts may hold timers; everything has been closed.
  process.exit()
}

async function main(example: Example, argv: readonly string[]): Promise<number> {
  const options = readOptions(argv, example.name, example.records)
  if (options === 'help') {
    console.log(helpFor(example.name, example.about, example.records))
    return 0
  }
  const { name, data, records, seed } = options
  const parts = await openParts(process.env, { name, data, sinks: example.sinks ?? [], dry: options.describe })
  try {
    if (options.describe) {
      console.log(describe(example.topology(parts)).text)
      return 0
    }
    console.log(`${parts.described.join('\n')}\n`)
    const began = Date.now()
    const arrivals = example.generate(seed, records)
    const logger = options.log ? pino(pino.destination(2)) : false
    const { lines, problems } = await play(example, arrivals, parts, logger)
    const took = ((Date.now() - began) / 1000).toFixed(1)
    console.log(`${arrivals.length.toLocaleString('en-US')} records, ${took} s`)
    for (const line of lines) console.log(`  ${line}`)
    if (problems.length > 0) {
      console.log(`\nNOT as the plain computation says (${problems.length} differences):`)
      for (const problem of problems.slice(0, 20))
        console.log(`  ${problem.length > 300 ? `${problem.slice(0, 300)}…` : problem}`)
      return 1
    }
    console.log('\nChecked against a plain computation: all of it is right.\n\nLook further:')
    for (const line of example.next(parts)) console.log(`  ${line}`)
    return 0
  } finally {
    await parts.close()
  }
}

/** Writes everything, runs the job until it has caught up, and checks what came out. */
export async function play(
  example: Example,
  arrivals: readonly Arrival[],
  parts: Parts,
  logger: NonNullable<RunOptions['logger']> = false,
): Promise<Verdict> {
  const { name, registry } = parts
  const log = parts.log()
  await log.connect()
  try {
    await feed({ log, registry, name, inputs: example.inputs, outputs: example.outputs }, arrivals)
    const running = await run(example.topology(parts), {
      log: parts.log(),
      registry,
      createTopics: { partitions: PARTITIONS },
      // How long the next run waits for one that was killed.
      sessionTimeoutMs: 10_000,
      logger,
    })
    await running.caughtUp()
    await running.stop()
    const read: Read = (topic, serdes) => readRecords(log, registry, `${name}-${topic}`, serdes)
    return await example.check(read, arrivals, parts)
  } finally {
    await log.close()
  }
}
