import {
  aggregate,
  count,
  groupBy,
  groupByKey,
  hopping,
  json,
  session,
  sessionWindowed,
  sliding,
  string,
  sum,
  to,
  topology,
  toStream,
  tumbling,
  untilWindowCloses,
  type Windowed,
  windowed,
  windowedBy,
} from 'millrace'
import { all, latest, lines, type SimulationCase, sink, sorted, source } from './case.ts'

/** A count behind a repartition topic: nothing lost, nothing doubled, on two hops. */
export const words: SimulationCase = {
  name: 'words',
  topology: topology('words', [
    source().pipe(
      groupBy((word) => word),
      count('per-word'),
      toStream(),
      to('counts', { key: string(), value: json<number | null>() }),
    ),
  ]),
  input: lines(200, (random, i) => ({ key: `k${random.below(13)}`, value: `w${random.below(7)}`, timestamp: i })),
  outcome: (simulation) => latest(simulation.records('counts')),
}

/** Windows out of order and late, on update and final, into sinks of both kinds and a topic. */
export const windows: SimulationCase = {
  name: 'windows',
  topology: topology('windows', [
    ...(() => {
      const perSecond = source().pipe(
        groupBy((word) => word),
        windowedBy(tumbling(1_000, { grace: 300 })),
        count('per-second'),
      )
      return [
        perSecond.pipe(toStream(), to(sink<Windowed<string>>('updates', 'upsert'))),
        perSecond.pipe(untilWindowCloses(), to('finals', { key: windowed(string(), { size: 1_000 }), value: json() })),
      ]
    })(),
    source().pipe(to(sink<string>('raw', 'append'))),
    source().pipe(
      groupByKey(),
      windowedBy(sliding(500, { grace: 300 })),
      count('sliding'),
      toStream(),
      to('slides', { key: windowed(string(), { size: 500 }), value: json<number | null>() }),
    ),
  ]),
  input: lines(200, (random, i) => ({
    key: `k${random.below(5)}`,
    value: `w${random.below(4)}`,
    timestamp: Math.max(0, i * 20 + random.below(400) - (random.chance(0.05) ? 2_000 : 200)),
  })),
  outcome: (simulation) => ({
    updates: sorted(simulation.rows('updates').map(({ key, value }) => [key, value])),
    raw: sorted(simulation.rows('raw').map(({ key, value, timestamp }) => [key, value, timestamp])),
    finals: sorted(simulation.records('finals').map(({ key, value }) => [key, value])),
    slides: latest(simulation.records('slides')),
  }),
}

/** Sessions that grow, meet and end, and hopping windows, on update and final. */
export const sessions: SimulationCase = {
  name: 'sessions',
  topology: topology('sessions', [
    ...(() => {
      const visits = source().pipe(groupByKey(), windowedBy(session(150, { grace: 400 })), count('visits'))
      const perWord = source().pipe(
        groupBy((word) => word),
        windowedBy(hopping(600, { advance: 200, grace: 400 })),
        aggregate('per-word', { n: count(), letters: sum((word: string) => word.length) }),
      )
      return [
        visits.pipe(toStream(), to('visits', { key: sessionWindowed(string()), value: json<number | null>() })),
        visits.pipe(untilWindowCloses(), to('ended-visits', { key: sessionWindowed(string()), value: json() })),
        perWord.pipe(toStream(), to(sink<Windowed<string>>('per-word', 'upsert'))),
        perWord.pipe(untilWindowCloses(), to(sink<Windowed<string>>('closed', 'append'))),
      ]
    })(),
  ]),
  input: lines(150, (random, i) => ({
    key: `k${random.below(5)}`,
    value: 'w'.repeat(1 + random.below(3)),
    timestamp: Math.max(0, i * 25 + random.below(600) - (random.chance(0.05) ? 2_000 : 300)),
  })),
  outcome: (simulation) => ({
    visits: latest(simulation.records('visits')),
    ended: all(simulation.records('ended-visits')),
    perWord: all(simulation.rows('per-word')),
    closed: all(simulation.rows('closed')),
  }),
}
