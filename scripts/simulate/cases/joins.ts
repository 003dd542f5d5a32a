import {
  filter,
  foreignKeyJoin,
  globalTable,
  join,
  json,
  leftForeignKeyJoin,
  leftJoin,
  mapValues,
  outerJoin,
  string,
  table,
  to,
  topology,
  toStream,
  within,
} from 'millrace'
import { all, latest, records, results, type SimulationCase, source } from './case.ts'

/** Two streams: each pair once, whichever side comes first, and both states of the join restored. */
export const streamJoins: SimulationCase = {
  name: 'stream-joins',
  topology: topology('stream-joins', [
    source('orders').pipe(
      join('paid', source('payments'), (order, payment) => `${order}+${payment}`, within(400, { grace: 60_000 })),
      to('paid', results),
    ),
    // Both sides of one topic: who is alone depends on which comes first.
    ...(() => {
      const orders = source('orders').pipe(filter((order) => order.endsWith('0')))
      const others = source('orders').pipe(filter((order) => !order.endsWith('0')))
      const near = within(50, { grace: 100 })
      return [
        orders.pipe(
          leftJoin('left', others, (order, other) => ({ order, other }), near),
          to('left', results),
        ),
        orders.pipe(
          outerJoin('outer', others, (order, other) => ({ order, other }), near),
          to('outer', results),
        ),
      ]
    })(),
  ]),
  input: records(160, (random, i) => ({
    topic: random.chance(0.7) ? 'orders' : 'payments',
    key: `k${random.below(6)}`,
    value: `v${i}`,
    timestamp: i * 20 + random.below(300),
  })),
  outcome: (simulation) => ({
    paid: all(simulation.records('paid')),
    left: all(simulation.records('left')),
    outer: all(simulation.records('outer')),
  }),
}

const rows = (topic: string) => table(topic, { key: string(), value: string(), store: topic })

/** Tables of one key and by foreign key, two hops there and back, with rows that change and go on both sides. */
export const tableJoins: SimulationCase = {
  name: 'table-joins',
  topology: topology('table-joins', [
    ...(() => {
      const [cities, ages, mayors] = [rows('cities'), rows('ages'), rows('mayors')]
      return [
        cities.pipe(
          leftJoin('with-age', ages, (city, age) => ({ city, age })),
          toStream(),
          to('with-age', results),
        ),
        cities.pipe(
          outerJoin('both', ages, (city, age) => ({ city, age })),
          toStream(),
          to('both', results),
        ),
        cities.pipe(
          foreignKeyJoin(
            'governed',
            mayors,
            (city) => city,
            (city, mayor) => `${city} by ${mayor}`,
          ),
          toStream(),
          to('governed', results),
        ),
        cities.pipe(
          leftForeignKeyJoin(
            'perhaps-governed',
            mayors,
            (city) => city,
            (city, mayor) => ({ city, mayor }),
          ),
          toStream(),
          to('perhaps-governed', results),
        ),
      ]
    })(),
  ]),
  input: records(150, (random, i) => {
    const topic = random.pick(['cities', 'ages', 'mayors'])
    const key = topic === 'mayors' ? `c${random.below(5)}` : `k${random.below(12)}`
    const value = topic === 'cities' ? `c${random.below(5)}` : `v${i}`
    return { topic, key, value: random.chance(0.15) ? null : value, timestamp: i * 10 }
  }),
  outcome: (simulation) => ({
    withAge: latest(simulation.records('with-age')),
    both: latest(simulation.records('both')),
    governed: latest(simulation.records('governed')),
    perhaps: latest(simulation.records('perhaps-governed')),
  }),
}

const ROWS = 20

/** A stream that looks up rows: those of a table are there before it begins, those of a global one may be anywhere. */
export const lookups: SimulationCase = {
  name: 'lookups',
  topology: topology('lookups', [
    source('orders').pipe(
      leftJoin('names', rows('users'), (order, user) => `${order} of ${user}`),
      leftJoin(
        globalTable('countries', { key: string(), value: string(), store: 'countries' }),
        (order) => `c${order.length % 3}`,
        (order, country) => (country === null ? { order } : { order, country }),
      ),
      mapValues(({ order }) => order),
      to('enriched', { key: string(), value: json<unknown>() }),
    ),
  ]),
  input: records(120, (random, i) => {
    if (i < 3) return { topic: 'countries', key: `c${i}`, value: `country ${i}`, timestamp: 0 }
    if (i < ROWS) return { topic: 'users', key: `k${i}`, value: `user ${i}`, timestamp: 0 }
    return { topic: 'orders', key: `k${random.below(ROWS)}`, value: 'x'.repeat(1 + random.below(9)), timestamp: i * 10 }
  }),
  outcome: (simulation) => all(simulation.records('enriched')),
}
