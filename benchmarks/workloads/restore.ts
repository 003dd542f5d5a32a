import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import {
  aggregate,
  count,
  groupByKey,
  json,
  last,
  plan,
  type Running,
  type RunOptions,
  run,
  stream,
  string,
  to,
  topology,
  toStream,
} from 'millrace'
import { diskState } from 'millrace/disk'
import { snapshotDirectory } from 'millrace/snapshots'
import { logAt, withLog } from '../suite/place.ts'
import { stopwatch } from '../suite/stopwatch.ts'
import { createTopics, load } from '../suite/topics.ts'
import type { RunSettings, Workload } from '../suite/workload.ts'

const RECORDS = 1_000_000
/** As many as the partitions of an input. */
const TASKS = 4
const VALUE = 'x'.repeat(80)
/** How often each key is written where keys change often. */
const CHANGES = 5

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

const changelogsOf = (settings: RunSettings) =>
  plan(state(settings)).subtopologies.flatMap(({ stores }) => stores.flatMap(({ changelog }) => changelog ?? []))

const start = (settings: RunSettings, options: Partial<RunOptions> = {}): Promise<Running> =>
  run(state(settings), {
    log: logAt(settings.place),
    guarantee: settings.guarantee,
    commitIntervalMs: settings.commitIntervalMs,
    deadLetterTopic: false,
    logger: false,
    ...options,
  })

/** Where a run keeps what is not on the log: beside it, under its name. */
const folderOf = ({ id }: RunSettings, what: string) => join(tmpdir(), `millrace-${id}`, what)
const snapshotsOf = (settings: RunSettings): Partial<RunOptions> => ({
  snapshots: { to: snapshotDirectory(folderOf(settings, 'snapshots')), intervalMs: 500 },
})
const diskOf = (settings: RunSettings): Partial<RunOptions> => ({ state: diskState(folderOf(settings, 'state')) })

/** Every task has a whole snapshot, and no more changes behind its base than are let grow before there is a new one. */
function areSnapshotsWhole(settings: RunSettings): boolean {
  const folder = folderOf(settings, 'snapshots')
  const names = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : []
  const manifests = Map.groupBy(
    names.filter((name) => name.endsWith('.manifest.json')),
    dirname,
  )
  const bytes = (segments: readonly { readonly bytes: number }[]) => segments.reduce((sum, of) => sum + of.bytes, 0)
  const isWhole = (name: string) => {
    const { segments, base } = JSON.parse(readFileSync(join(folder, name), 'utf8').split('\n')[0])
    return bytes(segments.slice(base)) <= bytes(segments.slice(0, base))
  }
  // Two may be of one offset, where nothing was written between them; which is the newer one, the name does not say.
  const newest = (of: readonly string[]) => {
    const offsets = of.map((name) => name.slice(0, name.lastIndexOf('-'))).sort()
    return of.filter((name) => name.startsWith(`${offsets.at(-1)}-`))
  }
  return manifests.size === TASKS && [...manifests.values()].every((of) => newest(of).some(isWhole))
}

/** From the start of a second instance, when the first has left, until its tasks run. */
const restoreFrom = (what: {
  readonly name: string
  readonly summary: string
  readonly smokeRecords: number
  /** How often each key is written, each time in a commit of its own. Default: once. */
  readonly changes?: number
  readonly before: (settings: RunSettings) => Partial<RunOptions>
  readonly measured: (settings: RunSettings) => Partial<RunOptions>
}): Workload => ({
  name: what.name,
  summary: what.summary,
  records: RECORDS,
  smokeRecords: what.smokeRecords,
  onLog: true,
  // Who else restores does it from the same changelog.
  topicsOf: (settings) => ({ inputs: changelogsOf(settings), output: outputOf(settings) }),
  async prepare(settings) {
    const n = settings.records ?? RECORDS
    await withLog(settings.place, async (log) => {
      const keys = string().open({ topic: inputOf(settings), part: 'key' })
      const values = string().open({ topic: inputOf(settings), part: 'value' })
      const inputs = Array(n * (what.changes ?? 1)).keys()
      await load(log, inputOf(settings), inputs, (i, key, value) => {
        keys.encode(`key-${i % n}`, key)
        values.encode(VALUE, value)
        return i
      })
      await createTopics(log, [outputOf(settings)])
    })
    const options = what.before(settings)
    const running = await start(settings, options)
    await running.caughtUp()
    // The first snapshot is begun when it is due, and written beside the work.
    while (options.snapshots && !areSnapshotsWhole(settings)) await new Promise((resolve) => setTimeout(resolve, 200))
    await running.stop()
    return n
  },
  async measure(settings) {
    const watch = stopwatch(settings.brokerPid)
    const running = await start(settings, what.measured(settings))
    await running.ready()
    const measured = watch.read()
    // Memory before the entries are looked at: what restoring took, and what it left.
    const peak_mb = Math.round((process.resourceUsage().maxRSS * 1024) / 1e6)
    let entries = 0
    for (const _ of running.query('state')) entries++
    await running.stop()
    if (entries !== settings.records) throw new Error(`restored ${entries} entries of ${settings.records}`)
    return [{ n: entries, peak_mb, ...measured }]
  },
  async cleanUp(settings) {
    rmSync(folderOf(settings, '.'), { recursive: true, force: true })
    await withLog(settings.place, async (log) => {
      await log.admin.delete([inputOf(settings), outputOf(settings), ...changelogsOf(settings)])
    })
  },
})

const inMemory = (): Partial<RunOptions> => ({})
/** So that a key does not come twice in one commit, which writes it once. */
const manyCommits = (): Partial<RunOptions> => ({ commitIntervalMs: 50 })

export const restores: readonly Workload[] = [
  restoreFrom({
    name: 'restore-changelog',
    summary: 'state of so many keys, 110 bytes each, from the changelog to running tasks',
    smokeRecords: 20_000,
    before: inMemory,
    measured: inMemory,
  }),
  restoreFrom({
    name: 'restore-snapshot',
    summary: 'the same from snapshots in a local directory',
    smokeRecords: 20_000,
    before: snapshotsOf,
    measured: snapshotsOf,
  }),
  restoreFrom({
    name: 'restore-changelog-often',
    summary: `as restore-changelog, each key written ${CHANGES} times`,
    smokeRecords: 20_000,
    changes: CHANGES,
    before: manyCommits,
    measured: inMemory,
  }),
  restoreFrom({
    name: 'restore-snapshot-often',
    summary: `as restore-snapshot, each key written ${CHANGES} times`,
    smokeRecords: 20_000,
    changes: CHANGES,
    before: (settings) => ({ ...manyCommits(), ...snapshotsOf(settings) }),
    measured: snapshotsOf,
  }),
  restoreFrom({
    name: 'restore-disk',
    summary: 'the same from the changelog into state on disk: memory does not grow with it',
    smokeRecords: 20_000,
    before: inMemory,
    measured: diskOf,
  }),
]
