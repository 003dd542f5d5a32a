import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { plan, run } from 'millrace'
import { filter, firstValueFrom } from 'rxjs'
import { expected } from '../../examples/shop/expected.ts'
import { openFeed, PARTITIONS } from '../../examples/shop/feed.ts'
import { shop, topicOf } from '../../examples/shop/job.ts'
import { type ChosenParts, openParts, partsFrom, shopSinks } from '../../examples/shop/parts.ts'
import { verify } from '../../examples/shop/verify.ts'
import { Checksum } from '../suite/checksum.ts'
import { logAt, withLog } from '../suite/place.ts'
import { stopwatch } from '../suite/stopwatch.ts'
import type { RunSettings, Workload } from '../suite/workload.ts'

const dataOf = ({ id }: RunSettings): string => join(tmpdir(), `millrace-${id}`)

/** ClickHouse, the lake and the registry in a directory of the run's own; the log where the suite has it. */
const partsOf = (settings: RunSettings): ChosenParts => partsFrom({}, dataOf(settings), settings.id)

const RECORDS = 1_000_000
const TOPICS = ['transactions', 'users', 'events', 'revenue-per-minute', 'alerts']

/** The main job of examples/shop as it is, sinks and all: from its first task until everything is committed. */
export const shopJob: Workload = {
  name: 'shop',
  summary: 'the main job: windows, sliding alerts, ClickHouse (embedded), lake (directory), dead letters',
  records: RECORDS,
  smokeRecords: 20_000,
  onLog: true,
  prepare: (settings) =>
    withLog(settings.place, async (log) => {
      const n = settings.records ?? RECORDS
      const parts = await openParts(partsOf(settings), dataOf(settings))
      const feed = await openFeed({ log, name: settings.id, registry: parts.registry, seed: settings.seed })
      await feed.writeUntil(n)
      await feed.close()
      await parts.close()
      return n
    }),
  async measure(settings) {
    const { id, place, guarantee, commitIntervalMs, threads } = settings
    if (threads > 1) throw new Error('shop: one thread only; its ClickHouse belongs to one process')
    const parts = await openParts(partsOf(settings), dataOf(settings))
    const running = await run(shop(parts.sinks, id), {
      log: logAt(place),
      registry: parts.registry,
      guarantee,
      commitIntervalMs,
      logger: false,
    })
    await firstValueFrom(running.state$.pipe(filter(({ tasks }) => tasks.length > 0)))
    const watch = stopwatch(settings.brokerPid)
    await running.caughtUp()
    const measured = watch.read()
    await running.stop()
    await parts.close()
    return [{ n: settings.records!, ...measured }]
  },
  async check(settings) {
    const { id, place, seed, records } = settings
    const parts = await openParts(partsOf(settings), dataOf(settings))
    try {
      const verdict = await withLog(place, (log) => verify(parts, log, id, expected(seed, records!, PARTITIONS)))
      for (const problem of verdict.problems.slice(0, 5)) process.stderr.write(`shop: ${problem}\n`)
      const sum = new Checksum()
      sum.add(`${verdict.windows} ${verdict.orders} ${verdict.revenue} ${verdict.lakeRows} ${verdict.deadLetters}`)
      return { outputs: verdict.windows, checksum: `${sum}`, ok: verdict.problems.length === 0 }
    } finally {
      await parts.close()
    }
  },
  async cleanUp(settings) {
    const { id, place } = settings
    rmSync(dataOf(settings), { recursive: true, force: true })
    const parts = { ...partsOf(settings), clickhouseUrl: 'http://localhost' }
    const { subtopologies } = plan(shop(shopSinks(parts), id))
    const internal = subtopologies.flatMap(({ sources, stores }) => [
      ...sources.flatMap(({ topic, from }) => (from === undefined ? [] : [topic])),
      ...stores.flatMap(({ changelog }) => changelog ?? []),
    ])
    const own = [...TOPICS.map((topic) => topicOf(id, topic)), `${id}-dead-letters`]
    await withLog(place, (log) => log.admin.delete([...own, ...internal]))
  },
}
