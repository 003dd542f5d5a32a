import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareTasks, packTasks, parseTask, unpackTasks } from '../../../src/log/assignor/tasks.ts'

describe('task ids', () => {
  it('are a subtopology and a partition', () => {
    expect(parseTask('0_12')).toEqual({ subtopology: '0', partition: 12 })
    expect(parseTask('orders_by_day_3')).toEqual({ subtopology: 'orders_by_day', partition: 3 })
    expect(parseTask('odd')).toEqual({ subtopology: 'odd', partition: 0 })
  })

  it('sort by number, not by digit', () => {
    expect(['10_0', '2_10', '2_9', '0_1'].sort(compareTasks)).toEqual(['0_1', '2_9', '2_10', '10_0'])
  })

  it('pack into runs', () => {
    expect(packTasks(['0_2', '0_0', '0_1', '1_4', '1_7', 'odd'])).toEqual(['0_0-2', '1_4', '1_7', 'odd'])
  })

  it('come out of a pack as they went in', () => {
    const task = fc.tuple(fc.constantFrom('0', '1', 'a_b', 'é'), fc.nat(40)).map(([s, p]) => `${s}_${p}`)
    const odd = fc.constantFrom('odd', '0_007', '', '_')
    fc.assert(
      fc.property(fc.uniqueArray(fc.oneof({ weight: 9, arbitrary: task }, odd)), (ids) => {
        expect(unpackTasks(packTasks(ids)).sort()).toEqual([...ids].sort())
      }),
    )
  })

  it('leave garbage out of a pack', () => {
    expect(unpackTasks(['0_0', 7, null, '0_5-4', '0_0-999999999'])).toEqual(['0_0'])
  })
})
