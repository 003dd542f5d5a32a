import {
  count,
  describe as describeTopology,
  globalTable,
  groupByKey,
  join,
  json,
  stream,
  string,
  to,
  topology,
  toStream,
} from 'millrace'
import { describe, expect, it } from 'vitest'
import { unopenedSink } from '../support/unopened-sink.ts'
import { largeShop, smallShop } from './shops.ts'

describe('text', () => {
  it('says what meets a record, in order, with the names on the log', () => {
    expect(`\n${describeTopology(smallShop()).text}`).toBe(`
shop: 2 subtopologies, 1 repartition, 1 store, 1 sink

subtopology 0
  stream:orders        reads orders, key string, value json
  filter-1
  groupBy-1
  repartition:revenue  writes shop-revenue-repartition, key string, value json

subtopology 1
  aggregate:revenue    reads shop-revenue-repartition,
                       aggregate { revenue: sum },
                       windows tumbling size 1 min grace 10 s,
                       state in shop-revenue-changelog
  to:revenue           writes revenue, key windowed(string), value json
  untilWindowCloses-1  after aggregate:revenue (final)
  to:test:revenue      upserts to test:revenue,
                       url https://(hidden)@db.example/x, password (hidden),
                       auth apiKey (hidden) user ada, limit unlimited
`)
  })

  it('fits into 80 columns where names allow it', () => {
    const { text } = describeTopology(largeShop())
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([])
    expect(text).toContain('stream:orders-of-a-region-with-quite-a-long-name\n')
  })
})

describe('json', () => {
  it('is plain data that survives JSON, and the same from run to run', () => {
    const { json } = describeTopology(largeShop())
    expect(JSON.parse(JSON.stringify(json))).toEqual(json)
    expect(JSON.stringify(describeTopology(largeShop()).json)).toBe(JSON.stringify(json))
    const nodes = json.subtopologies.flatMap((subtopology) => subtopology.nodes)
    expect(nodes.length).toBeGreaterThanOrEqual(20)
    expect(new Set(nodes.map(({ id }) => id)).size).toBe(nodes.length)
    expect(json.topics.filter(({ kind }) => kind === 'repartition')).toHaveLength(4)
  })

  it('never carries a secret or a function', () => {
    const { json, text, mermaid } = describeTopology(smallShop())
    expect(json.sinks[0].parameters).toEqual({
      url: 'https://(hidden)@db.example/x',
      password: '(hidden)',
      auth: { apiKey: '(hidden)', user: 'ada' },
      limit: 'unlimited',
    })
    expect(JSON.stringify(json) + text + mermaid).not.toContain('hunter2')
  })

  it('keeps the names of topics and stores when unrelated operators are added', () => {
    const [before, after] = [describeTopology(largeShop()).json, describeTopology(largeShop({ extra: true })).json]
    expect(after.topics.map(({ topic }) => topic)).toEqual(expect.arrayContaining(before.topics.map((of) => of.topic)))
    expect(after.stores.map(({ store, changelog }) => [store, changelog])).toEqual(
      before.stores.map(({ store, changelog }) => [store, changelog]),
    )
  })

  it('knows global tables: a topic that all read, a store that belongs to no task', () => {
    const countries = globalTable('countries', { key: string(), value: json<string>(), store: 'countries' })
    const visits = topology('visits', [
      stream('visits', { key: string(), value: json<string>() }).pipe(
        join(
          countries,
          (code) => code,
          (_, name) => name,
        ),
        to('named', { key: string(), value: json() }),
      ),
    ])
    const { json: described, text, mermaid } = describeTopology(visits)
    expect(described.topics).toContainEqual({
      topic: 'countries',
      kind: 'user',
      readBy: [0],
      writtenBy: [],
      key: 'string',
      value: 'json',
      global: true,
    })
    expect(described.stores).toEqual([expect.objectContaining({ store: 'countries', global: true })])
    expect(text).toContain('after stream:visits, countries')
    expect(mermaid).toContain('topic1 --> node1')
  })

  it('says who reads and writes a topic', () => {
    const { topics, subtopologies } = describeTopology(smallShop()).json
    expect(topics).toEqual([
      { topic: 'orders', kind: 'user', readBy: [0], writtenBy: [], key: 'string', value: 'json' },
      { topic: 'revenue', kind: 'user', readBy: [], writtenBy: [1], key: 'windowed(string)', value: 'json' },
      {
        topic: 'shop-revenue-repartition',
        kind: 'repartition',
        readBy: [1],
        writtenBy: [0],
        key: 'string',
        value: 'json',
      },
      { topic: 'shop-revenue-changelog', kind: 'changelog', readBy: [], writtenBy: [1] },
    ])
    expect(subtopologies[1].nodes[2].inputs).toEqual([{ node: 'aggregate:revenue', output: 'final' }])
  })
})

describe('mermaid', () => {
  // The statements of the flowchart syntax that we use; each line must be one of them.
  const text = '"[^"\\n]*"'
  const id = '(?:topic|node|store|sink|sub)\\d+'
  const statements = [
    '^flowchart TB$',
    `^ {2}subgraph sub\\d+\\[${text}\\]$`,
    '^ {2}end$',
    `^ +${id}(?:\\[${text}\\]|\\[/${text}/\\]|\\[\\(${text}\\)\\]|\\[\\[${text}\\]\\])$`,
    `^ +${id} (?:-->|-\\.-)(?:\\|${text}\\|)? ${id}$`,
  ].map((pattern) => new RegExp(pattern))

  it.each([
    ['small', smallShop()],
    ['large', largeShop()],
  ])('is a flowchart whose arrows lead from and to what is declared: %s', (_, shop) => {
    const lines = describeTopology(shop).mermaid.trimEnd().split('\n')
    for (const line of lines) expect(line, line).toSatisfy(() => statements.some((statement) => statement.test(line)))
    const declared = lines.flatMap((line) => /^ +((?:topic|node|store|sink)\d+)[[]/.exec(line)?.[1] ?? [])
    expect(new Set(declared).size).toBe(declared.length)
    const used = lines.flatMap((line) => {
      const arrow = /^ +(\w+) (?:-->|-\.-)\S* (\w+)$/.exec(line.replace(/\|.*\|/, ''))
      return arrow ? [arrow[1], arrow[2]] : []
    })
    expect([...new Set(used)].sort()).toEqual([...declared].sort())
  })

  it('takes nothing in a name for syntax', () => {
    const odd = topology('odd', [
      stream('in', { key: string(), value: string() }).pipe(to(unopenedSink('test: "a]] --> b" #quot;\nend'))),
    ])
    expect(describeTopology(odd).mermaid).toContain('sink0[["test: #quot;a]] --> b#quot; #35;quot; end"]]')
  })
})

it('refuses what cannot run, with every problem', () => {
  const counted = stream('a', { key: string(), value: string() }).pipe(groupByKey(), count(''), toStream())
  const broken = topology('broken', [counted.pipe(to('no spaces', { key: string(), value: json() }))])
  expect(() => describeTopology(broken)).toThrow(/INVALID_TOPOLOGY|cannot run/)
  expect(() => describeTopology(broken)).toThrow(/keeps state and needs a name[\s\S]*"no spaces" is not a topic name/)
})
