import { describe, MillraceError, type Running, run } from 'millrace'
import { pino } from 'pino'
import { expected } from './expected.ts'
import { createTopics, openFeed, PARTITIONS } from './feed.ts'
import { shop } from './job.ts'
import { HELP, type Options, readOptions } from './options.ts'
import { openParts, type Parts, partsFrom, shopSinks } from './parts.ts'
import { continued, type Progress, startOver, writeProgress } from './progress.ts'
import { report } from './report.ts'
import { number, watch } from './screen.ts'
import { type Verdict, verify } from './verify.ts'

/** With --follow the feed is told to go so many transactions further, again and again. */
const FOLLOW_STEP = 5_000
const FOLLOW_PER_SECOND = 1_000

async function main(options: Options): Promise<number> {
  const { data, name, role } = options
  const say = options.json ? () => {} : console.log
  const chosen = partsFrom(process.env, data, name)
  if (options.describe) {
    const { text, json, mermaid } = describe(shop(shopSinks(chosen), name))
    console.log(options.json ? JSON.stringify(json, null, 2) : options.mermaid ? mermaid : text)
    return 0
  }
  if (options.fresh) startOver(data)
  const progress = continued(options, chosen.identity)
  say(`${chosen.described.join('\n')}\n`)
  if (progress.resumed && role !== 'job')
    say(`Going on with a run that was cut short, to ${number(progress.target)}.\n`)
  const parts = await openParts(chosen, data)
  try {
    if (role === 'feed') await feedAlone(options, parts, progress)
    else if (role === 'job' || options.follow) await follow(options, parts, progress)
    else return await once(options, parts, progress)
    return 0
  } finally {
    await parts.close()
  }
}

/** Writes the transactions of this run, processes them, checks what came out, and ends. */
async function once(options: Options, parts: Parts, progress: Progress): Promise<number> {
  const { seed, target } = progress
  const began = Date.now()
  const log = parts.log()
  await log.connect()
  try {
    const feed = await openFeed({ log, name: options.name, registry: parts.registry, seed })
    writeProgress(options.data, progress)
    let written = 0
    const feeding = feed.writeUntil(target, { onProgress: (n) => (written = n) })
    feeding.catch(() => {})
    const running = await start(options, parts)
    const unwatch = options.json ? () => {} : watch(running, () => written, target)
    try {
      await Promise.race([Promise.all([feeding, running.ready()]), running.done])
      if (written < target) return interrupted(options)
      await running.caughtUp()
    } finally {
      unwatch()
      await running.stop()
    }
    await feed.close()
    const seconds = (Date.now() - began) / 1000
    const verdict = await checked(options, parts, progress)
    if (verdict.problems.length === 0) writeProgress(options.data, { ...progress, finished: true })
    if (options.json) console.log(JSON.stringify({ seed, transactions: target, seconds, ...verdict }))
    else report(target, seconds, verdict, options, parts)
    return verdict.problems.length === 0 ? 0 : 1
  } finally {
    await log.close()
  }
}

/** Over a connection of its own: the feed's may have seen the broker go. */
async function checked({ name }: Options, parts: Parts, { seed, target }: Progress): Promise<Verdict> {
  const log = parts.log()
  await log.connect()
  const verdict = await verify(parts, log, name, expected(seed, target, PARTITIONS))
  await log.close()
  return verdict
}

/** Runs until it is told to stop; unless another instance writes, with transactions that keep coming. */
async function follow(options: Options, parts: Parts, progress: Progress): Promise<void> {
  const log = parts.log()
  await log.connect()
  const end = new AbortController()
  let { target } = progress
  let written = 0
  const keepWriting = async () => {
    const feed = await openFeed({ log, name: options.name, registry: parts.registry, seed: progress.seed })
    for (; !end.signal.aborted; target += FOLLOW_STEP) {
      // Written down first: whenever this ends, the next run knows where.
      writeProgress(options.data, { ...progress, target })
      await feed.writeUntil(target, {
        onProgress: (n) => (written = n),
        perSecond: FOLLOW_PER_SECOND,
        signal: end.signal,
      })
    }
    await feed.close()
  }
  await createTopics(log, options.name)
  const running = await start(options, parts)
  const unwatch = options.json ? () => {} : watch(running, () => written, undefined)
  const feeds = options.role === 'job' ? [] : [keepWriting()]
  try {
    await Promise.race([running.done, ...feeds])
  } finally {
    end.abort()
    unwatch()
    await running.stop()
    await Promise.allSettled(feeds)
    await log.close()
  }
  if (!options.json && feeds.length > 0) console.log('\nStopped. "npm start" goes on from here and checks everything.')
}

async function feedAlone(options: Options, parts: Parts, progress: Progress): Promise<void> {
  const { seed, target } = progress
  const log = parts.log()
  await log.connect()
  const feed = await openFeed({ log, name: options.name, registry: parts.registry, seed })
  writeProgress(options.data, progress)
  await feed.writeUntil(target)
  await feed.close()
  await log.close()
}

const start = (options: Options, parts: Parts): Promise<Running> =>
  run(shop(parts.sinks, options.name), {
    log: parts.log(),
    registry: parts.registry,
    createTopics: { partitions: PARTITIONS },
    sessionTimeoutMs: 10_000,
    instanceId: options.instance,
    http: options.http === undefined ? undefined : { port: options.http },
    logger: options.log ? pino(pino.destination(2)) : false,
  })

function interrupted({ json }: Options): number {
  if (!json) console.log('\nStopped half way. "npm start" finishes it and checks everything.')
  return 130
}

try {
  const options = readOptions(process.argv.slice(2), process.env)
  if (options === 'help') console.log(HELP)
  else process.exitCode = await main(options)
} catch (error) {
  // A mistake is told in words; anything else is a defect of the program and shows where it is.
  console.error(error instanceof MillraceError ? `\n${error.code}: ${error.message}` : error)
  process.exitCode = 1
}
// Embedded parts may hold timers; everything has been closed.
process.exit()
