import type { Logger } from 'pino'
import { MillraceError } from '../errors.ts'
import type { Fetched, Log, Position } from '../log/log.ts'
import { PendingSchema } from '../serde/serde.ts'
import type { GlobalSource } from '../topology/global-table.ts'
import type { HeapWatch } from './heap.ts'
import type { Settings } from './options.ts'
import type { Patience } from './patience.ts'
import { type GlobalRows, globalRows } from './task/global-rows.ts'

/** The global tables of an application: restored before its tasks start, followed until it ends. */
export interface Globals {
  /** By the spec that operators ask with. */
  readonly stores: ReadonlyMap<unknown, unknown>
  readonly rows: readonly GlobalRows[]
  /** Resolves when all that was in the topics at the start is in. */
  restore(): Promise<void>
  /** Never resolves; rejects when a topic cannot be followed any more. */
  readonly failed: Promise<never>
  /** Whether all that its topics hold at this moment is in. */
  caughtUp(): Promise<boolean>
  close(): Promise<void>
}

export interface GlobalsDependencies {
  readonly sources: readonly GlobalSource[]
  readonly counts: ReadonlyMap<string, number>
  readonly settings: Settings
  readonly log: Log
  readonly patiently: Patience
  readonly heap: HeapWatch
  readonly logger: Logger
  /** Called at each answer, with how many rows a table has. */
  readonly onRows: (store: string, rows: number) => void
  /** A row was skipped. */
  readonly onSkip: (store: string) => void
}

const FETCH = { maxBytes: 16 * 1024 * 1024, maxBytesPerPartition: 4 * 1024 * 1024, maxWaitMs: 500 }

interface Followed {
  readonly rows: GlobalRows
  readonly topic: string
  readonly partition: number
  offset: number
}

export function createGlobals(on: GlobalsDependencies): Globals {
  const { sources, counts, settings, log, patiently, heap, logger } = on
  const rows = sources.map((source) => globalRows(source, settings.registry))
  const stop = new AbortController()
  let fail: (error: unknown) => void
  const failed = new Promise<never>((_, reject) => {
    fail = reject
  })
  failed.catch(() => {})
  let following: Promise<void> | undefined
  const all: readonly Followed[] = rows.flatMap((of) => {
    const { topic } = of.source
    return Array.from({ length: counts.get(topic)! }, (_, partition) => ({ rows: of, topic, partition, offset: 0 }))
  })
  const reader = rows.length > 0 ? log.reader({ isolation: 'committed' }) : undefined

  const apply = async (of: Followed, { batches, next, corrupt }: Fetched) => {
    const onUndecodable = (error: Error, offset: number) => {
      const at = { topic: of.topic, partition: of.partition, offset }
      if (settings.errors.undecodable === 'fail') {
        throw new MillraceError('UNDECODABLE_RECORD', `a row of a global table cannot be decoded: ${error.message}`, {
          ...at,
          cause: error,
          hint: "mend the producer or the serde, or set the policy: errors: { undecodable: 'skip' }",
        })
      }
      on.onSkip(of.rows.source.spec.name)
      logger.warn({ ...at, err: { message: error.message } }, 'row of a global table skipped')
    }
    for (const batch of batches) {
      for (let done = false; !done; ) {
        try {
          of.rows.apply(batch, of.offset, onUndecodable)
          done = true
        } catch (thrown) {
          if (!(thrown instanceof PendingSchema)) throw thrown
          await patiently('registry', thrown.load, stop.signal)
        }
      }
    }
    of.offset = next
    if (corrupt) {
      onUndecodable(corrupt.error, next)
      of.offset = corrupt.skipTo
    }
  }
  const fetchOnce = async (wanted: readonly Followed[]) => {
    const fetched = await patiently('log', () => reader!.fetch(wanted, { ...FETCH, signal: stop.signal }), stop.signal)
    for (const answer of fetched) {
      const of = wanted.find(({ topic, partition }) => topic === answer.topic && partition === answer.partition)
      if (of) await apply(of, answer)
    }
    for (const { source, store } of rows) on.onRows(source.spec.name, store.size)
    const stores = rows.map(({ source, store }) => ({ name: source.spec.name, store }))
    heap.check('following global tables', () => ({ holders: [{ id: 'global', stores }] }))
  }
  const find = (positions: readonly Position[], of: Followed) =>
    positions.find(({ topic, partition }) => topic === of.topic && partition === of.partition)!.offset
  const ends = (of: readonly Followed[]) => patiently('log', () => log.admin.endOffsets(of), stop.signal)
  /** Reads partitions from their start to what is their end now. */
  const readWhole = async (of: readonly Followed[]) => {
    const starts = await patiently('log', () => log.admin.startOffsets(of), stop.signal)
    const until = await ends(of)
    for (const one of of) one.offset = find(starts, one)
    for (let behind = of; ; ) {
      behind = behind.filter((one) => one.offset < find(until, one))
      if (behind.length === 0 || stop.signal.aborted) break
      await fetchOnce(behind)
    }
  }
  /** What was between is gone from the log: deletions too, so that the rows are put in anew. */
  const rebuild = async (topic: string) => {
    const of = all.filter((one) => one.topic === topic)
    logger.error({ topic }, 'global table: offset out of range, the table is built anew from the start of the topic')
    for (const { store } of new Set(of.map((one) => one.rows))) store.beginRebuild()
    await readWhole(of)
    for (const { store } of new Set(of.map((one) => one.rows))) store.endRebuild()
  }
  /** Until it works: rows may be trimmed away while they are being read. */
  const rebuilding = async (work: () => Promise<void>): Promise<void> => {
    for (let next = work; ; ) {
      try {
        return await next()
      } catch (error) {
        const topic = error instanceof MillraceError ? error.context.topic : undefined
        if (!(error instanceof MillraceError) || error.code !== 'OFFSET_OUT_OF_RANGE' || topic === undefined)
          throw error
        next = () => rebuild(topic)
      }
    }
  }
  const follow = async () => {
    while (!stop.signal.aborted) await rebuilding(() => fetchOnce(all))
  }

  return {
    rows,
    stores: new Map(rows.map(({ source, store }) => [source.spec, store])),
    failed,
    async restore() {
      if (rows.length === 0) return
      await rebuilding(() => readWhole(all))
      logger.info({ tables: rows.map(({ source }) => source.spec.name) }, 'global tables restored')
      following = follow().catch((error) => {
        if (!stop.signal.aborted) fail(error)
      })
    },
    async caughtUp() {
      if (all.length === 0) return true
      const until = await ends(all)
      return all.every((of) => of.offset >= find(until, of))
    },
    async close() {
      stop.abort()
      await following
      await reader?.close()
    },
  }
}
