import { count, groupByKey, json, nullable, selectKey, stream, string, through, to, topology, toStream } from 'millrace'
import { TopologyDriver } from 'millrace/testing'
import { describe, expect, it } from 'vitest'

const serdes = { key: string(), value: string() }
const counted = topology('counted', [
  stream('input', serdes).pipe(
    selectKey((value) => value[0]),
    through('by-letter', serdes),
    groupByKey(),
    count('letters'),
    toStream(),
    to('output', { key: string(), value: json() }),
  ),
])

describe('through', () => {
  it('goes on with what is in the topic, and needs no repartition after it', () => {
    const driver = new TopologyDriver(counted, { partitions: 3 })
    expect(driver.plan.subtopologies.map(({ sources }) => sources.map(({ topic }) => topic))).toEqual([
      ['input'],
      ['by-letter'],
    ])
    driver.pipe('input', 'x', 'ant', 1)
    driver.commit()
    driver.restart()
    driver.pipe('input', 'y', 'ape', 2)
    driver.pipe('by-letter', 'a', 'from elsewhere', 3)
    expect(driver.read('output').map(({ key, value }) => [key, value])).toEqual([
      ['a', 1],
      ['a', 2],
      ['a', 3],
    ])
    expect(driver.read('by-letter')).toMatchObject([{ value: 'ant' }, { value: 'ape' }])
  })

  it('drops null values on the way back, unless its serde lets them through', () => {
    const open = { key: string(), value: nullable(string()) }
    const out = (name: string, value: typeof open.value) =>
      stream('input', open).pipe(through(name, { key: string(), value }), to(`${name}-output`, open))
    const driver = new TopologyDriver(topology('nulls', [out('kept', open.value), out('dropped', string() as never)]))
    driver.pipe('input', 'k', null, 1)
    expect(driver.read('kept-output')).toMatchObject([{ key: 'k', value: null }])
    expect(driver.read('dropped-output')).toEqual([])
    expect(driver.droppedByReason()).toEqual(new Map([['null-value', 1]]))
  })
})
