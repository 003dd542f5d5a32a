import { MillraceError } from '../errors.ts'
import type { GlobalSource } from './global-table.ts'
import { type Graph, walk } from './graph.ts'
import type { AnySerde, Input, Node } from './node.ts'
import type { StoreSpec } from './store-spec.ts'
import type { Topology } from './topology.ts'
import { problemsOf } from './validate.ts'

/** What a topology becomes before it runs: subtopologies cut at repartitions, with stable names for everything. */
export interface Plan {
  readonly application: string
  readonly subtopologies: readonly Subtopology[]
  /** Topics that every instance reads whole, beside its tasks. */
  readonly globals: readonly GlobalSource[]
}

/** Nodes that run together in one task per partition. */
export interface Subtopology {
  readonly id: number
  /** In topological order: inputs come before what reads them. */
  readonly nodes: readonly PlannedNode[]
  readonly sources: readonly PlannedSource[]
  readonly stores: readonly PlannedStore[]
  /** Topics whose partitions must correspond one to one. */
  readonly copartitioned: readonly (readonly string[])[]
}

export interface PlannedNode {
  /** Unique in the plan, stable from run to run: 'aggregate:revenue', 'filter-2'. */
  readonly id: string
  readonly node: Node
  /** Indexes into the subtopology's nodes; -1 where the input arrives through a repartition topic (see `sources`). */
  readonly inputs: readonly { readonly index: number; readonly output: string }[]
  /** Topics whose records reach this node as they came; empty behind an operator that emits results of its own. */
  readonly topics: readonly string[]
  /** The values that updates replace are needed downstream. */
  readonly wantsOld: boolean
}

export interface PlannedSource {
  readonly topic: string
  /** Index of the node that takes the records in, and which of its inputs. */
  readonly index: number
  readonly input: number
  readonly key?: AnySerde
  readonly value?: AnySerde
  /** See `SourceOptions.idleAfter`. */
  readonly idleAfter?: number
  /** The topic is written by a subtopology of this application, which is its id; it may be the same one. */
  readonly from?: number
  readonly global: boolean
}

export interface PlannedStore {
  readonly spec: StoreSpec
  readonly changelog: string | undefined
}

/** `<application>-<store>-changelog`, as Kafka Streams names it. */
const changelogTopic = (application: string, store: string): string => `${application}-${store}-changelog`

/** `<application>-<name>-repartition`, as Kafka Streams names it. */
export const repartitionTopic = (application: string, name: string): string => `${application}-${name}-repartition`

/**
 * Plans a topology. Pure: needs no log and no registry. The same topology always gives the same plan, and names of
 * stores and topics depend on the names that the user gave alone.
 *
 * Throws `INVALID_TOPOLOGY` listing every problem with the way out of each.
 */
export function plan(topology: Topology): Plan {
  const graph = walk(topology)
  const problems = problemsOf(topology, graph)
  if (problems.length) {
    throw new MillraceError(
      'INVALID_TOPOLOGY',
      `topology "${topology.name}" cannot run:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
    )
  }
  const groups = groupsOf(graph, ({ stores }) => stores)
  const owner = ownersOf(groups)
  refuseSharedStores(graph, owner)
  return {
    application: topology.name,
    globals: [...new Set(graph.nodes.flatMap((node) => node.globals ?? []))],
    subtopologies: groups.map((members, id) => subtopology(topology.name, graph, members, id, owner)),
  }
}

/**
 * A store that is shared across a repartition makes its reader and its writer one subtopology, which Kafka Streams allows:
 * what looks like one state is another in each task. Without a store between them they may well be one: a stream that is
 * joined with itself under another key comes back to where it came from.
 */
function refuseSharedStores(graph: Graph, owner: ReadonlyMap<Node, number>): void {
  const apart = ownersOf(groupsOf(graph, () => []))
  for (const node of graph.nodes) {
    const loop = node.inputs.find(
      ({ node: from }) =>
        from.target?.repartition &&
        owner.get(from) === owner.get(node) &&
        apart.get(from) !== apart.get(node) &&
        !from.target.repartition.follows,
    )
    if (!loop) continue
    throw new MillraceError('INVALID_TOPOLOGY', 'a store is shared by operators before and behind a repartition', {
      node: graph.ids.get(loop.node),
      hint: 'give each side a store of its own: the records of a key may be in different tasks on the two sides',
    })
  }
}

function ownersOf(groups: readonly (readonly Node[])[]): Map<Node, number> {
  return new Map(groups.flatMap((members, id) => members.map((node) => [node, id])))
}

/**
 * Connected parts, where an edge out of a repartition does not connect, and two readers of one topic do, and two users of
 * one store.
 */
function groupsOf(graph: Graph, storesOf: (node: Node) => readonly StoreSpec[]): Node[][] {
  const parent = new Map<Node, Node>(graph.nodes.map((node) => [node, node]))
  const root = (node: Node): Node => {
    const up = parent.get(node)!
    if (up === node) return node
    const top = root(up)
    parent.set(node, top)
    return top
  }
  const unite = (a: Node, b: Node) => parent.set(root(a), root(b))
  const readers = new Map<string, Node>()
  const owners = new Map<StoreSpec, Node>()
  for (const node of graph.nodes) {
    // Operators that share a store run in one task, as in Kafka Streams (connectProcessorAndStateStores).
    for (const store of storesOf(node)) {
      const owner = owners.get(store)
      if (owner) unite(owner, node)
      else owners.set(store, node)
    }
    for (const { node: input } of node.inputs) if (input.target === undefined) unite(input, node)
    const shared = node.source?.topic ?? repartitionInput(node)
    if (shared === undefined || node.source?.global) continue
    const first = readers.get(shared)
    if (first) unite(first, node)
    else readers.set(shared, node)
  }
  const groups = new Map<Node, Node[]>()
  for (const node of graph.nodes) {
    const top = root(node)
    const members = groups.get(top)
    if (members) members.push(node)
    else groups.set(top, [node])
  }
  return [...groups.values()]
}

/** What is behind a topic of the user's (`through`) reads the topic: it is in the graph with its writer, and planned apart. */
const throughNoTopicOfTheUsers = ({ node }: Input): boolean =>
  node.target === undefined || node.target.repartition !== undefined

function repartitionInput(node: Node): string | undefined {
  const through = node.inputs.find((input) => input.node.target?.repartition)
  return through && `repartition:${through.node.target!.topic}`
}

function subtopology(
  application: string,
  graph: Graph,
  members: readonly Node[],
  id: number,
  owner: ReadonlyMap<Node, number>,
): Subtopology {
  const index = new Map(members.map((node, i) => [node, i]))
  const nodes: PlannedNode[] = []
  const sources: PlannedSource[] = []
  const copartitioned: string[][] = []
  /** Topics by which the records of each node are partitioned, whatever happened to their time. */
  const located: Set<string>[] = []
  for (const node of members) {
    const topics = new Set<string>()
    const partitionedLike = new Set<string>()
    if (node.source) {
      const { topic, key, value, global = false, idleAfter } = node.source
      sources.push({ topic, index: nodes.length, input: 0, key, value, global, ...(idleAfter && { idleAfter }) })
      topics.add(topic)
      partitionedLike.add(topic)
    }
    const inputs = node.inputs.filter(throughNoTopicOfTheUsers).map(({ node: input, output }, slot) => {
      if (input.target?.repartition) {
        const { key, value } = input.target
        const topic = repartitionTopic(application, input.target.topic)
        sources.push({ topic, index: nodes.length, input: slot, key, value, from: owner.get(input)!, global: false })
        topics.add(topic)
        partitionedLike.add(topic)
        return { index: -1, output }
      }
      const at = index.get(input)!
      if (!input.emitsResults) for (const topic of nodes[at].topics) topics.add(topic)
      for (const topic of located[at]) partitionedLike.add(topic)
      return { index: at, output }
    })
    located.push(partitionedLike)
    // Behind a merge, too: the records of a key must meet in one task where something is kept for the key.
    const meet = node.stores.length > 0 && partitionedLike.size > 1
    if (node.copartitioned || meet) copartitioned.push([...partitionedLike])
    nodes.push({ id: graph.ids.get(node)!, node, inputs, topics: [...topics], wantsOld: graph.wantsOld.has(node) })
  }
  const specs = new Set(members.flatMap((node) => node.stores))
  for (const spec of specs) {
    const sharing = [...nodes.keys()].filter((i) => nodes[i].node.stores.includes(spec))
    if (sharing.length > 1) copartitioned.push([...new Set(sharing.flatMap((i) => [...located[i]]))])
  }
  const stores = [...specs].map((spec) => ({
    spec,
    changelog: spec.changelog ? changelogTopic(application, spec.name) : undefined,
  }))
  return { id, nodes, sources, stores, copartitioned }
}
