import { hours, minutes, seconds } from 'millrace'
import type { spoilers } from './lane.ts'
import { drawsFor } from './random.ts'

/** Event time of every example: three hours from 2026-01-01, however many records there are. */
export const START = Date.UTC(2026, 0, 1)
export const SPAN = hours(3)
/** How far records come out of order; a grace must be longer. */
const DELAY = seconds(2)
const LATE = minutes(45)

/** A record to be written: its topic without the name of the application, and the value as the schema has it. */
export interface Input {
  readonly topic: string
  readonly key: string | null
  readonly value: object
  /** Event time, ms. */
  readonly timestamp: number
}

/** How a record came: 'copy' for its second time, 'broken' for one more that nobody can read, or that has no key. */
export interface Arrival extends Input {
  readonly fate: 'in time' | 'late' | 'copy' | 'broken'
  readonly spoiled?: keyof typeof spoilers
}

/**
 * Puts records into the order in which life delivers them: up to two seconds out of order, and of a thousand about three
 * late by 45 minutes or more, five twice and three broken. The same for the same seed.
 *
 * @param steady - topics that are out of order, too, but have nothing late, no copies and no defects: the tables
 */
export function arrivals(seed: number, records: readonly Input[], steady: readonly string[] = []): Arrival[] {
  const end = records.reduce((latest, { timestamp }) => Math.max(latest, timestamp), 0)
  const sent: { at: number; arrival: Arrival }[] = []
  for (const [i, record] of records.entries()) {
    const draw = drawsFor(seed, i, 7)
    const delay = draw.below(DELAY)
    if (steady.includes(record.topic)) {
      sent.push({ at: record.timestamp + delay, arrival: { ...record, fate: 'in time' } })
      continue
    }
    const chance = draw.below(1000)
    const lateBy = LATE + draw.below(LATE)
    // Late is what time has passed by: at the end of time nothing is.
    const late = chance < 3 && record.timestamp + lateBy < end
    const at = record.timestamp + (late ? lateBy : delay)
    sent.push({ at, arrival: { ...record, fate: late ? 'late' : 'in time' } })
    if (chance >= 3 && chance < 8) {
      sent.push({ at: at + draw.below(DELAY), arrival: { ...record, fate: 'copy' } })
    }
    if (chance >= 8 && chance < 11) sent.push({ at, arrival: { ...record, ...defects[chance - 8], fate: 'broken' } })
  }
  return sent.sort((a, b) => a.at - b.at).map(({ arrival }) => arrival)
}

const defects = [{ spoiled: 'bad-magic' }, { spoiled: 'unknown-schema' }, { key: null }] as const
