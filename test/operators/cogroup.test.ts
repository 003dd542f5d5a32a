import {
  adding,
  cogroup,
  custom,
  groupBy,
  groupByKey,
  json,
  lateTo,
  stream,
  string,
  to,
  topology,
  toStream,
  tumbling,
  type Windowed,
  windowed,
  windowedBy,
} from 'millrace'
import { TopologyDriver } from 'millrace/testing'
import { describe, expect, it } from 'vitest'

interface Profile {
  clicks: number
  spent: number
}
const clicks = stream('clicks', { key: string(), value: json<{ page: string }>() })
const payments = stream('payments', { key: string(), value: json<{ user: string; amount: number }>() })
const profile = custom({
  init: (): Profile => ({ clicks: 0, spent: 0 }),
  add: (all: Profile, _click: { page: string }) => ({ ...all, clicks: all.clicks + 1 }),
})
const spending = adding(payments.pipe(groupBy((payment) => payment.user)), (all: Profile, { amount }) => ({
  ...all,
  spent: all.spent + amount,
}))

describe('cogroup', () => {
  it('aggregates streams of different types, through a repartition where a key changed, over a restart', () => {
    const table = clicks.pipe(groupByKey(), cogroup('profiles', profile, spending))
    const driver = new TopologyDriver(
      topology('profiles', [table.pipe(toStream(), to('output', { key: string(), value: json<Profile>() }))]),
      { partitions: 3 },
    )
    driver.pipe('clicks', 'ada', { page: '/' }, 1)
    driver.pipe('payments', 'p1', { user: 'ada', amount: 5 }, 2)
    driver.commit()
    driver.restart()
    driver.pipe('clicks', 'ada', { page: '/' }, 3)
    expect(driver.read('output').at(-1)).toMatchObject({ key: 'ada', value: { clicks: 2, spent: 5 } })
  })

  it('takes each stream by its own time, and gives the late records of all', () => {
    const table = clicks.pipe(
      groupByKey(),
      windowedBy(tumbling(10)),
      cogroup(
        'profiles',
        profile,
        adding(payments.pipe(groupByKey()), (all: Profile, { amount }) => ({ ...all, spent: all.spent + amount })),
      ),
    )
    const key = { key: windowed(string(), { size: 10 }), value: json<Profile>() }
    const driver = new TopologyDriver(
      topology('profiles', [
        table.pipe(toStream(), to('output', key)),
        table.pipe(lateTo('late', { key: string(), value: json() })),
      ]),
    )
    driver.pipe('clicks', 'ada', { page: '/' }, 25)
    driver.pipe('payments', 'ada', { user: 'ada', amount: 5 }, 3)
    driver.pipe('clicks', 'ada', { page: '/late' }, 4)
    driver.commit()
    driver.restart()
    driver.pipe('clicks', 'ada', { page: '/later' }, 5)
    driver.pipe('payments', 'ada', { user: 'ada', amount: 6 }, 4)
    const results = driver.read<Windowed<string>, Profile>('output')
    expect(results.map(({ key, value }) => [key.window.start, value.clicks, value.spent])).toEqual([
      [20, 1, 0],
      [0, 0, 5],
      [0, 0, 11],
    ])
    expect(driver.read('late')).toMatchObject([{ value: { page: '/late' } }, { value: { page: '/later' } }])
  })
})
