import { changed } from '../serde/changed.ts'
import { json, string } from '../serde/index.ts'
import type { Serde } from '../serde/serde.ts'
import { type Input, node, out, type Repartition, type Serdes } from '../topology/node.ts'
import { Stream } from '../topology/stream.ts'
import { writeTo } from './write-to.ts'

export interface RepartitionOptions<K, V> {
  /** Default: the serde the keys were read with, or `string()` where they have been changed. */
  readonly key?: Serde<K>
  /** Default: the serde the values were read with, or `json()` where they have been changed. */
  readonly value?: Serde<V>
  /** Default: as many as the topics that are read upstream. */
  readonly partitions?: number
}

/**
 * Sends records through an internal topic, so that all records of a key meet in one task; for a change of parallelism
 * or before a `process` that needs its keys together. Aggregations and joins do this by themselves after a key change.
 *
 * A value that was only filtered, split, merged or given another key since it was read, and is written with the serde that it
 * was read with, crosses as the bytes that it was read from.
 *
 * @ordering Per key and upstream task.
 * @state None: the topic `<application>-<name>-repartition`, trimmed as it is read.
 * @nulls A null key is left out, not counted. Null values cross.
 * @late Nothing is; behind it each upstream task is a lane of time of its own.
 * @kafkaStreams `KStream#repartition`.
 *
 * @marble
 * ```ts
 * words.pipe(selectKey((word) => word), repartition('by-word'))
 * ```
 * ```marbles
 * words | a=x@1 | b=y@2
 * out   | x=x@1 | y=y@2
 * ```
 *
 * @example
 * ```ts
 * events.pipe(selectKey((event) => event.session), repartition('by-session', { partitions: 12 }))
 * ```
 */
export function repartition<K, V>(
  name: string,
  options: RepartitionOptions<K, V> = {},
): (stream: Stream<K, V>) => Stream<K, V> {
  return ({ input, serdes }) => {
    const key = options.key ?? serdes.key
    const value = options.value ?? serdes.value
    return new Stream(
      through(input, name, { key, value }, { partitions: options.partitions }),
      withDefaults({ key, value }),
    )
  }
}

/**
 * What an operator that works by key needs: the input as it is, or repartitioned if its key may have changed.
 *
 * @param changes - what comes are changes of a table's rows
 */
export function partitionedByKey(
  stream: { readonly input: Input; readonly serdes: Serdes; readonly rekeyed: boolean },
  name: string,
  changes = false,
): { readonly input: Input; readonly serdes: Required<Serdes> } {
  const serdes = withDefaults(stream.serdes)
  const written = changes ? { key: serdes.key, value: changed(serdes.value) } : serdes
  return { input: stream.rekeyed ? through(stream.input, name, written) : stream.input, serdes }
}

/** Serdes for what has none declared: keys are strings by type, values plain data. */
function withDefaults({ key = string(), value = json() }: Serdes): Required<Serdes> {
  return { key, value }
}

/** What is written to an internal topic, read again by the next subtopology. */
export function through(input: Input, name: string, serdes: Serdes, repartition: Repartition = {}): Input {
  const { partitions } = repartition
  const { key, value } = withDefaults(serdes)
  return out(
    node({
      kind: 'repartition',
      name,
      inputs: [input],
      parameters: { key: key.format, value: value.format, ...(partitions === undefined ? {} : { partitions }) },
      target: { topic: name, key, value, repartition },
      processor: (context) => {
        const write = writeTo(context, name, { key, value })
        return {
          inputs: [
            (key, value, timestamp) => {
              if (key !== null) write(key, value, timestamp)
            },
          ],
        }
      },
    }),
  )
}
