import { expect, it } from 'vitest'
import { groupByKey, json, sample, stream, string, to, topK, topology, toStream } from '../../src/index.ts'
import { TopologyDriver } from '../../src/testing/index.ts'

it('gives the last record of each key and period by event time, once, over a restart', () => {
  const texts = { key: string(), value: string() }
  const driver = new TopologyDriver(
    topology('sampled', [stream('in', texts).pipe(sample('per-ten', 10, { grace: 5 }), to('out', texts))]),
  )
  const pipe = (key: string, value: string, timestamp: number) => driver.pipe('in', key, value, timestamp)
  pipe('a', 'a9', 9)
  pipe('b', 'b3', 3)
  pipe('a', 'a4', 4)
  pipe('a', 'a12', 12)
  driver.commit()
  driver.restart()
  pipe('b', 'b8', 8)
  expect(driver.read('out')).toEqual([])
  pipe('c', 'c15', 15)
  pipe('a', 'late', 7)
  pipe('c', 'c30', 30)
  expect(driver.read('out').map(({ key, value, timestamp }) => [key, value, timestamp])).toEqual([
    ['a', 'a9', 9],
    ['b', 'b8', 8],
    ['a', 'a12', 12],
    ['c', 'c15', 15],
  ])
  expect(driver.droppedByReason().get('late')).toBe(1)
})

it('topK with a name keeps the largest of each group', () => {
  const sales = { key: string(), value: json<{ amount: number }>() }
  const driver = new TopologyDriver(
    topology('top', [
      stream('in', sales).pipe(
        groupByKey(),
        topK('top', 2, ({ amount }) => amount),
        toStream(),
        to('out', { key: string(), value: json<{ amount: number }[] | null>() }),
      ),
    ]),
  )
  for (const amount of [3, 9, 5, 1]) driver.pipe('in', 'k', { amount }, 0)
  driver.commit()
  driver.restart()
  driver.pipe('in', 'k', { amount: 7 }, 1)
  expect(driver.read<string, { amount: number }[]>('out').at(-1)!.value).toEqual([{ amount: 9 }, { amount: 7 }])
})
