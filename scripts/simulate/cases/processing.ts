import {
  adding,
  cogroup,
  count,
  deduplicate,
  groupBy,
  groupByKey,
  json,
  keyValueStore,
  mapAsync,
  mapValues,
  merge,
  output,
  process,
  reduce,
  repartition,
  selectKey,
  string,
  sum,
  throttle,
  to,
  topology,
  toStream,
} from 'millrace'
import { all, latest, lines, records, results, type SimulationCase, sink, source } from './case.ts'

/** A payment is waited for by a timer in event time; what is heard is counted out by one of the wall clock. */
export const timers: SimulationCase = {
  name: 'timers',
  topology: topology('timers', [
    ...(() => {
      const open = keyValueStore('open', { key: string(), value: json<string>() })
      const { paid, expired } = source().pipe(
        process(
          'waiting',
          {
            stores: { open },
            timers: { eventTime: string() },
            outputs: { paid: output<string, string>(), expired: output<string, string>() },
          },
          ({ stores, timers: { eventTime }, outputs }) => ({
            process(word, key, { timestamp }) {
              const order = stores.open.get(key)
              if (word === 'pay' && order !== undefined) {
                eventTime.cancel(key)
                stores.open.delete(key)
                outputs.paid(key, order)
              } else if (word !== 'pay') {
                stores.open.put(key, word)
                eventTime.set(key, timestamp + 200)
              }
            },
            onEventTime({ key }) {
              const order = stores.open.delete(key)
              if (order !== undefined) outputs.expired(key, order)
            },
          }),
        ),
      )
      const unsaid = keyValueStore('unsaid', { key: string(), value: json<number>() })
      const heard = source().pipe(
        process(
          'heard',
          { stores: { unsaid }, timers: { wallClock: string() }, output: output<string, number>() },
          ({ stores, timers: { wallClock }, forward, now }) => ({
            process(_, key) {
              const n = stores.unsaid.get(key) ?? 0
              stores.unsaid.put(key, n + 1)
              if (n === 0) wallClock.set(key, now() + 150)
            },
            onWallClock({ key }) {
              forward(key, stores.unsaid.delete(key) ?? 0)
            },
          }),
        ),
      )
      return [
        paid.pipe(to('paid', { key: string(), value: string() })),
        expired.pipe(to(sink<string>('expired', 'append'))),
        heard.pipe(
          groupByKey(),
          reduce('in-all', (a, b) => a + b, { value: json() }),
          toStream(),
          to('heard', results),
        ),
      ]
    })(),
  ]),
  input: lines(150, (random, i) => ({
    key: `k${random.below(6)}`,
    value: random.chance(0.4) ? 'pay' : `order ${i}`,
    timestamp: i * 20 + random.below(100),
  })),
  // A timer of a clock that is an hour ahead goes off in an hour.
  options: { faults: { clockJumps: 0 }, restMs: 1_000 },
  outcome: (simulation) => ({
    paid: all(simulation.records('paid')),
    expired: all(simulation.rows('expired')),
    heard: latest(simulation.records('heard')),
  }),
}

/** Calls to the outside under way at any moment, in order per key, and what is not to come twice. */
export const calls: SimulationCase = {
  name: 'calls',
  topology: topology('calls', [
    source().pipe(
      mapAsync(
        async (word) => {
          for (let i = 0; i < word.length % 5; i++) await undefined
          return `${word}!`
        },
        { ordered: 'key', concurrency: 8 },
      ),
      to('called', { key: string(), value: string() }),
    ),
    source().pipe(
      deduplicate('once', { by: (word) => word, within: 1_000 }),
      throttle('calm', 30),
      to(sink<string>('once', 'append')),
    ),
  ]),
  input: lines(150, (random, i) => ({
    key: `k${random.below(4)}`,
    value: `w${'x'.repeat(random.below(30))}`,
    timestamp: i * 20 + random.below(40),
  })),
  outcome: ({ records: of, rows }) => {
    // In the order of each key.
    const perKey = Map.groupBy(of<string, string>('called'), ({ key }) => key)
    return {
      called: [...perKey].map(([key, { length }]) => `${key} ${length}`).sort(),
      order: [...perKey].map(([key, called]) => `${key} ${called.map(({ value }) => value.length)}`).sort(),
      once: all(rows('once')),
    }
  },
}

/** Three hops: streams that are merged, put under other keys, counted, and the counts counted. */
export const hops: SimulationCase = {
  name: 'hops',
  topology: topology('hops', [
    ...(() => {
      const both = source().pipe(
        merge(source('more')),
        selectKey((word) => word),
        repartition('by-word', { partitions: 3 }),
      )
      const perWord = both.pipe(groupByKey(), count('per-word'))
      return [
        perWord.pipe(
          groupBy((n) => `${n % 3}`),
          count('words-by-remainder'),
          toStream(),
          to('by-remainder', results),
        ),
        both.pipe(
          mapValues((word) => word.length),
          groupBy((n) => String(n), { value: json<number>() }),
          cogroup(
            'letters',
            sum((n: number) => n),
            adding(source('more').pipe(groupBy((word) => String(word.length))), (of) => ({
              ...of,
              sum: of.sum + 1_000,
            })),
          ),
          toStream(),
          to('letters', results),
        ),
      ]
    })(),
  ]),
  input: records(120, (random, i) => ({
    topic: random.chance(0.7) ? 'lines' : 'more',
    key: `k${i}`,
    value: 'w'.repeat(1 + random.below(8)),
    timestamp: i * 10,
  })),
  outcome: (simulation) => ({
    byRemainder: latest(simulation.records('by-remainder')),
    letters: latest(simulation.records('letters')),
  }),
}
