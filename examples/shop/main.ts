import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describe, MillraceError, run } from 'millrace'
import { pino } from 'pino'
import { expected } from './expected.ts'
import { feed, PARTITIONS } from './feed.ts'
import { shop } from './job.ts'
import { openParts, placesOf, shopSinks } from './parts.ts'
import { readProgress, writeProgress } from './progress.ts'
import { number, watch } from './screen.ts'
import { verify } from './verify.ts'

const HELP = `The main job: an e-commerce stream becomes revenue per category and minute in
ClickHouse, alerts on a topic, and raw records in a lake; then everything is
checked against an independent computation.

  npm start -- [options]

--records N     transactions of this run (default 200,000)
--seed S        of the generator (default 42)
--fresh         start over: deletes the data directory (embedded parts only)
--follow        keep running, 1,000 transactions a second, until Ctrl-C
--job-only      only run the job; another instance writes the records
--feed-only     only write the records
--data DIR      where embedded parts and progress are kept (default ./data)
--name NAME     of the application, its topics and its part of the lake (default shop)
--http PORT     serve /metrics, /healthz and /readyz
--instance ID   a fixed name for this instance
--json          print the summary as one JSON object and nothing else
--log           print the log (JSON lines on standard error)
--describe      only say what would run (with --json or --mermaid in that form)

Real parts are used where the environment names them, each alone or together:
KAFKA_BROKERS, SCHEMA_REGISTRY_URL, CLICKHOUSE_URL, S3_ENDPOINT (+ S3_BUCKET and
the usual AWS variables). "npm run services -- up" starts some and prints them.

A second run goes on with the next transactions; one that was killed is
finished by the next.`

const { values: args } = parseArgs({
  options: {
    records: { type: 'string', default: '200000' },
    seed: { type: 'string', default: '42' },
    data: { type: 'string', default: 'data' },
    name: { type: 'string', default: 'shop' },
    http: { type: 'string' },
    instance: { type: 'string' },
    fresh: { type: 'boolean', default: false },
    follow: { type: 'boolean', default: false },
    'job-only': { type: 'boolean', default: false },
    'feed-only': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    log: { type: 'boolean', default: false },
    describe: { type: 'boolean', default: false },
    mermaid: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

async function main(): Promise<number> {
  const say = args.json ? () => {} : console.log
  if (args.fresh) rmSync(args.data, { recursive: true, force: true })
  const before = readProgress(args.data)
  const seed = before?.seed ?? Number(args.seed)
  const target = before && !before.finished ? before.target : (before?.target ?? 0) + Number(args.records)
  const began = Date.now()
  const parts = await openParts(args.data, args.name)
  say(parts.described.join('\n'), '\n')
  const log = parts.log()
  await log.connect()
  if (!args['job-only']) writeProgress(args.data, { seed, target, finished: false })

  let written = 0
  const stop = new AbortController()
  const feeding = args['job-only']
    ? feed({ log, name: args.name, registry: parts.registry, seed, until: 0 })
    : feed({
        log,
        name: args.name,
        registry: parts.registry,
        seed,
        until: args.follow ? Number.MAX_SAFE_INTEGER : target,
        perSecond: args.follow ? 1_000 : undefined,
        onProgress: (n) => {
          written = n
        },
        signal: stop.signal,
      })
  feeding.catch(() => {})
  if (args['feed-only']) {
    await feeding
    await log.close()
    await parts.close()
    return 0
  }
  const running = await run(shop(parts.sinks, args.name), {
    log: parts.log(),
    registry: parts.registry,
    createTopics: { partitions: PARTITIONS },
    sessionTimeoutMs: 10_000,
    instanceId: args.instance,
    http: args.http === undefined ? undefined : { port: Number(args.http) },
    logger: args.log ? pino(pino.destination(2)) : false,
  })
  const unwatch = args.json ? () => {} : watch(running, () => written, target)
  if (args.follow || args['job-only']) {
    await running.done.finally(() => stop.abort())
    unwatch()
    await feeding.catch(() => {})
    await log.close()
    await parts.close()
    return 0
  }
  await Promise.race([Promise.all([feeding, running.ready()]), running.done])
  await running.caughtUp()
  unwatch()
  await running.stop()
  const seconds = (Date.now() - began) / 1000
  const verdict = await verify(parts, log, args.name, expected(seed, target, PARTITIONS))
  await log.close()
  await parts.close()
  if (verdict.problems.length === 0) writeProgress(args.data, { seed, target, finished: true })
  if (args.json) console.log(JSON.stringify({ seed, transactions: target, seconds, ...verdict }))
  else report(target, seconds, verdict)
  return verdict.problems.length === 0 ? 0 : 1
}

function report(transactions: number, seconds: number, verdict: Awaited<ReturnType<typeof verify>>): void {
  const { windows, orders, revenue, lakeRows, lakeFiles, deadLetters, alertedUsers, problems } = verdict
  console.log(`
${number(transactions)} transactions in ${seconds.toFixed(1)} s
  ${number(windows)} windows, ${number(orders)} orders, revenue ${number(revenue)}
  ${number(lakeRows)} records in ${number(lakeFiles)} files of the lake
  ${number(alertedUsers)} users with alerts, ${number(deadLetters)} dead letters
`)
  if (problems.length > 0) {
    console.log(`NOT as the independent computation says (${problems.length} differences):`)
    for (const problem of problems.slice(0, 20)) console.log(`  ${problem}`)
    return
  }
  console.log(`Checked against an independent computation: every window to the cent, every record
in the lake once, every alert, every dead letter.

Look further:
  npm run shop:sql -- "SELECT category, sum(orders) AS orders, round(sum(revenue), 2)
    AS revenue FROM revenue_per_minute FINAL GROUP BY category ORDER BY revenue DESC"
  ls ${join(args.data, 'lake')}/topic=transactions/*/*
  npm start                 goes on with the next transactions
  npm start -- --help       everything else`)
}

if (args.help) console.log(HELP)
else if (args.describe) {
  const { text, json, mermaid } = describe(shop(shopSinks(placesOf(args.data, args.name)), args.name))
  console.log(args.json ? JSON.stringify(json, null, 2) : args.mermaid ? mermaid : text)
} else {
  try {
    process.exitCode = await main()
  } catch (error) {
    console.error(error instanceof MillraceError ? `${error.code}: ${error.message}` : error)
    process.exitCode = 1
  }
  // Embedded parts may hold timers; everything has been closed.
  process.exit()
}
