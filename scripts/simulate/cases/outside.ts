import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  count,
  groupBy,
  groupByKey,
  json,
  mapValues,
  RejectedRecord,
  string,
  to,
  topology,
  toStream,
  tumbling,
  type Windowed,
  windowed,
  windowedBy,
} from 'millrace'
import { diskState } from 'millrace/disk'
import { all, latest, lines, type SimulationCase, sink, sorted, source } from './case.ts'

/** Rows that sinks refuse and records that the topology rejects: each a dead letter once, the others written once. */
export const refusals: SimulationCase = {
  name: 'refusals',
  topology: topology('refusals', [
    ...(() => {
      const good = source().pipe(
        mapValues((word) => {
          if (word === 'w0') throw new RejectedRecord('not a word')
          return word
        }),
      )
      return [
        good.pipe(to(sink<string>('log', 'append'))),
        good.pipe(
          groupBy((word) => word),
          count('per-word'),
          toStream(),
          to(sink<string>('counts', 'upsert')),
        ),
      ]
    })(),
  ]),
  input: lines(150, (random, i) => ({ key: `k${random.below(9)}`, value: `w${random.below(12)}`, timestamp: i })),
  options: { refuses: (name, { value }) => name === 'log' && (value === 'w1' || value === 'w2') },
  outcome: (simulation) => ({
    log: all(simulation.rows('log')),
    counts: all(simulation.rows('counts')),
    letters: sorted(
      simulation
        .records<Buffer, Buffer>('refusals-dead-letters')
        .map(({ key, value, headers }) => [
          `${key}`,
          `${value}`,
          ...headers.filter(([name]) => /topic|partition|offset/.test(name)).map(([, of]) => `${of}`),
        ]),
    ),
  }),
}

let directory: string | undefined

/** Made when it is needed, and gone with the process. */
function stateDirectory(): string {
  if (directory === undefined) {
    const made = (directory = mkdtempSync(join(tmpdir(), 'millrace-simulate-')))
    process.once('exit', () => rmSync(made, { recursive: true, force: true }))
  }
  return directory
}

/** State on disk with next to no cache, so that entries go there and come back all the time. */
export const disk: SimulationCase = {
  name: 'disk',
  topology: topology('disk', [
    source().pipe(
      groupBy((word) => word),
      count('per-word'),
      toStream(),
      to('counts', { key: string(), value: json<number | null>() }),
    ),
    source().pipe(
      groupByKey(),
      windowedBy(tumbling(200, { grace: 300 })),
      count('per-window'),
      toStream(),
      to('windows', { key: windowed(string(), { size: 200 }), value: json<number | null>() }),
    ),
    source().pipe(
      groupByKey(),
      windowedBy(tumbling(1_000, { grace: 300 })),
      count('per-second'),
      toStream(),
      to(sink<Windowed<string>>('per-second', 'upsert')),
    ),
  ]),
  input: lines(120, (random, i) => ({ key: `k${random.below(9)}`, value: `w${random.below(20)}`, timestamp: i * 20 })),
  options: { state: () => diskState(stateDirectory(), { cacheBytes: 300, pageCacheBytes: 0 }) },
  outcome: (simulation) => ({
    counts: latest(simulation.records('counts')),
    windows: latest(simulation.records('windows')),
    perSecond: all(simulation.rows('per-second')),
  }),
}
