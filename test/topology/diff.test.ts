import {
  count,
  describe as describeTopology,
  diff,
  filter,
  groupBy,
  json,
  long,
  minutes,
  repartition,
  type Serde,
  stream,
  string,
  to,
  topology,
  toStream,
  tumbling,
} from 'millrace'
import { describe, expect, it } from 'vitest'
import { largeShop, smallShop } from './shops.ts'

/** What `diff` says in short: 'store revenue changed breaking'. */
const short = (...versions: Parameters<typeof diff>) =>
  diff(...versions).changes.map(({ what, name, change, effect }) => `${what} ${name} ${change} ${effect}`)

const counting = ({
  name = 'app',
  store = 'counts',
  partitions,
  value = json<string>(),
}: {
  name?: string
  store?: string
  partitions?: number
  value?: Serde<string>
}) =>
  topology(name, [
    stream('words', { key: string(), value }).pipe(
      repartition('moved', { partitions }),
      groupBy((word) => word),
      count(store),
      toStream(),
      to('out', { key: string(), value: json<number | null>() }),
    ),
  ])

describe('diff', () => {
  it('finds nothing between a topology and itself, given as JSON or not', () => {
    const json = JSON.parse(JSON.stringify(describeTopology(largeShop()).json))
    const { changes, breaking, text } = diff(json, largeShop())
    expect({ changes, breaking, text }).toEqual({
      changes: [],
      breaking: false,
      text: 'large: nothing changes on the log\n',
    })
  })

  it('does not mention operators that keep nothing', () => {
    expect(short(largeShop(), largeShop({ extra: true }))).toEqual(['topic cities added new'])
  })

  it('calls another window breaking, and says what changed', () => {
    const { changes, breaking, text } = diff(smallShop(), smallShop(tumbling(minutes(5))))
    expect(breaking).toBe(true)
    expect(changes).toEqual([
      {
        what: 'store',
        name: 'revenue',
        change: 'changed',
        details: ['parameters.windows.size: 60000 → 300000', 'parameters.windows.grace: 10000 → 0'],
        effect: 'breaking',
        advice: 'its changelog was written by another definition: give it a new name',
      },
    ])
    expect(text).toBe(`~ store revenue   (breaking)
    parameters.windows.size: 60000 → 300000
    parameters.windows.grace: 10000 → 0
    its changelog was written by another definition: give it a new name
`)
  })

  it('sees a store that got another name as one gone and one new, its repartition topic too', () => {
    expect(short(counting({}), counting({ store: 'per-word' }))).toEqual([
      'topic app-counts-repartition removed breaking',
      'topic app-per-word-repartition added new',
      'store counts removed left',
      'store per-word added new',
    ])
  })

  it('knows that more partitions move keys away from their state', () => {
    const { changes } = diff(counting({ partitions: 4 }), counting({ partitions: 8 }))
    expect(changes.map(({ name, details, effect }) => [name, details, effect])).toEqual([
      ['app-moved-repartition', ['partitions: 4 → 8'], 'breaking'],
    ])
  })

  it('knows the formats of topics', () => {
    expect(short(counting({}), counting({ value: string() }))).toEqual([
      'topic words changed breaking',
      'topic app-moved-repartition changed breaking',
      'topic app-counts-repartition changed breaking',
    ])
  })

  it('says that another application name starts from nothing', () => {
    expect(short(counting({}), counting({ name: 'other' }))).toEqual(['application other changed breaking'])
  })

  it('knows sinks', () => {
    const plain = topology('shop', [
      stream('orders', { key: string(), value: long() }).pipe(
        filter((n) => n > 0n),
        to('x', { key: string(), value: long() }),
      ),
    ])
    expect(short(smallShop(), plain)).toContain('sink test:revenue removed left')
    expect(short(plain, smallShop())).toContain('sink test:revenue added new')
  })
})
