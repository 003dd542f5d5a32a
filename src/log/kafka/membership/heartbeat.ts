import { isRetriable, toError } from '../../../errors.ts'
import type { Clock } from '../../../time.ts'
import type { Stamp } from '../../log.ts'
import { backoff } from '../backoff.ts'
import { errorCodes, isRetriableCode } from '../wire/error-codes.ts'
import type { GroupCoordinator } from './group-coordinator.ts'
import type { Timeouts } from './join-round.ts'
import { membershipError } from './membership-error.ts'
import { heartbeatRequest } from './protocol.ts'

/** What heartbeats have found out about the membership. */
export type News =
  /** Others come or go: join again, as the same member. Heartbeats go on. */
  | { readonly kind: 'rebalance' }
  /** The group has gone on without this member. The broker still knows it, or may, unless `expired`. */
  | { readonly kind: 'lost'; readonly expired: boolean }
  /** Membership cannot go on. */
  | { readonly kind: 'failed'; readonly error: Error }

/**
 * Where one comes others often do too: the threads of a process, the instances of a deployment. The broker tells a member that
 * somebody waits to come in only when it asks, and until it does it runs what will not be its own; so it asks soon at first.
 */
const YOUNG_MS = 10_000
const FIRST_WAIT_MS = 50
const YOUNG_WAIT_MS = 250

export interface Heartbeats {
  /** Resolves with the first news, and never if stopped before. */
  readonly news: Promise<News>
  /** The newest news; `undefined` while all is well. */
  latest(): News | undefined
  stop(): void
}

/**
 * Keeps a member alive. While the coordinator cannot be reached it stays a member for as long as its session can last,
 * counted from the last heartbeat that was answered.
 */
export function heartbeats(
  coordinator: GroupCoordinator,
  stamp: Stamp,
  {
    sessionTimeoutMs,
    heartbeatIntervalMs,
    clock,
    random,
  }: Timeouts & { readonly clock: Clock; readonly random: () => number },
): Heartbeats {
  const stopped = new AbortController()
  const { promise: news, resolve } = Promise.withResolvers<News>()
  const pause = backoff({ firstMs: Math.min(50, heartbeatIntervalMs), maxMs: heartbeatIntervalMs, random })
  let latest: News | undefined
  const began = clock.now()
  let aliveAt = began

  /** A quarter of the generation's age while it is young: who comes t ms after another waits for about t / 4. */
  function interval(): number {
    const age = clock.now() - began
    const most = age < YOUNG_MS ? Math.min(Math.max(FIRST_WAIT_MS, age / 4), YOUNG_WAIT_MS) : heartbeatIntervalMs
    return Math.min(most, heartbeatIntervalMs)
  }

  function report(found: News): void {
    if (stopped.signal.aborted) return
    latest = found
    resolve(found)
    if (found.kind !== 'rebalance') stopped.abort()
  }

  /** Resolves to how long to wait before the next one. */
  async function beat(): Promise<number> {
    const sentAt = clock.now()
    // A third of the session, so that a broker which has stopped answering leaves time to find another one.
    const options = { lane: 'membership', timeoutMs: sessionTimeoutMs / 3 } as const
    try {
      const { error } = await coordinator.call(heartbeatRequest(stamp), options)
      switch (error) {
        case errorCodes.NONE:
        case errorCodes.REBALANCE_IN_PROGRESS:
          aliveAt = sentAt
          pause.reset()
          if (error !== errorCodes.NONE) report({ kind: 'rebalance' })
          return interval()
        case errorCodes.ILLEGAL_GENERATION:
        case errorCodes.UNKNOWN_MEMBER_ID:
          report({ kind: 'lost', expired: error === errorCodes.UNKNOWN_MEMBER_ID })
          return 0
      }
      coordinator.heed(error)
      if (!isRetriableCode(error))
        report({ kind: 'failed', error: membershipError(error, stamp.group, stamp.instanceId) })
    } catch (error) {
      if (!isRetriable(error)) report({ kind: 'failed', error: toError(error) })
    }
    return pause.next()
  }

  async function beatOn(): Promise<void> {
    for (let wait = interval(); ; wait = await beat()) {
      await clock.sleep(wait, stopped.signal)
      if (stopped.signal.aborted) return
    }
  }

  /** Beside the heartbeats, since one of them may hang for longer than the session has left. */
  async function watchSession(): Promise<void> {
    while (!stopped.signal.aborted) {
      const left = aliveAt + sessionTimeoutMs - clock.now()
      if (left <= 0) report({ kind: 'lost', expired: false })
      else await clock.sleep(left, stopped.signal)
    }
  }

  void beatOn()
  void watchSession()
  return { news, latest: () => latest, stop: () => stopped.abort() }
}
