import { isRetriable, type MillraceError } from '../../errors.ts'
import { systemClock } from '../../time.ts'
import type { Markers } from './markers.ts'
import type { Sender } from './sender.ts'
import type { ProducerIdentity } from './wire/transactions.ts'

const SETTLE_PAUSE_MS = 500

export interface HealingDependencies {
  readonly markers: Markers | undefined
  readonly batches: Pick<Sender, 'failure' | 'fail'>
  readonly identity: () => ProducerIdentity | undefined
  readonly isOpen: () => boolean
  readonly isClosed: () => boolean
}

/** When a producer writes markers again that may be missing. */
export interface Healing {
  /** Resolves when none is missing: what a new transaction waits for. */
  settled(): Promise<void>
  /** The same at a start: who is fenced meanwhile, or may not do it, learns so from its next transaction. */
  settledOrFailed(): Promise<void>
  /** Resolves when nothing is being written, well or not. */
  paused(): Promise<void>
  /** Nobody may ever begin another transaction: others wait for the markers now. */
  heal(): Promise<void>
}

export function healing({ markers, batches, identity, isOpen, isClosed }: HealingDependencies): Healing {
  let settling: Promise<void> | undefined
  let isHealing = false

  /** One at a time. */
  function settled(): Promise<void> {
    const mine = identity()
    if (!settling && markers?.isDue && mine) {
      settling = markers.settle(mine).finally(() => {
        settling = undefined
      })
    }
    return settling ?? Promise.resolve()
  }

  async function settledOrFailed(): Promise<void> {
    try {
      await settled()
    } catch (error) {
      if (isRetriable(error) || isClosed()) throw error
      batches.fail(error as MillraceError)
    }
  }

  return {
    settled,
    settledOrFailed,
    async paused() {
      await settling?.catch(() => {})
    },
    async heal() {
      if (isHealing) return
      isHealing = true
      while (markers?.isDue && identity() && !isOpen() && !isClosed() && !batches.failure) {
        try {
          await settledOrFailed()
        } catch {
          if (!isClosed()) await systemClock.sleep(SETTLE_PAUSE_MS)
        }
      }
      isHealing = false
    },
  }
}
