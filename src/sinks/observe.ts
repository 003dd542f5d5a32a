import { mergeMap, Observable, Subject } from 'rxjs'
import type { SinkBatch, SinkDefinition } from './sink.ts'

/** A record as an observer sees it. */
export interface ObservedRecord<out K, out V> {
  readonly key: K
  /** null where a table's row was deleted. */
  readonly value: V | null
  /** Event time, ms. */
  readonly timestamp: number
}

/** What one task gives to its observers at one commit. */
export interface ObservedBatch<out K, out V> {
  readonly records: readonly ObservedRecord<K, V>[]
  /** The commit waits for `work`, and with it the source; if it rejects, so does the run. */
  waitFor(work: PromiseLike<unknown>): void
}

/** A stream seen from outside: give it to `to(…)`, and subscribe. */
export interface Observation<in out K, in out V> extends SinkDefinition<K, V> {
  /** Record by record; nothing waits for the subscriber. Completes when the application stops. */
  readonly records$: Observable<ObservedRecord<K, V>>
  /** Commit by commit and task by task. */
  readonly batches$: Observable<ObservedBatch<K, V>>
}

/**
 * Observes a stream, or the updates of a table, from outside as RxJS Observables.
 *
 * Batches come as part of the commit, before it is acknowledged: a subscriber that takes its time holds the source
 * (`batch.waitFor(promise)`). Order is that of each task. At least once: after a crash what was not committed comes again.
 * Hot: without a subscriber records go by, and each instance sees the tasks that run in it. A promise that rejects
 * stops the application; a subscriber that throws is an uncaught exception, as RxJS makes it. Kafka Streams: none (`foreach`).
 *
 * @example
 * ```ts
 * const alerts = observe<string, { reason: string }>('alerts')
 * alerts.batches$.subscribe((batch) => batch.waitFor(notify(batch.records)))
 * const app = topology('app', [suspicious.pipe(to(alerts))])
 * ```
 */
export function observe<K, V>(name: string): Observation<K, V> {
  let batches = new Subject<ObservedBatch<K, V>>()
  const batches$ = new Observable<ObservedBatch<K, V>>((subscriber) => batches.subscribe(subscriber))
  return {
    kind: 'observe',
    name: `observe:${name}`,
    // A replay shows what it shows: no plan of ranges is needed.
    mode: 'upsert',
    parameters: { name },
    batches$,
    records$: batches$.pipe(mergeMap(({ records }) => records)),
    open: async () => ({
      async write(batch: SinkBatch<K, V>) {
        const waits: PromiseLike<unknown>[] = []
        batches.next({ records: recordsOf(batch), waitFor: (work) => void waits.push(work) })
        await Promise.all(waits)
        return []
      },
      async close() {
        const ended = batches
        batches = new Subject()
        ended.complete()
      },
    }),
  }
}

function recordsOf<K, V>({ keys, values, timestamps }: SinkBatch<K, V>): ObservedRecord<K, V>[] {
  return keys.map((key, i) => ({ key, value: values[i], timestamp: timestamps[i] }))
}
