import type { Request } from '../../wire/request.ts'
import { WireWriter } from '../../wire/wire-writer.ts'

/** ConfigResource.Type.GROUP of Kafka's clients: how the coordinator treats one group. */
const GROUP = 32
const SET = 0

export type GroupConfig = ReadonlyMap<string, string>

export interface ConfigAnswer {
  readonly error: number
  readonly message: string | null
}

/** DescribeConfigs v4: what holds for the group, be it set for it or for the broker. */
export function describeGroupConfigRequest(
  group: string,
  names: readonly string[],
): Request<ConfigAnswer & { readonly config: GroupConfig }> {
  return {
    apiKey: 32,
    apiName: 'DescribeConfigs',
    apiVersion: 4,
    body: new WireWriter()
      .tags() // ends the header
      .compactArray([group], (w, id) =>
        w
          .int8(GROUP)
          .compactString(id)
          .compactArray(names, (to, name) => to.compactString(name))
          .tags(),
      )
      .boolean(false) // no synonyms
      .boolean(false) // no documentation
      .tags()
      .finish(),
    decode(reader) {
      reader.tags()
      reader.int32() // throttle time
      const [answer] = reader.compactArray((r) => {
        const error = r.int16()
        const message = r.nullableCompactString()
        r.int8() // type
        r.compactString() // group
        const entries = r.compactArray((c) => {
          const entry = [c.compactString(), c.nullableCompactString() ?? ''] as const
          c.boolean() // read-only
          c.int8() // source
          c.boolean() // sensitive
          c.compactArray((s) => {
            s.compactString()
            s.nullableCompactString()
            s.int8()
            s.tags()
          })
          c.int8() // type
          c.nullableCompactString() // documentation
          c.tags()
          return entry
        })
        r.tags()
        return { error, message, config: new Map(entries) }
      })
      return answer
    },
  }
}

/** IncrementalAlterConfigs v1: sets these, and leaves the others as they are. Any broker passes it on to the controller. */
export function setGroupConfigRequest(group: string, config: GroupConfig): Request<ConfigAnswer> {
  return {
    apiKey: 44,
    apiName: 'IncrementalAlterConfigs',
    apiVersion: 1,
    body: new WireWriter()
      .tags() // ends the header
      .compactArray([group], (w, id) =>
        w
          .int8(GROUP)
          .compactString(id)
          .compactArray([...config], (to, [name, value]) =>
            to.compactString(name).int8(SET).compactString(value).tags(),
          )
          .tags(),
      )
      .boolean(false) // do it, do not only validate
      .tags()
      .finish(),
    decode(reader) {
      reader.tags()
      reader.int32() // throttle time
      const [answer] = reader.compactArray((r) => {
        const result = { error: r.int16(), message: r.nullableCompactString() }
        r.int8() // type
        r.compactString() // group
        r.tags()
        return result
      })
      return answer
    },
  }
}
