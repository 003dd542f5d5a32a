import type { GlobalSource } from '../global-table.ts'
import type { Node } from '../node.ts'
import { type PlannedNode, type PlannedSource, plan, repartitionTopic, type Subtopology } from '../plan.ts'
import type { Topology } from '../topology.ts'
import { type Plain, plainParameters } from './plain.ts'

/**
 * A topology and its plan as plain JSON: no functions, no secrets, the same from run to run. Keep one beside a release
 * to `diff` the next one with it.
 */
export interface TopologyDescription {
  /** Name of the application. */
  readonly topology: string
  readonly subtopologies: readonly SubtopologyDescription[]
  readonly topics: readonly TopicDescription[]
  readonly stores: readonly StoreDescription[]
  readonly sinks: readonly SinkDescription[]
}

/** Operators that run together in one task per partition. */
export interface SubtopologyDescription {
  readonly id: number
  /** In topological order: inputs come before what reads them. */
  readonly nodes: readonly NodeDescription[]
  /** Topics whose partitions must correspond one to one. */
  readonly copartitioned?: readonly (readonly string[])[]
}

export interface NodeDescription {
  /** Unique in the topology: 'aggregate:revenue', 'filter-2'. */
  readonly id: string
  /** The operator's public name. */
  readonly operator: string
  readonly inputs: readonly InputDescription[]
  /** Topic it writes. */
  readonly writes?: string
  readonly sink?: string
  readonly stores?: readonly string[]
  readonly parameters?: Readonly<Record<string, Plain>>
}

/** Where records come from: a topic, or another node of the subtopology. */
export type InputDescription =
  | { readonly topic: string }
  /** `output` is set unless it is the main one: 'final' for the final results of windows. */
  | { readonly node: string; readonly output?: string }

export interface TopicDescription {
  readonly topic: string
  /** 'user' topics are yours; the others are made by Millrace. */
  readonly kind: 'user' | 'repartition' | 'changelog'
  /** Subtopologies, by id. */
  readonly readBy: readonly number[]
  readonly writtenBy: readonly number[]
  /** Formats of keys and values, where they are known; several readers may differ. */
  readonly key?: string
  readonly value?: string
  /** Where a number of partitions was asked for. */
  readonly partitions?: number
  /** Every task reads all of it. */
  readonly global?: true
}

export interface StoreDescription {
  readonly store: string
  readonly kind: string
  /** The operator it belongs to, and its subtopology. A global table belongs to none. */
  readonly node?: string
  readonly subtopology?: number
  readonly changelog?: string
  /** Every instance holds all of it. */
  readonly global?: true
  readonly parameters?: Readonly<Record<string, Plain>>
}

export interface SinkDescription {
  readonly sink: string
  readonly kind: string
  readonly mode: 'append' | 'upsert'
  readonly node: string
  readonly subtopology: number
  readonly parameters?: Readonly<Record<string, Plain>>
}

/** Throws `INVALID_TOPOLOGY` listing everything that is wrong with the topology. */
export function descriptionOf(topology: Topology): TopologyDescription {
  const { application, subtopologies, globals } = plan(topology)
  return {
    topology: application,
    subtopologies: subtopologies.map((subtopology) => describeSubtopology(application, subtopology)),
    topics: topicsOf(application, subtopologies),
    stores: [...subtopologies.flatMap(storesOf), ...globals.map(globalStoreOf)],
    sinks: subtopologies.flatMap(sinksOf),
  }
}

function describeSubtopology(application: string, { id, nodes, sources, copartitioned }: Subtopology) {
  return {
    id,
    nodes: nodes.map((planned, index) =>
      describeNode(
        application,
        planned,
        nodes,
        sources.filter((source) => source.index === index),
      ),
    ),
    ...(copartitioned.length > 0 && { copartitioned }),
  }
}

function describeNode(
  application: string,
  { id, node, inputs }: PlannedNode,
  nodes: readonly PlannedNode[],
  sources: readonly PlannedSource[],
): NodeDescription {
  const read = inputs.map(({ index, output }, slot): InputDescription => {
    if (index < 0) return { topic: sources.find((source) => source.input === slot)!.topic }
    return { node: nodes[index].id, ...(output !== 'out' && { output }) }
  })
  const { topic: _, ...parameters } = node.parameters
  return {
    id,
    operator: node.kind,
    inputs: [
      ...(node.source ? [{ topic: node.source.topic }] : []),
      ...read,
      ...(node.globals ?? []).map(({ topic }) => ({ topic })),
    ],
    ...(node.target && { writes: writtenTopic(application, node.target) }),
    ...(node.sink && { sink: node.sink.name }),
    ...(node.stores.length > 0 && { stores: node.stores.map(({ name }) => name) }),
    // A sink's are listed with the sink.
    ...(node.sink === undefined && parametersOf(parameters)),
  }
}

const writtenTopic = (application: string, { topic, repartition }: NonNullable<Node['target']>): string =>
  repartition ? repartitionTopic(application, topic) : topic

function parametersOf(parameters: Readonly<Record<string, unknown>>) {
  const plain = plainParameters(parameters)
  return Object.keys(plain).length > 0 ? { parameters: plain } : {}
}

function topicsOf(application: string, subtopologies: readonly Subtopology[]): TopicDescription[] {
  type Draft = { -readonly [F in keyof TopicDescription]: TopicDescription[F] } & {
    readBy: number[]
    writtenBy: number[]
  }
  const topics = new Map<string, Draft>()
  const draft = (topic: string, kind: TopicDescription['kind']): Draft => {
    const made = topics.get(topic) ?? { topic, kind, readBy: [], writtenBy: [] }
    topics.set(topic, made)
    return made
  }
  const note = (ids: number[], id: number) => {
    if (!ids.includes(id)) ids.push(id)
  }
  for (const { id, sources, nodes, stores } of subtopologies) {
    for (const { topic, from, key, value, global } of sources) {
      const of = draft(topic, from === undefined ? 'user' : 'repartition')
      note(of.readBy, id)
      of.key ??= key?.format
      of.value ??= value?.format
      if (global) of.global = true
    }
    for (const { node } of nodes) {
      for (const { topic, key, value } of node.globals ?? []) {
        const of = draft(topic, 'user')
        note(of.readBy, id)
        of.key ??= key.format
        of.value ??= value.format
        of.global = true
      }
      if (!node.target) continue
      const { key, value, repartition } = node.target
      const of = draft(writtenTopic(application, node.target), repartition ? 'repartition' : 'user')
      note(of.writtenBy, id)
      of.key ??= key?.format
      of.value ??= value?.format
      if (repartition?.partitions !== undefined) of.partitions = repartition.partitions
    }
    for (const { changelog } of stores) if (changelog) note(draft(changelog, 'changelog').writtenBy, id)
  }
  return (['user', 'repartition', 'changelog'] as const).flatMap((kind) =>
    [...topics.values()].filter((topic) => topic.kind === kind),
  )
}

function storesOf({ id, nodes, stores }: Subtopology): StoreDescription[] {
  return stores.map(({ spec, changelog }) => ({
    store: spec.name,
    kind: spec.kind,
    node: nodes.find(({ node }) => node.stores.includes(spec))!.id,
    subtopology: id,
    ...(changelog !== undefined && { changelog }),
    ...parametersOf(spec.parameters),
  }))
}

function globalStoreOf({ spec }: GlobalSource): StoreDescription {
  return { store: spec.name, kind: spec.kind, global: true, ...parametersOf(spec.parameters) }
}

function sinksOf({ id, nodes }: Subtopology): SinkDescription[] {
  return nodes.flatMap(({ id: nodeId, node: { sink } }) =>
    sink === undefined
      ? []
      : [
          {
            sink: sink.name,
            kind: sink.kind,
            mode: sink.mode,
            node: nodeId,
            subtopology: id,
            ...parametersOf(sink.parameters),
          },
        ],
  )
}
