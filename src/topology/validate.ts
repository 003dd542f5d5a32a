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
    for (const topic of [node.source?.topic, node.target?.topic]) {
      if (topic !== undefined && !legalName(topic)) {
        problems.push(`${node.kind}: "${topic}" is not a topic name; use letters, digits, '.', '_' and '-'`)
      }
    }
  }
  problems.push(...clashes(graph, 'store', (node) => node.stores.map((store) => store.name)))
  problems.push(...clashes(graph, 'repartition', (node) => (node.target?.repartition ? [node.target.topic] : [])))
  return problems
}

function unnamed(node: Node, name: unknown): string {
  return typeof name === 'string' && name !== ''
    ? `${node.kind}: "${name}" cannot name a store; use letters, digits, '.', '_' and '-'`
    : `${node.kind}: it keeps state and needs a name, which is the identity of that state: ${
        node.source ? `${node.kind}('${node.source.topic}', { store: 'my-name', … })` : `${node.kind}('my-name', …)`
      }`
}

function clashes(graph: Graph, what: string, namesOf: (node: Node) => readonly string[]): string[] {
  const owners = new Map<string, Node>()
  const problems: string[] = []
  for (const node of graph.nodes) {
    for (const name of namesOf(node)) {
      const other = owners.get(name)
      if (other && other !== node) {
        problems.push(
          `two ${what}s are named "${name}" (${graph.ids.get(other)}, ${graph.ids.get(node)}): give each a name of its own, or share one constant if they are meant to be the same`,
        )
      } else owners.set(name, node)
    }
  }
  return problems
}
