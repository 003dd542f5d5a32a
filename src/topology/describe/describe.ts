import type { Topology } from '../topology.ts'
import { descriptionOf, type TopologyDescription } from './description.ts'
import { toMermaid } from './mermaid.ts'
import { toText } from './text.ts'

/** A topology in the three forms that `describe` gives. */
export interface Description {
  /** For people, at 80 columns. */
  readonly text: string
  /** For programs, and for `diff`: plain data, without functions and secrets. */
  readonly json: TopologyDescription
  /** A flowchart for a README or a pull request. */
  readonly mermaid: string
}

/**
 * What a topology will run as: subtopologies, topics, stores and sinks with the names that they have on the log.
 *
 * Needs no log and no registry, and connects to nothing. The same topology always gives the same description. Throws
 * `INVALID_TOPOLOGY` with everything that is wrong, as `run` would. Kafka Streams: `Topology#describe`.
 *
 * @example
 * ```ts
 * const upper = topology('upper', [
 *   stream('lines', { key: string(), value: string() }).pipe(
 *     mapValues((line) => line.toUpperCase()),
 *     to('shouted', { key: string(), value: string() }),
 *   ),
 * ])
 * console.log(describe(upper).text)
 * ```
 */
export function describe(topology: Topology): Description {
  const json = descriptionOf(topology)
  return { json, text: toText(json), mermaid: toMermaid(json) }
}
