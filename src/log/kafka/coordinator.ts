import { isRetriable, type MillraceError } from '../../errors.ts'
import { systemClock } from '../../time.ts'
import type { Broker, Transport } from './transport.ts'
import { errorCodes, kafkaError } from './wire/error-codes.ts'
import type { Request } from './wire/request.ts'

/** Sends requests to the broker that is in charge of something, wherever that is at the moment. */
export interface Coordinator {
  /**
   * Sends the request until it succeeds or fails for good. Throws what the broker's code means, and the retriable
   * `UNAVAILABLE` when the broker stays away. Only for requests that may be sent twice.
   */
  call<Answer>(request: Request<Answer>, errorOf: (answer: Answer) => number, what: string): Promise<Answer>
}

/** The markers of the previous transaction are still being written: a matter of milliseconds. */
const BUSY = [errorCodes.CONCURRENT_TRANSACTIONS, errorCodes.UNSTABLE_OFFSET_COMMIT] as number[]
/** Not retriable in general, but here: a topic that was created a moment ago, a group between two generations. */
const PASSING = [errorCodes.UNKNOWN_TOPIC_OR_PARTITION, errorCodes.REBALANCE_IN_PROGRESS] as number[]
const PASSING_MS = 5000

/**
 * @param locate asked again whenever the broker is away or not in charge any more
 * @param patienceMs how long to go on with a request before its failure is thrown
 */
export function coordinator(transport: Transport, locate: () => Promise<Broker>, patienceMs: number): Coordinator {
  let broker: Broker | undefined
  return {
    async call(request, errorOf, what) {
      const start = systemClock.now()
      for (let wait = 2; ; wait *= 1.5) {
        let failure: MillraceError
        let longest = 500
        let patience = patienceMs
        try {
          broker ??= await locate()
          const answer = await transport.call(broker, request)
          const code = errorOf(answer)
          if (code === errorCodes.NONE) return answer
          failure = kafkaError(code, what)
          if (PASSING.includes(code)) patience = PASSING_MS
          else if (!failure.retriable) throw failure
          if (BUSY.includes(code)) longest = 50
          else broker = undefined
        } catch (error) {
          if (!isRetriable(error)) throw error
          failure = error as MillraceError
          broker = undefined
        }
        if (systemClock.now() - start > patience) throw failure
        await systemClock.sleep(Math.min(wait, longest))
      }
    },
  }
}

/** The first error among the results of several partitions; one that is not the consequence of another, if there is one. */
export const firstError = (results: readonly { readonly error: number }[]): number => {
  const errors = results.map(({ error }) => error).filter((error) => error !== errorCodes.NONE)
  return errors.find((error) => error !== errorCodes.OPERATION_NOT_ATTEMPTED) ?? errors[0] ?? errorCodes.NONE
}
