import { describe, expect, it } from 'vitest'
import { RejectedRecord } from '../../../src/index.ts'
import { setUp, turn } from './answers.ts'

describe('failures', () => {
  it('are retried after a growing wait, then go the way of the policy with the record as it came', async () => {
    const { calls, driver, pipe, out } = setUp(
      { retry: { times: 2, delay: 100 } },
      { errors: { failing: 'dead-letter' } },
    )
    pipe('k', 'a')
    pipe('k', 'b')
    calls.answer('b')
    calls.refuse('a')
    await turn()
    driver.advanceWallClock(99)
    expect(calls.started).toEqual(['a', 'b'])
    driver.advanceWallClock(1)
    await turn()
    expect(calls.started).toEqual(['a', 'b', 'a'])
    calls.refuse('a', new Error('still no'))
    await turn()
    driver.advanceWallClock(199)
    await turn()
    expect(calls.started).toHaveLength(3)
    driver.advanceWallClock(1)
    await turn()
    expect(await out()).toEqual([])
    calls.refuse('a', new Error('never'))
    expect(await out()).toEqual(['b!'])
    const [letter] = driver.deadLetters()
    expect([String(letter.key), String(letter.value)]).toEqual(['k', 'a'])
    expect(letter.headers.map(([name, value]) => [name, String(value)])).toContainEqual([
      '__streams.errors.message',
      'never',
    ])
  })

  it('that are rejections are not retried; without a policy the application stops', async () => {
    const rejected = setUp({ retry: { times: 5 } })
    rejected.pipe('k', 'a')
    rejected.calls.refuse('a', new RejectedRecord('unknown user'))
    expect(await rejected.out()).toEqual([])
    expect(rejected.driver.deadLetters()).toHaveLength(1)
    const failing = setUp({})
    failing.pipe('k', 'a')
    failing.calls.refuse('a')
    await expect(failing.driver.settled()).rejects.toMatchObject({
      code: 'OPERATOR_FAILED',
      context: { topic: 'in', partition: 0, offset: 0 },
    })
  })

  it('come of no answer in time, and the call is told', async () => {
    const { calls, driver, pipe, out } = setUp({ timeout: 500 }, { errors: { failing: 'skip' } })
    pipe('k', 'a')
    const { signal } = calls.open.get('a')!
    driver.advanceWallClock(499)
    await turn()
    expect(signal.aborted).toBe(false)
    driver.advanceWallClock(1)
    await turn()
    expect(signal.aborted).toBe(true)
    pipe('k', 'cached')
    expect(await out()).toEqual(['cached!'])
    // An answer that comes after all changes nothing.
    calls.answer('a')
    expect(await out()).toEqual([])
  })
})
