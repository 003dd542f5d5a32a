import { MillraceError, toError } from '../errors.ts'
import type { Fetched, LogReader, Position, TaskProgress } from '../log/log.ts'
import { WAIT_ENDED } from '../time.ts'
import { type AssignmentDependencies, findCheckpoints } from './assignment.ts'
import { createAlarm } from './commands.ts'
import { holderOf } from './heap.ts'
import type { Patience } from './patience.ts'
import { startStates } from './restore.ts'
import { applyFetched } from './state/changelog.ts'
import { changelogsOf, openState, partsOf, progressOf, type TaskState } from './state/task-state.ts'

const FETCH = { maxBytes: 16 * 1024 * 1024, maxBytesPerPartition: 2 * 1024 * 1024, maxWaitMs: 500 }
/** A standby that failed is begun anew after this, and a warm-up that was not heeded says again that it is ready. */
const AGAIN_MS = 30_000
const LONGEST_PAUSE_MS = 10 * 60_000

/**
 * The states of tasks that run elsewhere, kept up to date by following their changelogs, as far as they are committed:
 * beside the loop, with a reader of their own. What becomes active takes its state along; what was active may leave it here.
 * A standby that cannot go on costs only itself: it is begun anew, and the tasks that run do not notice.
 */
export interface Standbys {
  /** From now on these, and no others. */
  assign(standby: readonly string[], warmup: readonly string[]): void
  /** Takes the state of a task out, to run it here; undefined when there is none yet. */
  take(id: string): TaskState | undefined
  /** The state of a task that ran here: it is kept if the next `assign` wants it, and closed if not. */
  leave(state: TaskState): void
  /** Of all that are ready for reading. */
  progress(): TaskProgress[]
  /** Ends following, and closes all states. */
  close(): Promise<void>
}

export interface StandbysDependencies extends AssignmentDependencies {
  /** Told when a warm-up has caught up. */
  readonly onWarm: () => void
}

interface Standby {
  readonly id: string
  isWarmup: boolean
  /** Undefined until it can be read on. */
  state: TaskState | undefined
  /** Ends of its changelogs, as the last answer had them. */
  readonly ends: Map<string, number>
  isOpening: boolean
  /** Not opened before this time, after so many failures in a row. */
  notBefore: number
  failures: number
  /** When the group was told that it is warm. */
  toldAt: number | undefined
}

export function createStandbys(on: StandbysDependencies): Standbys {
  const { log, logger, metrics, heap, plan, settings } = on
  const { clock, acceptableLag } = settings
  const standbys = new Map<string, Standby>()
  const left = new Map<string, TaskState>()
  const alarm = createAlarm(clock.sleep)
  const ended = new AbortController()
  const signal = AbortSignal.any([on.signal, ended.signal])
  let reader: LogReader | undefined
  let following: Promise<void> | undefined
  /** Aborted when what is followed changes. */
  let changed = new AbortController()

  const isOver = () => signal.aborted
  const patiently: Patience = (what, call) => on.patiently(what, call, signal)
  const progress = ({ state, ends }: Standby) => state && progressOf(state, (changelog) => ends.get(changelog) ?? 0)

  const states = () => Array.from(standbys.values(), ({ state }) => state).filter((state) => state !== undefined)
  const onTurn = () => heap.check('following standbys', () => ({ holders: states().map(holderOf) }))

  function change(): void {
    changed.abort(WAIT_ENDED)
    changed = new AbortController()
    alarm.ring()
    if (standbys.size > 0 && !isOver()) following ??= follow().finally(() => (following = undefined))
  }

  function drop(standby: Standby): void {
    standbys.delete(standby.id)
    standby.state?.stores.close()
    standby.state = undefined
    metrics.standbyGone(standby.id)
  }

  function failed(standby: Standby, thrown: unknown): void {
    const error = toError(thrown)
    const isBehind = error instanceof MillraceError && error.code === 'OFFSET_OUT_OF_RANGE'
    // What it did not read in time is gone from the changelog; what else it fails of may be there for a while.
    if (!isBehind) standby.notBefore = clock.now() + Math.min(AGAIN_MS * 2 ** standby.failures++, LONGEST_PAUSE_MS)
    logger.warn({ err: error, task: standby.id }, 'standby cannot go on: it is begun anew')
    standby.state?.stores.close()
    standby.state = undefined
  }

  function open(standby: Standby): void {
    standby.isOpening = true
    // Nobody waits for it: one that is still under way at the end closes its state by itself.
    void start(standby)
      .catch((error) => {
        if (!isOver() && standbys.get(standby.id) === standby) failed(standby, error)
      })
      .finally(() => {
        standby.isOpening = false
        change()
      })
  }

  async function start(standby: Standby): Promise<void> {
    const { id } = standby
    const state = openState(id, plan, settings)
    try {
      for (const codec of state.stores.codecs) {
        if (codec.prepare) await patiently('registry', async () => codec.prepare!())
      }
      const identity = settings.snapshots && (await identityOf(id))
      const started = await startStates([state], {
        ...on,
        patiently,
        clock,
        signal,
        snapshots: settings.snapshots && {
          from: settings.snapshots.to,
          application: plan.application,
          identity: () => identity,
        },
      })
      if (isOver() || standbys.get(id) !== standby) return state.stores.close()
      for (const { topic, end } of started) standby.ends.set(topic, end)
      standby.state = state
    } catch (error) {
      state.stores.close()
      throw error
    }
  }

  /** Of the state as it was last committed: see snapshots. */
  async function identityOf(id: string): Promise<string | undefined> {
    const [subtopology, partition] = partsOf(id)
    const sources = plan.subtopologies[subtopology].sources.map(({ topic }) => topic)
    const topics = [...new Set(sources)].filter((topic) => partition < on.counts.get(topic)!)
    const [{ checkpoint }] = await findCheckpoints([{ topics, partition }], { ...on, patiently })
    return checkpoint.identity
  }

  async function follow(): Promise<void> {
    while (!isOver() && standbys.size > 0) {
      for (const standby of standbys.values()) {
        if (!standby.state && !standby.isOpening && clock.now() >= standby.notBefore) open(standby)
      }
      const asked = [...standbys.values()].flatMap(({ state }) => (state ? positionsOf(state) : []))
      if (asked.length === 0) {
        await alarm.wait(1_000)
        continue
      }
      try {
        reader ??= log.reader({ isolation: 'committed' })
        const { signal: stop } = changed
        const fetched = await patiently('log', () => reader!.fetch(asked, { ...FETCH, signal: stop }))
        for (const one of fetched) await apply(one, asked)
      } catch (error) {
        if (!isOver()) blame(error)
      }
      tell()
    }
  }

  async function apply(fetched: Fetched, asked: readonly Asked[]): Promise<void> {
    const { topic, partition, end } = fetched
    const { state, offset } = asked.find((of) => of.topic === topic && of.partition === partition)!
    const standby = standbys.get(state.id)
    // It may have been taken out meanwhile, and even have come back.
    if (standby?.state !== state || state.positions.get(topic) !== offset) return
    standby.ends.set(topic, end)
    try {
      const isWanted = () => !isOver() && standby.state === state
      await applyFetched(fetched, state, { patiently, clock, isWanted, onTurn })
    } catch (error) {
      if (standby.state === state) failed(standby, error)
    }
  }

  /** A fetch failed as a whole: of one topic, or of all. */
  function blame(error: unknown): void {
    const { topic, partition } = error instanceof MillraceError ? error.context : {}
    const all = [...standbys.values()].filter(({ state }) => state)
    const blamed = all.filter(({ state }) => state!.partition === partition && state!.positions.has(topic ?? ''))
    for (const standby of blamed.length > 0 ? blamed : all) failed(standby, error)
  }

  function tell(): void {
    const now = clock.now()
    for (const standby of standbys.values()) {
      const of = progress(standby)
      if (!of) continue
      metrics.standbyLag(standby.id, of.end - of.offset)
      if (!standby.isWarmup || of.end - of.offset > acceptableLag) continue
      if (standby.toldAt !== undefined && Math.abs(now - standby.toldAt) < AGAIN_MS) continue
      standby.toldAt = now
      logger.info({ task: standby.id, lag: of.end - of.offset }, 'warm-up has caught up')
      on.onWarm()
    }
  }

  return {
    assign(standby, warmup) {
      const wanted = new Map([...standby.map((id) => [id, false] as const), ...warmup.map((id) => [id, true] as const)])
      for (const of of standbys.values()) if (!wanted.has(of.id)) drop(of)
      for (const [id, isWarmup] of wanted) {
        const known = standbys.get(id)
        if (known) {
          if (isWarmup && !known.isWarmup) known.toldAt = undefined
          known.isWarmup = isWarmup
        } else {
          const state = left.get(id)
          left.delete(id)
          const ends = new Map(state?.positions)
          standbys.set(id, {
            id,
            isWarmup,
            state,
            ends,
            isOpening: false,
            notBefore: 0,
            failures: 0,
            toldAt: undefined,
          })
        }
      }
      for (const { stores } of left.values()) stores.close()
      left.clear()
      metrics.standbyTasks(standby.length, warmup.length)
      change()
    },
    take(id) {
      const standby = standbys.get(id)
      const state = standby?.state ?? left.get(id)
      if (standby) standby.state = undefined
      left.delete(id)
      if (standby) drop(standby)
      return state
    },
    leave(state) {
      if (isOver() || changelogsOf(state).length === 0) state.stores.close()
      else left.set(state.id, state)
    },
    progress: () => [...standbys.values()].flatMap((standby) => progress(standby) ?? []),
    async close() {
      ended.abort(WAIT_ENDED)
      change()
      await following
      await reader?.close()
      for (const standby of standbys.values()) drop(standby)
      for (const { stores } of left.values()) stores.close()
      left.clear()
    },
  }
}

interface Asked extends Position {
  readonly state: TaskState
}

function positionsOf(state: TaskState): Asked[] {
  const { partition, positions } = state
  return Array.from(positions, ([topic, offset]) => ({ topic, partition, offset, state }))
}
