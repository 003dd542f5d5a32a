import { describe, it } from 'vitest'
import { deduplicate, sample, selectKey, throttle } from '../../src/index.ts'
import { apart, everyRecord, input, records, SPREAD } from './support.ts'

describe('the same whatever the runtime does', () => {
  it('deduplicate', () => everyRecord(input.pipe(deduplicate('d', { by: (value) => `${value}`, within: 20 }))))
  it('deduplicate by an id that may be null', () =>
    everyRecord(input.pipe(deduplicate('d', { by: (value) => (value === 3 ? null : `${value}`), within: 5 }))))
  it('throttle', () => everyRecord(input.pipe(throttle('t', 15))))
  it('sample', () => everyRecord(input.pipe(sample('s', 10, { grace: 5 }))))
})

// Of equal times the last to arrive is the sample: so none are equal.
const distinct = { input: apart(records('in')) }
const keyed = input.pipe(selectKey((value) => `${(value ?? 0) % 3}`))
const GRACE = 8 * SPREAD

describe('sample', () => {
  it('is the same however fast upstream tasks are', () =>
    everyRecord(keyed.pipe(sample('s', 10 * SPREAD, { grace: GRACE })), distinct))
  it('is the same in any order within the grace', () =>
    everyRecord(input.pipe(sample('s', 10 * SPREAD, { grace: GRACE })), { ...distinct, orderFreeWithin: GRACE }))
  it('is the same in any order within the grace, behind a repartition', () =>
    everyRecord(keyed.pipe(sample('s', 10 * SPREAD, { grace: GRACE })), { ...distinct, orderFreeWithin: GRACE }))
})
