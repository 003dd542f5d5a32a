import type { Graph } from './graph.ts'
import type { Node } from './node.ts'
import { legalName, type Topology } from './topology.ts'

/** Everything that is wrong with a topology, each with what to do about it; empty when it can run. */
export function problemsOf(topology: Topology, graph: Graph): string[] {
  const problems: string[] = []
  if (topology.outputs.length === 0) {
    problems.push('it has no outputs: end at least one stream with to(…) and put it into the list')
  }
  for (const node of graph.nodes) {
    for (const problem of node.problems ?? []) problems.push(`${graph.ids.get(node)}: ${problem}`)
    for (const store of node.stores) {
      if (!legalName(store.name)) problems.push(unnamed(node, store.name))
    }
    for (const { topic, spec } of node.globals ?? []) {
      if (!legalName(spec.name))
        problems.push(
          `globalTable: "${spec.name}" cannot name a store: globalTable('${topic}', { store: 'my-name', … })`,
        )
    }
    for (const topic of [node.source?.topic, node.target?.topic]) {
      if (topic !== undefined && !legalName(topic)) {
        problems.push(`${node.kind}: "${topic}" is not a topic name; use letters, digits, '.', '_' and '-'`)
      }
    }
  }
  problems.push(
    ...clashes(graph, 'store', (node) => [
      ...node.stores.map((store) => [store.name, store] as const),
      ...(node.globals ?? []).map(({ spec }) => [spec.name, spec] as const),
    ]),
  )
  problems.push(
    ...clashes(graph, 'repartition', (node) => (node.target?.repartition ? [[node.target.topic, node]] : [])),
  )
  // Those that keep or write something have been told already.
  problems.push(
    ...clashes(graph, 'operator', (node) =>
      node.name === undefined || node.stores.length > 0 || node.target ? [] : [[`${node.kind}:${node.name}`, node]],
    ),
  )
  problems.push(...unrepeatable(graph))
  return problems
}

/**
 * An append sink replays a range after a crash and must be given the same rows again (see `SinkDefinition`); what
 * depends on the wall clock or on the speed of answers is not the same. Behind a topic it is: the topic keeps it.
 */
function unrepeatable(graph: Graph): string[] {
  const cause = new Map<Node, Node>()
  const problems: string[] = []
  /** Behind a source that may become idle: what waits for time there comes out at a moment of the wall clock. */
  const idle = new Set<Node>()
  const reasonOf = (node: Node, inputs: Node['inputs']): Node | undefined => {
    if (node.unrepeatable !== undefined) return node
    if (idle.has(node) && node.stores.length > 0 && !node.recordsOnly) return node
    return inputs.map((input) => cause.get(input.node)).find(Boolean)
  }
  for (const node of graph.nodes) {
    const inputs = node.inputs.filter((input) => input.node.target === undefined)
    if (node.source?.idleAfter !== undefined) idle.add(node)
    else if (inputs.some((input) => idle.has(input.node))) idle.add(node)
    const from = reasonOf(node, inputs)
    if (!from) continue
    cause.set(node, from)
    if (node.sink?.mode === 'append') {
      problems.push(
        `${graph.ids.get(node)}: its rows come from ${graph.ids.get(from)}, whose results a replay does not repeat in the same order (${from.unrepeatable ?? 'idleAfter'}): write them to a topic with to(…), and read that topic into the sink`,
      )
    }
  }
  return problems
}

function unnamed(node: Node, name: unknown): string {
  return typeof name === 'string' && name !== ''
    ? `${node.kind}: "${name}" cannot name a store; use letters, digits, '.', '_' and '-'`
    : `${node.kind}: it keeps state and needs a name, which is the identity of that state: ${
        node.source ? `${node.kind}('${node.source.topic}', { store: 'my-name', … })` : `${node.kind}('my-name', …)`
      }`
}

type Named = readonly [name: string, identity: object]

function clashes(graph: Graph, what: string, namesOf: (node: Node) => readonly Named[]): string[] {
  const owners = new Map<string, { readonly node: Node; readonly identity: object }>()
  const problems: string[] = []
  for (const node of graph.nodes) {
    for (const [name, identity] of namesOf(node)) {
      const other = owners.get(name)
      if (other && other.identity !== identity) {
        problems.push(
          `two ${what}s are named "${name}" (${graph.ids.get(other.node)}, ${graph.ids.get(node)}): give each a name of its own, or share one constant if they are meant to be the same`,
        )
      } else owners.set(name, { node, identity })
    }
  }
  return problems
}
