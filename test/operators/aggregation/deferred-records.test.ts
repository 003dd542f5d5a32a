import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Aggregate,
  type AggregateRecord,
  aggregate,
  bytes,
  combine,
  count,
  custom,
  first,
  groupBy,
  groupByKey,
  json,
  last,
  late,
  long,
  map,
  max,
  mean,
  min,
  nullable,
  type Serde,
  sliding,
  stream,
  string,
  sum,
  to,
  topology,
  toStream,
  untilWindowCloses,
  type Windowed,
  type Windows,
  windowedBy,
  windowed as windowedSerde,
} from '../../../src/index.ts'
import { sliding as slidingProcessor } from '../../../src/operators/aggregation/sliding.ts'
import { ByteWriter } from '../../../src/serde/bytes.ts'
import { slidingStore } from '../../../src/state/sliding-store.ts'
import { streamClock } from '../../../src/state/stream-time.ts'
import { TopologyDriver } from '../../../src/testing/index.ts'
import type { ProcessorContext } from '../../../src/topology/processor.ts'
import type { Output } from '../../../src/topology/topology.ts'
import { storesOnDisk } from '../../support/disk-stores.ts'

/** Everything that an aggregation gives out. */
const readings = ['updates', 'finals', 'late', 'regrouped'] as const
type Reading = (typeof readings)[number]

const input = stream('in', { key: string(), value: nullable(json<number>()) })
const named = map<Windowed<string>, unknown, string, unknown>((value, { key, window }) => [
  `${key} [${window.start}, ${window.end}]`,
  value,
])
const out = { key: string(), value: json() }

function app<A, R>(of: Aggregate<number | null, A, R>, windows: Windows, read: readonly Reading[]) {
  const table = input.pipe(
    groupByKey(),
    windowedBy(windows),
    aggregate<string, number | null, Windowed<string>, typeof of>('kept', of),
  )
  const ends: Record<Reading, () => Output> = {
    updates: () => table.pipe(toStream(), named, to('updates', out)),
    finals: () => table.pipe(untilWindowCloses(), named, to('finals', out)),
    late: () => table.pipe(late(), to('late', { key: string(), value: nullable(json<number>()) })),
    // Takes the old result out of its group, and puts the new one in.
    regrouped: () =>
      table.pipe(
        groupBy((value) => JSON.stringify(value), { key: string(), value: json<unknown>() }),
        aggregate('grouped', count()),
        toStream(),
        to('regrouped', { key: string(), value: json<number>() }),
      ),
  }
  return topology(
    't',
    read.map((reading) => ends[reading]()),
  )
}

/** Which records a window holds, to the record: what takes one in twice or not at all shows. */
const kept = custom({
  init: (): string[] => [],
  add: (all: string[], value: number | null, timestamp) => insert(all, [`${timestamp}:${value}`]),
  merge: (a, b) => insert(a, b),
  neutral: true,
  commutative: true,
})
const insert = (all: string[], more: readonly string[]) => {
  all.push(...more)
  return all.sort()
}
const amount = (cents: number | null) => cents && cents / 100
const figures = combine<number | null, AggregateRecord<number | null>>({
  n: count(),
  sum: sum(amount),
  cents: sum(amount, { decimals: 2 }),
  mean: mean(amount),
  min: min(amount),
  max: max(amount),
  first: first(),
  last: last(),
})

type Step =
  | { readonly kind: 'record'; readonly key: string; readonly value: number | null; readonly step: number }
  | { readonly kind: 'commit' | 'restart' | 'store' }

const values = fc.option(fc.oneof(fc.nat(999_999_99), fc.integer({ min: -500, max: 500 })), { nil: null, freq: 20 })
const record = (step: fc.Arbitrary<number>): fc.Arbitrary<Step> =>
  fc.record({
    kind: fc.constant('record' as const),
    key: fc.constantFrom('a', 'a', 'a', 'b'),
    value: values,
    step,
  })
const steps = fc.array(
  fc.oneof(
    { weight: 40, arbitrary: record(fc.integer({ min: -4, max: 6 })) },
    { weight: 20, arbitrary: record(fc.integer({ min: -25, max: 30 })) },
    { weight: 2, arbitrary: record(fc.integer({ min: 60, max: 200 })) },
    { weight: 2, arbitrary: record(fc.integer({ min: -200, max: -60 })) },
    { weight: 2, arbitrary: fc.constantFrom<Step>({ kind: 'commit' }, { kind: 'restart' }, { kind: 'store' }) },
  ),
  { minLength: 30, maxLength: 150, size: 'max' },
)
const windows = fc.record({
  difference: fc.constantFrom(7, 30, 60),
  grace: fc.constantFrom(0, 5, 40, 500),
  start: fc.constantFrom(0, 10_000),
})

/** What comes out at each step. */
function play(of: Aggregate<number | null, never, unknown>, read: readonly Reading[], drawn: Drawn): unknown[] {
  const { difference, grace, start, steps } = drawn
  const driver = new TopologyDriver(app(of, sliding(difference, { grace }), read), { emit: 'commit' })
  const outputs = driver.outputs
  const bytes = new ByteWriter()
  let time = start
  // Past everything, so that all windows are closed.
  const end: Step = { kind: 'record', key: 'c', value: 0, step: 10_000 }
  const all: Step[] = [...steps, { kind: 'store' }, end, { kind: 'commit' }]
  return all.map((step) => {
    if (step.kind === 'commit') driver.commit()
    if (step.kind === 'restart') driver.restart()
    if (step.kind === 'store') {
      return driver.store<string, never>('kept').map(({ key, start, value, timestamp }) => {
        of.state.encode(value, bytes.reset())
        return { key, start, timestamp, value: Buffer.from(bytes.bytes()).toString('hex') }
      })
    }
    if (step.kind === 'record') {
      time = Math.max(0, time + step.step)
      driver.pipe('in', step.key, step.value, time)
    }
    return { out: outputs.map((topic) => driver.read(topic)), dropped: driver.dropped }
  })
}
type Drawn = { difference: number; grace: number; start: number; steps: readonly Step[] }

const cases = fc.tuple(windows, steps).map(([windows, steps]): Drawn => ({ ...windows, steps }))

describe('sliding windows of what is commutative', () => {
  it.each([
    ['the records themselves', kept as never, ['updates', 'late']],
    ['the records themselves, final results', kept as never, ['finals', 'late']],
    ['the records themselves, both', kept as never, ['updates', 'finals']],
    ['the records themselves, old values', kept as never, ['updates', 'regrouped']],
    ['built-in aggregates', figures as never, ['updates', 'late']],
    ['built-in aggregates, final results', figures as never, ['updates', 'finals']],
  ] as [string, Aggregate<number | null, never, unknown>, Reading[]][])(
    '%s: all as if each record were added to each window at once',
    (_, of, read) => {
      fc.assert(
        fc.property(cases, (drawn) => {
          expect(play(of, read, drawn)).toEqual(play({ ...of, commutative: false }, read, drawn))
        }),
        { numRuns: 40 },
      )
    },
  )

  it.each([
    ['objects', json<object>(), { id: 1 }, { id: 2 }],
    ['bytes', bytes(), Buffer.from('one'), Buffer.from('two')],
    ['numbers', long(), 1, 2],
  ] as [string, Serde<unknown>, unknown, unknown][])('have keys that are %s', (_, key, one, two) => {
    const play = (commutative: boolean) => {
      const windowed = windowedSerde(key, { size: 50 })
      const driver = new TopologyDriver(
        topology('t', [
          stream('in', { key, value: json<number>() }).pipe(
            groupByKey(),
            windowedBy(sliding(50, { grace: 100 })),
            aggregate('kept', { ...count(), commutative }),
            toStream(),
            to('updates', { key: windowed, value: json<number | null>() }),
          ),
        ]),
        { emit: 'commit' },
      )
      for (let i = 0; i < 60; i++) driver.pipe('in', i % 2 === 0 ? one : two, i, 1000 + i)
      driver.commit()
      return driver.read('updates')
    }
    expect(play(true)).toEqual(play(false))
  })
})

describe('sliding windows of what is commutative, over any windows there may be', () => {
  // As a changelog may hold them that was written with another time difference, or by somebody else.
  const found = fc.array(
    fc.tuple(fc.integer({ min: -40, max: 40 }), fc.nat(30)).map(([start, age]) => ({ start: 1000 + start, age })),
    { minLength: 8, maxLength: 40 },
  )
  const times = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 5, maxLength: 20 })

  const onDisk = storesOnDisk()
  let made = 0

  it.each([
    ['in memory', false, 600],
    ['on disk', true, 40],
  ])('are as if each record were added to each window at once, %s', (_, disk, numRuns) => {
    const play = (commutative: boolean, windows: readonly { start: number; age: number }[], times: number[]) => {
      const inMemory = slidingStore<string, string[]>({
        name: `s${made++}`,
        key: string(),
        value: () => kept.state,
        span: 100,
      })
      const store = disk && commutative ? onDisk(inMemory) : inMemory
      const opened = store.create({ open: (serde, part) => serde.open({ topic: 't', part }) })
      for (const { start, age } of windows) {
        if (opened.find(start, 'a') === undefined) opened.touch(opened.create(start, 'a', [`${start}`], start + age))
      }
      opened.flush(() => {})
      const changed: unknown[] = []
      const context = {
        node: 'aggregate:kept',
        record: { topic: 'in', partition: 0, offset: 0, lane: 0, headers: [] },
        emit: 'commit',
        wantsOld: false,
        listens: () => false,
        store: () => opened,
        streamTime: () => streamClock([0], { lane: 0 }),
        drop: () => {},
        forward: () => (key: Windowed<string>, value: string[], timestamp: number) => {
          changed.push([key.window.start, value, timestamp])
        },
      } as unknown as ProcessorContext
      const processor = slidingProcessor({ ...kept, commutative }, sliding(30, { grace: 100 }), store, 0)(context)
      for (const [i, time] of times.entries()) {
        processor.inputs[0]('a', i, 1000 + time)
        if (i % 7 === 6) processor.flush!()
      }
      processor.flush!()
      return {
        changed,
        all: [...opened.all()]
          .sort((a, b) => a.start - b.start)
          .map(({ start, value, timestamp }) => [start, value, timestamp]),
      }
    }
    fc.assert(
      fc.property(found, times, (windows, times) => {
        expect(play(true, windows, times)).toEqual(play(false, windows, times))
      }),
      { numRuns },
    )
  })
})
