import { describe, expect, it } from 'vitest'
import { count, groupByKey, json, mapAsync, stream, string, to, topology, toStream } from '../../../src/index.ts'
import { TopologyDriver } from '../../../src/testing/index.ts'
import { unopenedSink } from '../../support/unopened-sink.ts'
import { answers, setUp, texts, turn } from './answers.ts'

describe('commits', () => {
  it('wait for what is under way, and for the calls that the commit itself makes', async () => {
    const calls = answers()
    const counted = topology('counted', [
      stream('in', texts).pipe(
        groupByKey(),
        count('per-key'),
        toStream(),
        mapAsync((n, key, call) => calls.ask(`${key}${n}`, key, call)),
        groupByKey(),
        count('results'),
        toStream(),
        to('out', { key: string(), value: json<number | null>() }),
      ),
    ])
    const driver = new TopologyDriver(counted, { emit: 'commit' })
    driver.pipe('in', 'a', 'x', 0)
    driver.pipe('in', 'a', 'x', 0)
    const commit = driver.commitSettled()
    await turn()
    expect(calls.started).toEqual(['a2'])
    calls.answer('a2')
    await commit
    expect(driver.read('out')).toMatchObject([{ key: 'a', value: 1 }])
    driver.restart()
    expect(driver.store('results')).toMatchObject([{ key: 'a', value: 1 }])
    driver.pipe('in', 'b', 'x', 0)
    expect(() => driver.commit()).toThrow(/calls to the outside are under way/)
  })

  it('a restart aborts what was under way, and its records are asked for again', async () => {
    const { calls, driver, pipe, out } = setUp({})
    pipe('k', 'a')
    calls.answer('a')
    await driver.commitSettled()
    pipe('k', 'b')
    const { signal } = calls.open.get('b')!
    driver.restart()
    expect(signal.aborted).toBe(true)
    expect(calls.started).toEqual(['a', 'b', 'b'])
    calls.answer('b')
    expect(await out()).toEqual(['a!', 'b!'])
  })

  it('refuses an append sink behind results whose order may change', () => {
    const sink = unopenedSink()
    const rows = (ordered: 'all' | 'key') =>
      topology('rows', [
        stream('in', texts).pipe(
          mapAsync(async (value) => value, { ordered }),
          to(sink),
        ),
      ])
    expect(() => new TopologyDriver(rows('key'))).toThrow(/ordered: key/)
    expect(new TopologyDriver(rows('all')).plan.subtopologies).toHaveLength(1)
  })
})
