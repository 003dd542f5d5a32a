import type { Node } from './node.ts'
import type { Topology } from './topology.ts'

/** The nodes behind a topology's outputs, in topological order, with their names. */
export interface Graph {
  readonly nodes: readonly Node[]
  readonly ids: ReadonlyMap<Node, string>
  /** Nodes that must forward the values their updates replace. */
  readonly wantsOld: ReadonlySet<Node>
}

/** Walks back from the outputs; inputs come before what reads them, branches in the order they were given. */
export function walk(topology: Topology): Graph {
  const nodes: Node[] = []
  const seen = new Set<Node>()
  const visit = (node: Node) => {
    if (seen.has(node)) return
    seen.add(node)
    for (const input of node.inputs) visit(input.node)
    nodes.push(node)
  }
  for (const output of topology.outputs) visit(output)
  return { nodes, ids: nameAll(nodes), wantsOld: askForOld(nodes) }
}

function nameAll(nodes: readonly Node[]): Map<Node, string> {
  const ids = new Map<Node, string>()
  const counts = new Map<string, number>()
  const taken = new Set<string>()
  for (const node of nodes) {
    const given = node.name ?? node.source?.topic ?? node.target?.topic ?? node.sink?.name
    let id = given === undefined ? undefined : `${node.kind}:${given}`
    if (id === undefined || taken.has(id)) {
      const base = id ?? node.kind
      const n = (counts.get(base) ?? (id ? 1 : 0)) + 1
      counts.set(base, n)
      id = `${base}-${n}`
    }
    taken.add(id)
    ids.set(node, id)
  }
  return ids
}

/** A node that needs old values asks its inputs, and they theirs, up to the first that keeps a store. */
function askForOld(nodes: readonly Node[]): Set<Node> {
  const asked = new Set<Node>()
  const ask = (node: Node) => {
    if (asked.has(node)) return
    asked.add(node)
    if (node.stores.length === 0) for (const input of node.inputs) ask(input.node)
  }
  for (const node of nodes) if (node.wantsOld) for (const input of node.inputs) ask(input.node)
  return asked
}
