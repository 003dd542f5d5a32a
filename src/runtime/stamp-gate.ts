import { MillraceError } from '../errors.ts'
import type { Stamp } from '../log/log.ts'

/** Calls `use` with the group's stamp of now; waits while there is none. Throws `FENCED` when membership is lost. */
export type Stamped = <T>(use: (stamp: Stamp) => Promise<T>) => Promise<T>

/**
 * The stamp that commits carry. While the group is rebalancing the one of the old generation is refused at any moment and
 * the new one is not known, so that whatever carries a stamp waits; processing goes on meanwhile.
 */
export interface StampGate {
  readonly stamped: Stamped
  /** A commit that begins now need not wait. */
  readonly isOpen: boolean
  /** No commit should begin any more; one under way may still end. */
  announce(): void
  /** From now on a stamp is waited for. Resolves when nothing is under way with the old one. */
  close(): Promise<void>
  open(stamp: Stamp): void
  /** Does not wait for the group any longer, and tries the stamp there was: the group refuses it if it must. */
  reopen(): void
  /** The stamp is worth nothing any more: who waits for one is told so. */
  lose(): void
}

export function createStampGate(): StampGate {
  let stamp: Stamp | undefined
  let isOpen = false
  /** Set while the gate is closed. */
  let closed: PromiseWithResolvers<void> | undefined
  let underWay = 0
  let idle: PromiseWithResolvers<void> | undefined

  const letIn = (next: Stamp | undefined) => {
    stamp = next
    isOpen = next !== undefined
    closed?.resolve()
    closed = undefined
  }

  return {
    get isOpen() {
      return isOpen
    },
    async stamped(use) {
      while (closed) await closed.promise
      if (stamp === undefined) {
        throw new MillraceError('FENCED', 'membership in the group was lost before the commit ended', {
          hint: 'what it held is done again by the new owner of the tasks',
        })
      }
      underWay++
      try {
        return await use(stamp)
      } finally {
        if (--underWay === 0) {
          idle?.resolve()
          idle = undefined
        }
      }
    },
    announce() {
      isOpen = false
    },
    async close() {
      isOpen = false
      closed ??= Promise.withResolvers()
      if (underWay === 0) return
      idle ??= Promise.withResolvers()
      await idle.promise
    },
    open: letIn,
    reopen: () => letIn(stamp),
    lose: () => letIn(undefined),
  }
}
