import {
  aggregate,
  collect,
  countWindows,
  groupByKey,
  json,
  late,
  stream,
  string,
  to,
  topology,
  toStream,
  untilWindowCloses,
  type Windowed,
  windowed,
  windowedBy,
} from 'millrace'
import { TopologyDriver } from 'millrace/testing'
import { describe, expect, it } from 'vitest'

const batches = (size: number, advance = size) =>
  stream('input', { key: string(), value: string() }).pipe(
    groupByKey(),
    windowedBy(countWindows(size, { advance })),
    aggregate('batches', collect<string>()),
  )
const serdes = (size: number) => ({ key: windowed(string(), { size }), value: json<string[]>() })
const finals = (size: number, advance = size) =>
  topology('finals', [batches(size, advance).pipe(untilWindowCloses(), to('output', serdes(size)))])

const read = (driver: TopologyDriver) =>
  driver
    .read<Windowed<string>, string[]>('output')
    .map(({ key: { key, window }, value }) => `${key}[${window.start},${window.end})=${value?.join('')}`)

describe('count windows', () => {
  it('give their final result with their last record, whatever its time', () => {
    const driver = new TopologyDriver(finals(2))
    driver.pipe('input', 'a', 'x', 1000)
    driver.pipe('input', 'b', 'p', 1)
    driver.pipe('input', 'a', 'y', 3)
    driver.pipe('input', 'a', 'z', 4)
    expect(read(driver)).toEqual(['a[0,2)=xy'])
    driver.pipe('input', 'a', 'w', 5)
    expect(read(driver)).toEqual(['a[2,4)=zw'])
  })

  it('overlap where the advance is less than the size', () => {
    const driver = new TopologyDriver(finals(3, 1))
    for (const value of 'abcde') driver.pipe('input', 'k', value, 0)
    expect(read(driver)).toEqual(['k[0,3)=abc', 'k[1,4)=bcd', 'k[2,5)=cde'])
  })

  it('go on where they were after a restart, and leave their store once they are full', () => {
    const driver = new TopologyDriver(finals(3))
    for (const value of 'abcd') driver.pipe('input', 'k', value, 0)
    driver.commit()
    driver.restart()
    expect(driver.store('batches')).toMatchObject([{ key: 'k', start: 3, value: ['d'] }])
    read(driver)
    for (const value of 'ef') driver.pipe('input', 'k', value, 0)
    expect(read(driver)).toEqual(['k[3,6)=def'])
  })

  it('give every update, and no deletion when they are full', () => {
    const updates = topology('updates', [batches(2).pipe(toStream(), to('output', serdes(2)))])
    const driver = new TopologyDriver(updates, { emit: 'commit' })
    driver.pipe('input', 'k', 'a', 0)
    driver.commit()
    driver.pipe('input', 'k', 'b', 0)
    driver.commit()
    driver.commit()
    expect(read(driver)).toEqual(['k[0,2)=a', 'k[0,2)=ab'])
  })

  it('are never late', () => {
    const refused = topology('late', [batches(2).pipe(late(), to('late', { key: string(), value: string() }))])
    expect(() => new TopologyDriver(refused)).toThrow(/nothing is late/)
  })
})
