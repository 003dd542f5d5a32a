import type { Aggregate, AggregateRecord, Results } from './aggregate.ts'

export function combine<V, S extends AggregateRecord<V>>(fields: S): Aggregate<V, unknown[], Results<S>> {
  const names = Object.keys(fields)
  const parts = names.map((name) => fields[name])
  return {
    kind: `{ ${names.join(', ')} }`,
    init: () => parts.map((part) => part.init()),
    add(all, value, timestamp) {
      for (let i = 0; i < parts.length; i++) all[i] = parts[i].add(all[i], value, timestamp)
      return all
    },
    result: (all) => Object.fromEntries(names.map((name, i) => [name, parts[i].result(all[i])])) as Results<S>,
    clone: (all) => all.map((one, i) => parts[i].clone?.(one) ?? structuredClone(one)),
    state: {
      encode(all, out) {
        parts.forEach((part, i) => {
          const at = out.position
          out.int32(0)
          part.state.encode(all[i], out)
          out.view.setInt32(at, out.position - at - 4)
        })
      },
      decode(source, start) {
        let p = start
        return parts.map((part) => {
          const length = source.view.getInt32(p)
          const value = part.state.decode(source, p + 4, p + 4 + length)
          p += 4 + length
          return value
        })
      },
    },
  }
}
