import { describe, expect, it } from 'vitest'
import { join, plan, stream, string, table, to, topology } from '../../src/index.ts'
import { groupSubtopologies } from '../../src/runtime/topics.ts'

describe('groupSubtopologies', () => {
  it('has each topic in one group of those that are partitioned alike', () => {
    const texts = { key: string(), value: string() }
    const both = (a: string, b: string) => a + b
    const planned = plan(
      topology('joins', [
        stream('orders', texts).pipe(
          join('with-users', table('users', { ...texts, store: 'users' }), both),
          join('with-countries', table('countries', { ...texts, store: 'countries' }), both),
          to('out', texts),
        ),
      ]),
    )
    expect(planned.subtopologies[0].copartitioned.length).toBeGreaterThan(1)
    const counts = new Map(['orders', 'users', 'countries', 'out'].map((topic) => [topic, 3]))
    const [{ copartitioned }] = groupSubtopologies(planned, counts)
    expect(copartitioned.map((group) => [...group].sort())).toEqual([['countries', 'orders', 'users']])
  })
})
