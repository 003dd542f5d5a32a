import type { CurrentRecord } from '../../topology/processor.ts'

/** A record whose call is under way, or waits for one, or has come back and may not go on yet. */
export interface Call {
  readonly record: CurrentRecord
  readonly key: unknown
  readonly value: unknown
  readonly timestamp: number
  readonly line: unknown
  attempt: number
  outcome: { readonly result: unknown } | { readonly error: unknown } | undefined
}

/**
 * Calls in lines: those of one line go on in the order in which they came, whenever they come back. One line for all is
 * full order, a line per key the order per key, and a line for each none.
 */
export interface LineUp {
  readonly size: number
  /** Nobody is in front of a new call of this line. */
  isFree(line: unknown): boolean
  add(call: Call): void
  /** Calls that have come back and have nobody in front of them leave, one after the other. */
  leave(call: Call, onLeave: (call: Call) => void): void
}

export function lineUp(): LineUp {
  const lines = new Map<unknown, Call[]>()
  let size = 0
  return {
    get size() {
      return size
    },
    isFree: (line) => !lines.has(line),
    add(call) {
      size++
      const line = lines.get(call.line)
      if (line) line.push(call)
      else lines.set(call.line, [call])
    },
    leave({ line: of }, onLeave) {
      const line = lines.get(of)
      if (line === undefined) return
      while (line[0]?.outcome !== undefined) {
        const [first] = line
        line.shift()
        if (line.length === 0) lines.delete(of)
        size--
        onLeave(first)
      }
    },
  }
}
