import type { StreamTime } from '../topology/processor.ts'

/** The clock of one operator in one task; its lanes are checkpointed with every commit. See `StreamTime`. */
export interface StreamClock extends StreamTime {
  /** A marker of an upstream task says that its time has come this far. */
  advance(lane: number, timestamp: number): void
  /** One time per lane, -1 where nothing was seen. */
  save(): number[]
  load(times: readonly number[]): void
}

/**
 * A clock over the lanes that reach an operator.
 *
 * @param lanes - the task's lane numbers that reach it, at least one
 * @param current - gives the lane of the record being processed
 */
export function streamClock(lanes: readonly number[], current: { readonly lane: number }): StreamClock {
  return lanes.length > 1 ? manyLanes(lanes, current) : oneLane(lanes[0])
}

function oneLane(own: number): StreamClock {
  const clock = {
    lanes: 1,
    closing: -1,
    slowest: own,
    observe: (timestamp: number) => (timestamp > clock.closing ? (clock.closing = timestamp) : clock.closing),
    advance: (lane: number, timestamp: number) => {
      if (lane === own) clock.observe(timestamp)
    },
    save: () => [clock.closing],
    load: (times: readonly number[]) => {
      clock.closing = times.length ? Math.min(...times) : -1
    },
  }
  return clock
}

function manyLanes(lanes: readonly number[], current: { readonly lane: number }): StreamClock {
  const slots = new Int32Array(Math.max(...lanes) + 1).fill(-1)
  lanes.forEach((lane, slot) => {
    slots[lane] = slot
  })
  const times = new Float64Array(lanes.length).fill(-1)
  let slowest = 0
  const clock = {
    lanes: lanes.length,
    closing: -1,
    slowest: lanes[0],
    observe: (timestamp: number) => {
      const slot = slots[current.lane]
      const time = times[slot]
      if (timestamp <= time) return time
      move(slot, timestamp)
      return timestamp
    },
    advance: (lane: number, timestamp: number) => {
      const slot = slots[lane] ?? -1
      if (slot >= 0 && timestamp > times[slot]) move(slot, timestamp)
    },
    save: () => [...times],
    load: (saved: readonly number[]) => {
      // The number of upstream partitions may have changed since; a time that cannot be placed counts for nobody.
      for (let slot = 0; slot < times.length; slot++) times[slot] = saved[slot] ?? -1
      findSlowest()
    },
  }
  const move = (slot: number, timestamp: number) => {
    times[slot] = timestamp
    if (slot === slowest) findSlowest()
  }
  const findSlowest = () => {
    slowest = 0
    for (let slot = 1; slot < times.length; slot++) if (times[slot] < times[slowest]) slowest = slot
    clock.closing = times[slowest]
    clock.slowest = lanes[slowest]
  }
  return clock
}
