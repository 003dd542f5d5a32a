import {
  aggregate,
  count,
  groupByKey,
  json,
  last,
  plan,
  type Running,
  run,
  stream,
  string,
  to,
  topology,
  toStream,
} from 'millrace'
import { logAt, withLog } from '../suite/place.ts'
import { stopwatch } from '../suite/stopwatch.ts'
import { createTopics, load } from '../suite/topics.ts'
import type { RunSettings, Workload } from '../suite/workload.ts'

const RECORDS = 1_000_000
const VALUE = 'x'.repeat(80)

const inputOf = ({ id }: RunSettings) => `${id}-input`
const outputOf = ({ id }: RunSettings) => `${id}-output`

/** A count and a text of 80 bytes for each key: about 110 bytes in the changelog. */
const state = (settings: RunSettings) =>
  topology(settings.id, [
    stream(inputOf(settings), { key: string(), value: string() }).pipe(
      groupByKey(),
      aggregate('state', { records: count(), newest: last((value) => value) }),
      toStream(),
      to(outputOf(settings), { key: string(), value: json<{ records: number; newest: string | null } | null>() }),
    ),
  ])

const start = (settings: RunSettings): Promise<Running> =>
  run(state(settings), {
    log: logAt(settings.place),
    guarantee: settings.guarantee,
    commitIntervalMs: settings.commitIntervalMs,
    deadLetterTopic: false,
    logger: false,
  })

/** From the start of a second instance, when the first has left, until its tasks run: state comes from the changelog. */
export const restore: Workload = {
  name: 'restore',
  summary: 'state of so many keys, 110 bytes each, from the changelog to running tasks',
  records: RECORDS,
  smokeRecords: 20_000,
  onLog: true,
  async prepare(settings) {
    const n = settings.records ?? RECORDS
    await withLog(settings.place, async (log) => {
      const keys = string().open({ topic: inputOf(settings), part: 'key' })
      const values = string().open({ topic: inputOf(settings), part: 'value' })
      await load(log, inputOf(settings), Array(n).keys(), (i, key, value) => {
        keys.encode(`key-${i}`, key)
        values.encode(VALUE, value)
        return i
      })
      await createTopics(log, [outputOf(settings)])
    })
    const running = await start(settings)
    await running.caughtUp()
    await running.stop()
    return n
  },
  async measure(settings) {
    const watch = stopwatch(settings.brokerPid)
    const running = await start(settings)
    await running.ready()
    const measured = watch.read()
    let entries = 0
    for (const _ of running.query('state')) entries++
    await running.stop()
    if (entries !== settings.records) throw new Error(`restored ${entries} entries of ${settings.records}`)
    return [{ n: entries, ...measured }]
  },
  cleanUp: (settings) =>
    withLog(settings.place, async (log) => {
      const internal = plan(state(settings)).subtopologies.flatMap(({ stores }) => stores)
      const changelogs = internal.flatMap(({ changelog }) => changelog ?? [])
      await log.admin.delete([inputOf(settings), outputOf(settings), ...changelogs])
    }),
}
