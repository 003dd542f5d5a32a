import type { Serde } from '../serde/serde.ts'
import type { SinkDefinition } from '../sinks/sink.ts'
import type { GlobalSource } from './global-table.ts'
import type { ProcessorFactory } from './processor.ts'
import type { StoreSpec } from './store-spec.ts'

/** Serdes of a stream where they are known; they travel along as long as the type does not change. */
// biome-ignore lint/suspicious/noExplicitAny: a node does not know its types; Stream<K, V> does
export type AnySerde = Serde<any>

export interface Serdes {
  readonly key?: AnySerde
  readonly value?: AnySerde
}

/** One of a node's inputs: another node, and which of its outputs ('out' but for branches and side outputs). */
export interface Input {
  readonly node: Node
  readonly output: string
}

/**
 * A node of the graph that the user describes: pure data, and the recipe of its processor. Nodes point at their
 * inputs; the graph is found by walking back from the outputs of the topology.
 */
export interface Node {
  /** 'stream', 'filter', 'aggregate', 'to' … the operator's public name. */
  readonly kind: string
  /** The user's name; required where `stores` are kept, since it is the identity of state and topics. */
  readonly name?: string
  readonly inputs: readonly Input[]
  /** For `describe` and the plan: plain JSON, no secrets, no functions. */
  readonly parameters: Readonly<Record<string, unknown>>
  readonly stores: readonly StoreSpec[]
  readonly processor: ProcessorFactory
  /** Reads this topic. */
  readonly source?: SourceTopic
  /** Writes this topic; for a repartition, the topic is internal and read again by the next subtopology. */
  readonly target?: TargetTopic
  readonly sink?: SinkDefinition<never, never>
  /** Global tables that it looks into. */
  readonly globals?: readonly GlobalSource[]
  /** Partitions of the inputs must correspond (joins): checked in the plan and at start. */
  readonly copartitioned?: boolean
  /** Old values of its inputs are needed: what keeps them must forward them. */
  readonly wantsOld?: boolean
  /** Results of its own (not the record that came in): what follows has one lane of time. */
  readonly emitsResults?: boolean
  /** Why a replay may give its results otherwise ('wall-clock timers' …); append sinks need them the same. */
  readonly unrepeatable?: string
  /** It keeps state, but hands on records only when they come: nothing comes out of it because time has passed. */
  readonly recordsOnly?: boolean
  /** Hands on, in its turn, each record with the value that it came with, or not at all. */
  readonly keepsValues?: boolean
  /** What is wrong with it, found while it was made; the plan reports all at once. */
  readonly problems?: readonly string[]
}

export interface SourceTopic {
  readonly topic: string
  readonly key?: AnySerde
  readonly value?: AnySerde
  /** See `SourceOptions.idleAfter`. */
  readonly idleAfter?: number
  /** Every task reads all partitions (global tables). */
  readonly global?: boolean
}

export interface TargetTopic {
  readonly topic: string
  readonly key?: AnySerde
  readonly value?: AnySerde
  /** Made and trimmed by Millrace; `topic` is then the last part of its name. */
  readonly repartition?: Repartition
}

export interface Repartition {
  readonly partitions?: number
  /** Has as many partitions as what it is joined with has anyway. */
  readonly follows?: true
}

const NOTHING: Pick<Node, 'inputs' | 'parameters' | 'stores'> = { inputs: [], parameters: {}, stores: [] }

/** A node with what is usually empty filled in. */
export function node(fields: Pick<Node, 'kind' | 'processor'> & Partial<Node>): Node {
  return Object.freeze({ ...NOTHING, ...fields })
}

/** The usual input: the main output of a node. */
export const out = (of: Node, output = 'out'): Input => ({ node: of, output })
