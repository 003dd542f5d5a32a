import { type OperatorFunction, Subject } from 'rxjs'
import { MillraceError } from '../errors.ts'
import { node, out } from '../topology/node.ts'
import type { ProcessorFactory } from '../topology/processor.ts'
import { Stream } from '../topology/stream.ts'

/**
 * Puts the values of a stream through RxJS operators, a batch at a time: each batch is an Observable of its own, which
 * completes at the commit. What comes out has the key, timestamp and headers of the record in work.
 *
 * - Synchronous: every value must come out before the call returns, or when the batch completes. `delay`, `debounceTime`,
 *   `mergeMap` to a promise and the like are refused (`OPERATOR_FAILED`); use `mapAsync`.
 * - Without memory: what operators remember (`scan`, `distinct`, `bufferCount`) begins anew with each batch, and where a
 *   batch ends depends on the runtime: let no result depend on it. For memory use `aggregate`, `deduplicate`, `process`.
 * - It must not end before its batch: `take`, `first`, `takeWhile` are refused, since they would lose records.
 *
 * An error fails the record by `errors.failing` (with it goes what the operators held back); the next one starts a new
 * Observable.
 *
 * @ordering Stays. What the operators hold back until completion comes out at the commit, under the key and time of
 * the batch's last record.
 * @state None.
 * @nulls Passed like others.
 * @late Time plays no part: nothing is late.
 * @kafkaStreams None.
 *
 * @marble
 * ```ts
 * import { map } from 'rxjs'
 *
 * words.pipe(rx((word$) => word$.pipe(map((word) => word.toUpperCase()))))
 * ```
 * ```marbles
 * words | a=x@1 | b=y@2
 * out   | a=X@1 | b=Y@2
 * ```
 *
 * @example
 * ```ts
 * import { filter, mergeMap } from 'rxjs'
 *
 * lines.pipe(rx((line$) => line$.pipe(mergeMap((line) => line.split(' ')), filter((word) => word.length > 3))))
 * ```
 */
export function rx<K, V, V2>(operators: OperatorFunction<V, V2>): (stream: Stream<K, V>) => Stream<K, V2> {
  return ({ input, serdes, rekeyed }) =>
    new Stream(
      out(node({ kind: 'rx', inputs: [input], processor: batches(operators as OperatorFunction<unknown, unknown>) })),
      { key: serdes.key },
      rekeyed,
    )
}

function batches(operators: OperatorFunction<unknown, unknown>): ProcessorFactory {
  return (context) => {
    const next = context.forward()
    const refused = (problem: string, hint: string) =>
      new MillraceError('OPERATOR_FAILED', `rx: ${problem}`, { node: context.node, hint })
    const asynchronous = () =>
      refused('a value came later than the call that it belongs to', 'use mapAsync(…) for what takes time')
    let batch: Subject<unknown> | undefined
    let working = false
    let ended = false
    let problem: { readonly error: unknown } | undefined
    let key: unknown
    let timestamp = 0

    const begin = (): Subject<unknown> => {
      const fresh = new Subject<unknown>()
      ended = false
      fresh.pipe(operators).subscribe({
        next(value) {
          if (!working || batch !== fresh) problem ??= { error: asynchronous() }
          else {
            // RxJS would report what is thrown here to the process, not to us.
            try {
              next(key, value, timestamp)
            } catch (error) {
              problem ??= { error }
            }
          }
        },
        error(error) {
          if (batch === fresh) batch = undefined
          problem ??= { error }
        },
        complete() {
          ended = true
        },
      })
      return fresh
    }
    const work = (step: (batch: Subject<unknown>) => void) => {
      batch ??= begin()
      working = true
      try {
        step(batch)
      } finally {
        working = false
      }
      report()
    }
    const report = () => {
      if (problem === undefined) return
      const { error } = problem
      problem = undefined
      throw error
    }
    return {
      inputs: [
        (itsKey, value, itsTimestamp) => {
          report()
          key = itsKey
          timestamp = itsTimestamp
          work((of) => of.next(value))
          if (!ended) return
          batch = undefined
          throw refused('the operators have ended before their batch', 'leave out take, first and what else ends early')
        },
      ],
      flush() {
        report()
        if (batch === undefined) return
        work((of) => of.complete())
        batch = undefined
        if (!ended) throw asynchronous()
      },
    }
  }
}
