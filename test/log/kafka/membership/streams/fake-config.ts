import { WireWriter } from '../../../../../src/log/kafka/wire/wire-writer.ts'
import type { Handler } from '../fake-broker.ts'
import { answer, finished } from '../fake-offsets.ts'

/** What a cluster says of its features and of the configuration of a group. */
export function fakeConfig() {
  const config = new Map([
    ['streams.session.timeout.ms', '45000'],
    ['streams.heartbeat.interval.ms', '5000'],
    ['streams.num.standby.replicas', '0'],
  ])
  const features = new Map([['streams.version', 1]])
  /** Changes of the configuration are refused with this code. */
  const refusal = { error: 0 }

  const handlers: Record<string, Handler> = {
    ApiVersions() {
      const tag = new WireWriter().compactArray([...features], (w, [name, level]) =>
        w.compactString(name).int16(level).int16(level).tags(),
      )
      const bytes = tag.finish()
      return new WireWriter()
        .int16(0)
        .compactArray([], () => {})
        .int32(0)
        .uvarint(1)
        .uvarint(2)
        .uvarint(bytes.length)
        .raw(bytes)
        .finish()
    },
    DescribeConfigs(reader) {
      const [names] = reader.compactArray((r) => {
        r.int8()
        r.compactString()
        const keys = r.compactArray((key) => key.compactString())
        r.tags()
        return keys
      })
      const found = names.flatMap((name) => (config.has(name) ? [[name, config.get(name)!] as const] : []))
      const writer = answer().compactArray(['group'], (w, group) =>
        w
          .int16(0)
          .compactString(null)
          .int8(32)
          .compactString(group)
          .compactArray(found, (c, [name, value]) => {
            c.compactString(name).compactString(value).boolean(false).int8(5).boolean(false)
            c.compactArray([], () => {})
            c.int8(3).compactString(null).tags()
          })
          .tags(),
      )
      return finished(writer)
    },
    IncrementalAlterConfigs(reader) {
      const changes = reader.compactArray((r) => {
        r.int8()
        r.compactString()
        const entries = r.compactArray((c) => {
          const name = c.compactString()
          c.int8()
          const value = c.compactString()
          c.tags()
          return [name, value] as const
        })
        r.tags()
        return entries
      })
      const { error } = refusal
      if (error === 0) for (const [name, value] of changes.flat()) config.set(name, value)
      const writer = answer().compactArray(['group'], (w, group) =>
        w
          .int16(error)
          .compactString(error ? 'no' : null)
          .int8(32)
          .compactString(group)
          .tags(),
      )
      return finished(writer)
    },
  }
  return { config, features, refusal, handlers }
}
