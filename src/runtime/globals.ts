import type { Logger } from 'pino'
import { MillraceError } from '../errors.ts'
import type { Fetched, Log } from '../log/log.ts'
import { PendingSchema } from '../serde/serde.ts'
import type { GlobalSource } from '../topology/global-table.ts'
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
  close(): Promise<void>
}

export interface GlobalsDependencies {
  readonly sources: readonly GlobalSource[]
  readonly counts: ReadonlyMap<string, number>
  readonly settings: Settings
  readonly log: Log
  readonly patiently: Patience
  readonly logger: Logger
  /** Called at each answer, with how many rows a table has. */
  readonly onRows: (store: string, rows: number) => void
}

const FETCH = { maxBytes: 16 * 1024 * 1024, maxBytesPerPartition: 4 * 1024 * 1024, maxWaitMs: 500 }

interface Followed {
  readonly rows: GlobalRows
  readonly topic: string
  readonly partition: number
  offset: number
}

export function createGlobals(on: GlobalsDependencies): Globals {
  const { sources, counts, settings, log, patiently, logger } = on
  const rows = sources.map((source) => globalRows(source, settings.registry))
  const stop = new AbortController()
  let fail: (error: unknown) => void
  const failed = new Promise<never>((_, reject) => {
    fail = reject
  })
  failed.catch(() => {})
  let following: Promise<void> | undefined
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
  }
  const follow = async (all: readonly Followed[]) => {
    while (!stop.signal.aborted) await fetchOnce(all)
  }

  return {
    rows,
    stores: new Map(rows.map(({ source, store }) => [source.spec, store])),
    failed,
    async restore() {
      if (rows.length === 0) return
      const all = rows.flatMap((of) => {
        const { topic } = of.source
        return Array.from({ length: counts.get(topic)! }, (_, partition) => ({ rows: of, topic, partition, offset: 0 }))
      })
      const [starts, ends] = await patiently(
        'log',
        () => Promise.all([log.admin.startOffsets(all), log.admin.endOffsets(all)]),
        stop.signal,
      )
      const find = (positions: typeof ends, of: Followed) =>
        positions.find(({ topic, partition }) => topic === of.topic && partition === of.partition)!.offset
      for (const of of all) of.offset = find(starts, of)
      for (let behind = all; ; ) {
        behind = behind.filter((of) => of.offset < find(ends, of))
        if (behind.length === 0 || stop.signal.aborted) break
        await fetchOnce(behind)
      }
      logger.info({ tables: rows.map(({ source }) => source.spec.name) }, 'global tables restored')
      following = follow(all).catch((error) => {
        if (!stop.signal.aborted) fail(error)
      })
    },
    async close() {
      stop.abort()
      await following
      await reader?.close()
    },
  }
}
