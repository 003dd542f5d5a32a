import { MillraceError } from '../errors.ts'
import type { Node } from './node.ts'

/** The end of a branch of a topology: what `to(…)` gives. Put it into `topology(name, [ … ])`. */
export class Output {
  readonly node: Node
  constructor(node: Node) {
    this.node = node
  }
}

/** What is to run: a name and the graph behind its outputs. Immutable, connected to nothing. */
export interface Topology {
  /** Names the consumer group and is the first part of every internal topic: keep it for the life of the data. */
  readonly name: string
  readonly outputs: readonly Node[]
}

/**
 * Names a graph so that it can be run, described or tested.
 *
 * The name is the identity of the application: its consumer group, and the prefix of its changelog and repartition
 * topics. Throws `INVALID_TOPOLOGY` when it cannot be part of a topic name; everything else that may be wrong is
 * reported, all at once, by `plan`, `run` and the `TopologyDriver`.
 *
 * @example
 * ```ts
 * const cleaned = topology('cleaner', [
 *   stream('raw', { key: string(), value: string() }).pipe(
 *     filter((line) => line !== ''),
 *     to('clean', { key: string(), value: string() }),
 *   ),
 * ])
 * ```
 */
export function topology(name: string, outputs: readonly Output[]): Topology {
  if (!legalName(name)) {
    throw new MillraceError('INVALID_TOPOLOGY', `"${name}" cannot name a topology`, {
      hint: "use letters, digits, '.', '_' and '-': the name becomes part of topic names",
    })
  }
  return Object.freeze({ name, outputs: outputs.map((output) => output.node) })
}

/** What Kafka allows in a topic name (org.apache.kafka.common.internals.Topic): at most 249 of [a-zA-Z0-9._-]. */
export function legalName(name: unknown): name is string {
  return typeof name === 'string' && /^[a-zA-Z0-9._-]{1,200}$/.test(name) && name !== '.' && name !== '..'
}
