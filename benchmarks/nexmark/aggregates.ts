import { custom } from 'millrace'

/** The highest, and everything that has it: what SQL finds by joining with a maximum. In the order of the text. */
export function allHighest<V>(by: (value: V) => number, line: (value: V) => string) {
  return custom({
    init: () => ({ highest: Number.NEGATIVE_INFINITY, lines: [] as string[] }),
    add(of, value: V) {
      const rank = by(value)
      if (rank > of.highest) return { highest: rank, lines: [line(value)] }
      if (rank === of.highest && !of.lines.includes(line(value))) of.lines.push(line(value))
      return of
    },
    merge(a, b) {
      if (a.highest !== b.highest) return a.highest > b.highest ? a : b
      return { highest: a.highest, lines: [...new Set([...a.lines, ...b.lines])] }
    },
    result: ({ highest, lines }) => `${highest}: ${[...lines].sort().join(' ')}`,
  })
}

/** The price bands that q16 and q17 count apart. */
export const bandOf = (price: number): 0 | 1 | 2 => (price < 10_000 ? 0 : price < 1_000_000 ? 1 : 2)

/** Number of different ids, in all and in each band. */
export function distinctByBand<V>(idOf: (value: V) => number, priceOf: (value: V) => number) {
  return custom({
    init: () => ({ bands: new Map<number, number>() }),
    add(of, value: V) {
      const id = idOf(value)
      of.bands.set(id, (of.bands.get(id) ?? 0) | (1 << bandOf(priceOf(value))))
      return of
    },
    merge(a, b) {
      for (const [id, bands] of b.bands) a.bands.set(id, (a.bands.get(id) ?? 0) | bands)
      return a
    },
    result({ bands }) {
      const counts = [bands.size, 0, 0, 0]
      for (const of of bands.values()) for (let band = 0; band < 3; band++) if (of & (1 << band)) counts[band + 1]++
      return counts.join(',')
    },
  })
}
