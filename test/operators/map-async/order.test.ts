import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { setUp, turn } from './answers.ts'

describe('order', () => {
  it('is that of the records, by default', async () => {
    const { calls, driver, pipe, out } = setUp({})
    for (const value of ['a', 'b', 'cached', 'c']) pipe('k', value)
    expect(calls.started).toEqual(['a', 'b', 'cached', 'c'])
    calls.answer('c')
    calls.answer('b')
    expect(await out()).toEqual([])
    calls.answer('a')
    expect(await out()).toEqual(['a!', 'b!', 'cached!', 'c!'])
    await driver.settled()
  })

  it('is kept per key, or not at all, where that is asked for', async () => {
    const perKey = setUp({ ordered: 'key' })
    perKey.pipe('k', 'a')
    perKey.pipe('k', 'b')
    perKey.pipe('other', 'cached')
    perKey.pipe('other', 'c')
    perKey.calls.answer('b')
    perKey.calls.answer('c')
    expect(await perKey.out()).toEqual(['cached!', 'c!'])
    perKey.calls.answer('a')
    expect(await perKey.out()).toEqual(['a!', 'b!'])
    const free = setUp({ ordered: false })
    free.pipe('k', 'a')
    free.pipe('k', 'b')
    free.calls.answer('b')
    expect(await free.out()).toEqual(['b!'])
    free.calls.answer('a')
    expect(await free.out()).toEqual(['a!'])
  })

  it('needs no promise where the answer is there at once', () => {
    const { driver, pipe } = setUp({})
    pipe('k', 'cached')
    expect(driver.read('out').map(({ value }) => value)).toEqual(['cached!'])
    driver.commit()
  })

  it('holds whatever comes back when, with as many under way as allowed at most', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('all' as const, 'key' as const, false as const),
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.record({ key: fc.constantFrom('a', 'b'), at: fc.nat() }), { maxLength: 20 }),
        async (ordered, concurrency, records) => {
          const { calls, driver, pipe } = setUp({ ordered, concurrency })
          const values = records.map(({ key }, i) => `${key}${i}`)
          for (const [i, { key }] of records.entries()) pipe(key, values[i], i)
          for (let n = 0; calls.open.size > 0; n++) {
            expect(calls.open.size).toBeLessThanOrEqual(concurrency)
            const waiting = [...calls.open.keys()]
            calls.answer(waiting[records[n].at % waiting.length])
            await turn()
            driver.advanceWallClock(0)
          }
          const sent = values.map((value) => `${value}!`)
          const of = (key: string) => (value: string) => value.startsWith(key)
          const came = driver.read<string, string>('out').map(({ value }) => value)
          expect([...came].sort()).toEqual([...sent].sort())
          if (ordered === 'all') expect(came).toEqual(sent)
          if (ordered === 'key')
            for (const key of ['a', 'b']) expect(came.filter(of(key))).toEqual(sent.filter(of(key)))
        },
      ),
      { numRuns: 30 },
    )
  })
})

it('each result has the timestamp and headers of its own record', async () => {
  const { calls, driver } = setUp({ ordered: false })
  driver.pipe('in', 'k', 'a', 5, [['id', Buffer.from('1')]])
  driver.pipe('in', 'k', 'b', 7, [['id', Buffer.from('2')]])
  calls.answer('b')
  await turn()
  calls.answer('a')
  await driver.settled()
  expect(
    driver
      .read('out')
      .map(({ value, timestamp, headers }) => [value, timestamp, Buffer.from(headers[0][1]!).toString()]),
  ).toEqual([
    ['b!', 7, '2'],
    ['a!', 5, '1'],
  ])
})

it('takes no more records than may be under way', async () => {
  const { calls, pipe, out } = setUp({ concurrency: 2 })
  for (const value of ['a', 'b', 'c', 'd']) pipe('k', value)
  expect(calls.started).toEqual(['a', 'b'])
  calls.answer('a')
  expect(await out()).toEqual(['a!'])
  expect(calls.started).toEqual(['a', 'b', 'c'])
})
