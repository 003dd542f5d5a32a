import fc from 'fast-check'
import {
  count,
  groupBy,
  groupByKey,
  json,
  long,
  mapValues,
  nullable,
  reduce,
  sliding,
  stream,
  string,
  to,
  topology,
  toStream,
  tumbling,
  unlimited,
  untilWindowCloses,
  type Windows,
  windowed,
  windowedBy,
} from 'millrace'
import { marbles, playMarbles } from 'millrace/testing'
import { describe, expect, it } from 'vitest'
import { drawMarbles } from '../../src/testing/marbles/draw.ts'
import { parseMarbles } from '../../src/testing/marbles/parse.ts'
import { unopenedSink } from '../support/unopened-sink.ts'

const numbers = stream('numbers', { key: nullable(string()), value: json<number>() })

const totals = topology('totals', [
  numbers.pipe(
    groupByKey(),
    reduce('total', (a, b) => a + b),
    toStream(),
    to('totals', { key: string(), value: json<number>() }),
  ),
])

const counts = (windows: Windows, size: number) =>
  topology('counts', [
    stream('numbers', { key: string(), value: json<number>() }).pipe(
      groupByKey(),
      windowedBy(windows),
      count('count'),
      toStream(),
      to('counts', { key: windowed(string(), { size }), value: json() }),
    ),
  ])

const copy = topology('copy', [
  stream('in', { key: nullable(string()), value: nullable(json()) }).pipe(to('out', { key: string(), value: json() })),
])

/** The message that a call throws. */
function messageOf(call: () => void): string {
  try {
    call()
  } catch (error) {
    return (error as Error).message
  }
  return 'nothing was thrown'
}

describe('marbles', () => {
  it('take input, deeds, results and drops step by step', () => {
    marbles(
      totals,
      `
      // What was not committed is gone, and comes again.
      numbers | a=3@1 | b=1@2  | a=4@3 -=1@3 |         | a=1@4
      do      |       | commit |             | restart | clock+1s
      totals  | a=3@1 | b=1@2  | a=7@3       | a=7@3   | a=8@4
      dropped |       |        | null-key    | null-key |
      `,
    )
  })

  it.each([
    [
      'tumbling',
      counts(tumbling(10, { grace: 2 }), 10),
      `numbers | a=1@1       | a=1@11       | a=1@9       | a=1@12       | a=1@5
       counts  | a[0,10)=1@1 | a[10,20)=1@11 | a[0,10)=2@9 | a[10,20)=2@12 |
       dropped |             |              |             |              | late`,
    ],
    [
      'sliding',
      counts(sliding(10), 10),
      `numbers | a=1@12       | a=1@20
       counts  | a[2,12]=1@12 | a[13,23]=1@20 a[10,20]=2@20`,
    ],
    [
      'unlimited',
      counts(unlimited(), Number.POSITIVE_INFINITY),
      `numbers | a=1@0       | a=1@1m30s
       counts  | a[0,∞)=1@0  | a[0,∞)=2@90000`,
    ],
  ])('writes windows: %s', (_, of, diagram) => marbles(of, diagram))

  it('gives what a commit gives, and rows of sinks', () => {
    const sink = unopenedSink<string | null, number>()
    const both = topology('both', [
      numbers.pipe(to(sink)),
      numbers.pipe(groupByKey(), count('n'), toStream(), to('n', { key: string(), value: json() })),
    ])
    marbles(
      both,
      `
      numbers   | a=3@1 a=4@2 | b=1@3
      do        |             | commit
      n         |             | a=2@2 b=1@3
      test:sink |             | a=3@1 a=4@2 b=1@3
      `,
      { emit: 'commit' },
    )
  })

  it.each([
    ['words', 'a=b@1', 'a=b@1'],
    ['the key for the value', 'a@1', 'a=a@1'],
    ['objects and lists', 'a={n:1,l:[x,"y z",{}],t:true}@1', 'a={n:1,l:[x,"y z",{}],t:true}@1'],
    ['texts', '"a b"="1"@1', '"a b"="1"@1'],
    ['nulls', '-=-@1', '-=-@1'],
    ['numbers', 'a=-1.5@1', 'a=-1.5@1'],
    ['units', 'a=1@1h30m', 'a=1@5400000'],
  ])('reads and writes %s', (_, written, seen) => {
    expect(playMarbles(copy, `in | ${written}`)).toBe(`in  | ${seen}\nout | ${seen}`)
    marbles(copy, `in | ${written}\nout | ${written}`)
  })

  it('reads bigints', () => {
    const longs = topology('longs', [
      stream('in', { key: string(), value: long({ bigint: true }) }).pipe(
        mapValues((n) => n + 1n),
        to('out', { key: string(), value: long({ bigint: true }) }),
      ),
    ])
    marbles(longs, 'in | a=9007199254740993n@1\nout | a=9007199254740994n@1')
  })

  it('compares objects whatever the order of their fields', () => {
    marbles(copy, 'in | a={x:1,y:2}@1\nout | a={y:2,x:1}@1')
  })

  it('reads what it draws', () => {
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.string(),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(
          fc.string({ minLength: 1 }).filter((name) => name !== '__proto__'),
          tie('value'),
          { maxKeys: 3 },
        ),
      ),
    })).value
    const marble = fc.record({ key: fc.oneof(fc.string(), fc.constant(null)), value, timestamp: fc.nat() })
    fc.assert(
      fc.property(fc.array(fc.array(marble, { maxLength: 3 }), { minLength: 1, maxLength: 4 }), (cells) => {
        const diagram = {
          rows: [{ kind: 'topic', label: 'in', cells }],
          steps: cells.length,
          inclusive: false,
        } as unknown as Parameters<typeof drawMarbles>[0]
        const drawn = drawMarbles(diagram)
        const read = parseMarbles(drawn).rows[0].cells
        expect(cells.map((cell, i) => JSON.stringify(read[i] ?? []) === JSON.stringify(cell))).not.toContain(false)
      }),
      { numRuns: 300 },
    )
  })
})

describe('a difference', () => {
  it('is shown with both diagrams, their columns under each other', () => {
    const message = messageOf(() =>
      marbles(
        totals,
        `
        numbers | a=3@1 | b=1000@2 | a=4@3
        totals  | a=3@1 | b=1@2    | a=7@3
        `,
      ),
    )
    expect(message).toBe(`the topology does not do what the marbles show (- expected, + came out)

  numbers | a=3@1 | b=1000@2 | a=4@3
- totals  | a=3@1 | b=1@2    | a=7@3
+ totals  | a=3@1 | b=1000@2 | a=7@3
`)
  })

  it.each([
    ['another time', 'numbers | a=3@1\ntotals | a=3@2'],
    ['a result less', 'numbers | a=3@1\ntotals | a=3@1 b=1@1'],
    ['a result more', 'numbers | a=3@1 a=3@2\ntotals | a=3@1'],
    ['another order', 'numbers | a=3@1 b=3@2\ntotals | b=3@2 a=3@1'],
    ['a later step', 'numbers | a=3@1 |\ntotals | | a=3@1'],
    ['a number for a text', 'numbers | a=3@1\ntotals | a="3"@1'],
    ['a topic without a row', 'numbers | a=3@1'],
    ['a drop that is not there', 'numbers | a=3@1\ntotals | a=3@1\ndropped | late'],
    ['a drop that is not shown', 'numbers | -=3@1\ndropped |'],
  ])('is noticed: %s', (_, diagram) => {
    expect(messageOf(() => marbles(totals, diagram))).toContain('does not do what the marbles show')
  })

  it('in a window is shown with the bracket that the diagram has', () => {
    const shown = messageOf(() => marbles(counts(sliding(10), 10), 'numbers | a=1@12\ncounts | a[3,12]=1@12'))
    expect(shown).toContain('- counts  | a[3,12]=1@12\n+ counts  | a[2,12]=1@12')
  })
})

describe('a diagram that cannot be read', () => {
  it.each([
    ['in | a=1', 'line 1: expected "@" and the time, found the end of the line', 9],
    ['in | a=@1', 'expected a value', 8],
    ['in | a=1@x', 'expected a time', 10],
    ['in | a=1@5q', 'expected a time', 10],
    ['in | a[0;10)=1@5', 'expected ","', 9],
    ['in | a[0,10=1@5', 'expected ")"', 12],
    ['in | a={x 1}@5', 'expected ":"', 11],
    ['in | a=1@5b=2@6', 'expected a time', 10],
    ['in a=1@5', 'expected "|"', 4],
    ['do | stop', 'expected commit, restart', 6],
    ['dropped | 7', 'expected a reason', 11],
  ])('says where: %s', (diagram, problem, column) => {
    const message = messageOf(() => parseMarbles(diagram))
    expect(message).toContain(problem)
    const lines = message.split('\n')
    const at = lines.indexOf(`  ${diagram}`)
    expect(at).toBeGreaterThan(0)
    expect(lines[at + 1].indexOf('^') - 2 + 1).toBe(column)
  })

  it('refuses a second row and an unknown topic', () => {
    expect(messageOf(() => parseMarbles('in | a@1\nin | b@1'))).toContain('line 2: a second row for in')
    expect(messageOf(() => marbles(totals, 'nubmers | a=1@1'))).toContain('no topic or sink "nubmers"')
    expect(messageOf(() => marbles(totals, 'nubmers | a=1@1'))).toContain('it reads numbers and writes totals')
  })
})

it('takes final results behind a repartition', () => {
  const finals = topology('finals', [
    numbers.pipe(
      groupBy((n) => (n % 2 === 0 ? 'even' : 'odd')),
      windowedBy(tumbling(10)),
      count('parity'),
      untilWindowCloses(),
      to('finals', { key: windowed(string(), { size: 10 }), value: json() }),
    ),
  ])
  marbles(
    finals,
    `
    numbers | a=1@1 b=2@2 | c=3@9 | a=1@10
    finals  |             |       | even[0,10)=1@2 odd[0,10)=2@9
    `,
  )
})
