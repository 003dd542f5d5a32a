import {
  aggregate,
  avro,
  first,
  groupBy,
  groupByKey,
  hopping,
  lateTo,
  map,
  minutes,
  output,
  process,
  type SinkDefinition,
  stream,
  string,
  sum,
  type Topology,
  to,
  topK,
  topology,
  tumbling,
  untilWindowCloses,
  type Windowed,
  windowed,
  windowedBy,
} from 'millrace'
import { schema } from '../common/schemas.ts'
import type { ProductSales, Sale, Trend } from './model.ts'

export const WINDOW = minutes(10)
export const ADVANCE = minutes(2)
export const GRACE = minutes(1)
export const TOP = 10

export const serdes = {
  sales: avro<Sale>(schema('sale')),
  trends: { key: windowed(string(), { size: WINDOW }), value: avro<Trend>(schema('trend')) },
}

/** The ten products of each category that sold best in the last ten minutes, every two minutes. */
export function trending(sink: SinkDefinition<Windowed<string>, Trend>, name = 'trending'): Topology {
  const sales = stream(`${name}-sales`, { key: string(), value: serdes.sales })

  // First per product, which spreads the work over all partitions; then the best of each category.
  const sold = sales.pipe(
    groupBy((sale) => sale.product_id),
    windowedBy(hopping(WINDOW, { advance: ADVANCE, grace: GRACE })),
    aggregate('sold', { category: first((sale) => sale.category), sold: sum((sale) => sale.quantity) }),
  )

  const trends = sold.pipe(
    // Each product once per window. With updates, one that was among the ten could stay there with an old count.
    untilWindowCloses(),
    // A window of ten minutes is known by its last two: put there in time, each of the tumbling windows that follow
    // holds the results of one hopping window.
    process('by-category', { output: output<string, ProductSales>() }, ({ forward }) => ({
      process({ category, sold }, { key: product_id, window }) {
        forward(category!, { product_id, sold: sold! }, { timestamp: window.end - 1 })
      },
    })),
    groupByKey(),
    windowedBy(tumbling(ADVANCE)),
    topK('top-ten', TOP, rank),
    untilWindowCloses(),
    map((products, { key, window: { end } }): [Windowed<string>, Trend] => [
      { key, window: { start: end - WINDOW, end } },
      { products },
    ]),
  )

  return topology(name, [
    trends.pipe(to(`${name}-trends`, serdes.trends)),
    trends.pipe(to(sink)),
    // A sale that is in no window any more is not lost without a trace.
    sold.pipe(lateTo(`${name}-late-sales`, { key: string(), value: serdes.sales })),
  ])
}

/** More sales first; of as many, by name, so that the ranking does not depend on which partition was faster. */
export const rank = ({ sold, product_id }: ProductSales): number => sold * 10_000 - Number(product_id.split('-')[1])
