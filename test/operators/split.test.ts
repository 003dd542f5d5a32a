import { json, split, stream, string, to, topology } from 'millrace'
import { TopologyDriver } from 'millrace/testing'
import { describe, expect, it } from 'vitest'

const numbers = stream('numbers', { key: string(), value: json<number>() })
const serdes = { key: string(), value: json<number>() }

describe('split', () => {
  it('gives a record to the first branch that takes it, and the rest to the rest', () => {
    const { small, even, others } = numbers.pipe(split({ small: (n) => n < 10, even: (n) => n % 2 === 0 }, 'others'))
    const driver = new TopologyDriver(
      topology('split', [
        small.pipe(to('small', serdes)),
        even.pipe(to('even', serdes)),
        others.pipe(to('others', serdes)),
      ]),
    )
    for (const n of [2, 12, 13, 3]) driver.pipe('numbers', 'k', n, n)
    const values = (topic: string) => driver.read(topic).map(({ value }) => value)
    expect([values('small'), values('even'), values('others')]).toEqual([[2, 3], [12], [13]])
    expect(driver.dropped).toBe(0)
  })

  it('narrows the type of a branch whose test does', () => {
    const mixed = stream('mixed', { key: string(), value: json<number | string>() })
    const { words, rest } = mixed.pipe(
      split({ words: (value: number | string): value is string => typeof value === 'string' }, 'rest'),
    )
    const driver = new TopologyDriver(
      topology('narrowed', [
        words.pipe(to('words', { key: string(), value: string() })),
        rest.pipe(to('rest', { key: string(), value: json<number | string>() })),
      ]),
    )
    driver.pipe('mixed', 'k', 'text', 0)
    driver.pipe('mixed', 'k', 1, 0)
    expect(driver.read('words')).toMatchObject([{ value: 'text' }])
    expect(driver.read('rest')).toMatchObject([{ value: 1 }])
  })

  it('refuses a rest with the name of a branch', () => {
    expect(() => split({ a: () => true }, 'a')).toThrow(expect.objectContaining({ code: 'INVALID_TOPOLOGY' }))
  })
})
