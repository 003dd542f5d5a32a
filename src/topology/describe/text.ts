import type { InputDescription, NodeDescription, SubtopologyDescription, TopologyDescription } from './description.ts'
import type { Plain } from './plain.ts'

const WIDTH = 80
const INDENT = '  '
/** Longer ids get a line of their own. */
const WIDEST_ID = 24

/** For people, at 80 columns: each operator on a line, in the order in which records meet them. */
export function toText(description: TopologyDescription): string {
  const { topology, subtopologies, topics, stores, sinks } = description
  const counts = [
    count(subtopologies.length, 'subtopology', 'subtopologies'),
    count(topics.filter(({ kind }) => kind === 'repartition').length, 'repartition'),
    count(stores.length, 'store'),
    count(sinks.length, 'sink'),
  ]
  return `${[
    `${topology}: ${counts.filter(Boolean).join(', ')}`,
    ...subtopologies.map((subtopology) => subtopologyText(subtopology, description)),
  ].join('\n\n')}\n`
}

function subtopologyText({ id, nodes, copartitioned = [] }: SubtopologyDescription, of: TopologyDescription): string {
  const column = Math.min(WIDEST_ID, Math.max(...nodes.map((node) => node.id.length))) + 2
  const lines = [`subtopology ${id}`]
  for (const [i, node] of nodes.entries()) {
    lines.push(...entry(node.id, facts(node, nodes[i - 1]?.id, of), column))
  }
  for (const group of copartitioned) {
    lines.push(...wrap(`${INDENT}with as many partitions each: ${group.join(', ')}`, WIDTH, `${INDENT}${INDENT}`))
  }
  return lines.join('\n')
}

/** Facts about a node, each of which stays together as long as it fits. */
function facts(node: NodeDescription, previous: string | undefined, of: TopologyDescription): string[] {
  const changelogs = of.stores.filter(({ store }) => node.stores?.includes(store)).map(({ changelog }) => changelog)
  const sink = of.sinks.find((sink) => sink.node === node.id)
  return [
    ...readFrom(node.inputs, previous),
    ...(node.writes === undefined ? [] : [`writes ${node.writes}`]),
    ...(sink === undefined ? [] : [`${sink.mode}s to ${sink.sink}`]),
    ...parameterFacts(sink ?? node),
    ...changelogs.map((changelog) => (changelog === undefined ? 'state in memory alone' : `state in ${changelog}`)),
  ]
}

/** Nothing where a node reads what the line above it gives. */
function readFrom(inputs: readonly InputDescription[], previous: string | undefined): string[] {
  const [first] = inputs
  if (inputs.length === 1 && 'node' in first && first.node === previous && first.output === undefined) return []
  const named = inputs.map((input) => ('topic' in input ? input.topic : inputName(input)))
  if (named.length === 0) return []
  return [`${inputs.every((input) => 'topic' in input) ? 'reads' : 'after'} ${named.join(', ')}`]
}

const inputName = ({ node, output }: { node: string; output?: string }): string =>
  output === undefined ? node : `${node} (${output})`

function parameterFacts({ parameters = {} }: Pick<NodeDescription, 'parameters'>): string[] {
  return Object.entries(parameters).flatMap(([name, value]) => {
    // Said already by the verb.
    if (name === 'mode') return []
    if (isRecord(value)) return [[name, ...flat(value)].join(' ')]
    return [`${name} ${word(name, value)}`]
  })
}

function flat(record: { readonly [name: string]: Plain }): string[] {
  // Windows over records, not over time, count.
  const counted = record.kind === 'count'
  return Object.entries(record).map(([name, value]) =>
    name === 'kind' ? String(value) : `${name} ${counted ? value : word(name, value)}`,
  )
}

const DURATIONS = new Set(
  'size advance grace timeDifference gap retention before after within limit timeLimit timeout every idle'.split(' '),
)
const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const

function word(name: string, value: Plain): string {
  if (typeof value === 'number' && DURATIONS.has(name)) return duration(value)
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object')) return value.join(' ')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function duration(ms: number): string {
  const unit = UNITS.find(([, length]) => ms >= length && ms % length === 0)
  return unit ? `${ms / unit[1]} ${unit[0]}` : `${ms} ms`
}

function entry(id: string, facts: readonly string[], column: number): string[] {
  const margin = INDENT + ' '.repeat(column)
  const details: string[] = []
  for (const [i, fact] of facts.entries()) {
    const text = i < facts.length - 1 ? `${fact},` : fact
    const last = details.at(-1)
    if (last !== undefined && margin.length + last.length + 1 + text.length <= WIDTH) {
      details[details.length - 1] = `${last} ${text}`
    } else details.push(...wrap(text, WIDTH - margin.length, INDENT))
  }
  const [first = '', ...rest] = details
  const head =
    id.length <= column - 2 ? [`${INDENT}${id.padEnd(column)}${first}`.trimEnd()] : [INDENT + id, margin + first]
  return [...head, ...rest.map((line) => margin + line)].filter((line) => line.trim() !== '')
}

/** Breaks at blanks; a word that is too long by itself stays whole, since names are there to be copied. */
function wrap(text: string, width: number, continued: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const part of text.split(/(?<=\S) /)) {
    const longer = line === '' ? part : `${line} ${part}`
    if (line !== '' && longer.length > width) {
      lines.push(line)
      line = continued + part
    } else line = longer
  }
  return [...lines, line]
}

function count(n: number, one: string, many = `${one}s`): string {
  return n === 0 ? '' : `${n} ${n === 1 ? one : many}`
}

function isRecord(value: Plain): value is { readonly [name: string]: Plain } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
