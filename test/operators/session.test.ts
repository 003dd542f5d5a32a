import {
  aggregate,
  count,
  custom,
  groupByKey,
  json,
  late,
  lateTo,
  session,
  sessionWindowed,
  stream,
  string,
  to,
  topology,
  toStream,
  untilWindowCloses,
  type Windowed,
  windowedBy,
} from 'millrace'
import { TopologyDriver } from 'millrace/testing'
import { describe, expect, it } from 'vitest'

const input = stream('input', { key: string(), value: string() })
const KEY = { key: sessionWindowed(string()), value: json<string>() }
const texts = custom({
  init: () => '',
  add: (text: string, value: string) => text + value,
  merge: (a, b) => a + b,
})
const sessions = (grace: number, retention = 0) =>
  input.pipe(groupByKey(), windowedBy(session(10, { grace })), aggregate('sessions', texts, { retention }))

const updates = topology('updates', [sessions(5).pipe(toStream(), to('output', KEY))])
const finals = topology('finals', [sessions(5).pipe(untilWindowCloses(), to('output', KEY))])

/** 'key[start,end]=value' of everything that came out. */
function read(driver: TopologyDriver): string[] {
  return driver
    .read<Windowed<string>, string | null>('output')
    .map(({ key: { key, window }, value }) => `${key}[${window.start},${window.end}]=${value}`)
}

describe('session windows', () => {
  it('merges the sessions that a record joins, and deletes what they were', () => {
    const driver = new TopologyDriver(updates)
    driver.pipe('input', 'a', 'x', 0)
    driver.pipe('input', 'a', 'y', 15)
    read(driver)
    driver.pipe('input', 'a', 'z', 8)
    expect(read(driver)).toEqual(['a[0,0]=null', 'a[15,15]=null', 'a[0,15]=xyz'])
    expect(driver.store('sessions')).toMatchObject([{ key: 'a', start: 0, timestamp: 15, value: 'xyz' }])
  })

  it('gives each session out once a commit, and tombstones only for what was given out', () => {
    const driver = new TopologyDriver(updates, { emit: 'commit' })
    for (const [value, timestamp] of [
      ['x', 0],
      ['y', 5],
      ['z', 9],
    ] as const)
      driver.pipe('input', 'a', value, timestamp)
    driver.commit()
    expect(read(driver)).toEqual(['a[0,9]=xyz'])
    driver.pipe('input', 'a', 'w', 12)
    driver.pipe('input', 'a', 'v', 14)
    driver.commit()
    expect(read(driver)).toEqual(['a[0,9]=null', 'a[0,14]=xyzwv'])
    driver.commit()
    expect(read(driver)).toEqual([])
  })

  it('is as it was after a restart, and sessions that were merged away do not come back', () => {
    const driver = new TopologyDriver(updates)
    driver.pipe('input', 'a', 'x', 0)
    driver.pipe('input', 'a', 'y', 15)
    driver.commit()
    driver.pipe('input', 'a', 'z', 8)
    driver.commit()
    driver.restart()
    expect(driver.store('sessions')).toMatchObject([{ start: 0, timestamp: 15, value: 'xyz' }])
    read(driver)
    driver.pipe('input', 'a', 'w', 20)
    expect(read(driver)).toEqual(['a[0,15]=null', 'a[0,20]=xyzw'])
  })

  it('takes a record that is grace and gap late, and one that is later if it reaches an open session', () => {
    const driver = new TopologyDriver(updates)
    driver.pipe('input', 'b', 'now', 15)
    driver.pipe('input', 'a', 'x', 0)
    driver.pipe('input', 'b', 'on', 16)
    driver.pipe('input', 'c', 'late', 0)
    expect(driver.droppedByReason()).toEqual(new Map([['late', 1]]))
    driver.pipe('input', 'b', 'far', 5)
    driver.pipe('input', 'b', 'further', 0)
    expect(driver.dropped).toBe(1)
    expect(read(driver).at(-1)).toBe('b[0,16]=nowonfarfurther')
  })

  it('gives a final result once, and seals what it was given for', () => {
    const driver = new TopologyDriver(finals)
    driver.pipe('input', 'a', 'x', 0)
    driver.pipe('input', 'b', 'y', 15)
    expect(read(driver)).toEqual([])
    driver.pipe('input', 'b', 'z', 16)
    expect(read(driver)).toEqual(['a[0,0]=x'])
    // By itself in time, but it reaches only what is final.
    driver.pipe('input', 'a', 'late', 5)
    expect(driver.dropped).toBe(1)
    driver.commit()
    driver.restart()
    driver.pipe('input', 'a', 'late', 5)
    // Counters start anew with the tasks.
    expect(driver.dropped).toBe(1)
    driver.pipe('input', 'a', 'new', 11)
    driver.pipe('input', 'c', 'far', 100)
    expect(read(driver)).toEqual(['a[11,11]=new', 'b[15,16]=yz'])
  })

  it('joins an open session alone where a sealed one is in reach, too', () => {
    const driver = new TopologyDriver(finals)
    driver.pipe('input', 'a', 'x', 0)
    driver.pipe('input', 'a', 'y', 16)
    driver.pipe('input', 'a', 'z', 9)
    expect(driver.dropped).toBe(0)
    driver.pipe('input', 'b', 'far', 100)
    expect(read(driver)).toEqual(['a[0,0]=x', 'a[9,16]=yz'])
  })

  it('forgets sessions that no record can reach, in the changelog too, wherever the commits are', () => {
    for (const often of [true, false]) {
      const driver = new TopologyDriver(updates)
      for (let i = 0; i < 1000; i++) {
        driver.pipe('input', `user-${i}`, 'x', i * 11)
        if (often) driver.commit()
      }
      driver.commit()
      driver.commit()
      expect(driver.store('sessions').length).toBeLessThan(8)
      driver.restart()
      expect(driver.store('sessions').length).toBeLessThan(8)
    }
  })

  it('sends late records to a side output, as they were', () => {
    const table = sessions(5)
    const driver = new TopologyDriver(
      topology('late', [
        table.pipe(toStream(), to('output', KEY)),
        table.pipe(lateTo('late', { key: string(), value: string() })),
        table.pipe(
          late(),
          groupByKey(),
          count('late-per-key'),
          toStream(),
          to('late-counts', { key: string(), value: json() }),
        ),
      ]),
    )
    driver.pipe('input', 'a', 'now', 100)
    driver.pipe('input', 'b', 'late', 84)
    driver.pipe('input', 'b', 'in time', 85)
    expect(driver.read('late')).toMatchObject([{ key: 'b', value: 'late', timestamp: 84 }])
    expect(driver.read('late-counts')).toMatchObject([{ key: 'b', value: 1 }])
    expect(driver.dropped).toBe(1)
  })

  it('leaves sessions as they were when the aggregate throws', () => {
    const touchy = custom({
      init: (): string[] => [],
      add(all: string[], value: string) {
        if (value === 'bad') throw new Error('bad')
        all.push(value)
        return all
      },
      merge: (a, b) => a.concat(b),
    })
    const table = input.pipe(groupByKey(), windowedBy(session(10)), aggregate('sessions', touchy))
    const driver = new TopologyDriver(
      topology('throws', [table.pipe(toStream(), to('output', { ...KEY, value: json<string[]>() }))]),
      { errors: { failing: 'dead-letter' } },
    )
    driver.pipe('input', 'a', 'x', 0)
    driver.pipe('input', 'a', 'bad', 5)
    driver.pipe('input', 'a', 'y', 9)
    expect(driver.store('sessions')).toMatchObject([{ start: 0, timestamp: 9, value: ['x', 'y'] }])
    expect(driver.deadLetters()).toHaveLength(1)
  })

  it('adds to a session in place, and merges only where there are several', () => {
    let merged = 0
    const counted = custom({
      init: (): string[] => [],
      add: (all: string[], value: string) => {
        all.push(value)
        return all
      },
      merge(a, b) {
        merged++
        return a.concat(b)
      },
      neutral: true,
    })
    const table = input.pipe(groupByKey(), windowedBy(session(10)), aggregate('sessions', counted))
    const driver = new TopologyDriver(
      topology('in-place', [table.pipe(toStream(), to('output', { ...KEY, value: json<string[]>() }))]),
    )
    for (let t = 0; t < 100; t += 5) driver.pipe('input', 'a', 'x', t)
    expect(merged).toBe(0)
    driver.pipe('input', 'a', 'y', 112)
    driver.pipe('input', 'a', 'z', 104)
    expect(merged).toBe(2)
    expect(driver.store('sessions')).toMatchObject([{ start: 0, timestamp: 112, value: { length: 22 } }])
  })

  it('refuses an aggregate that cannot merge', () => {
    const one = custom({ init: () => 0, add: (n: number) => n + 1 })
    const table = input.pipe(groupByKey(), windowedBy(session(10)), aggregate('sessions', one))
    const refused = topology('refused', [table.pipe(toStream(), to('output', { ...KEY, value: json<number>() }))])
    expect(() => new TopologyDriver(refused)).toThrow(/cannot merge/)
  })
})
