import {
  aggregate,
  avro,
  count,
  deduplicate,
  groupByKey,
  mapValues,
  merge,
  minutes,
  type Rejected,
  type SinkDefinition,
  stream,
  string,
  sum,
  type Topology,
  to,
  topology,
  toStream,
  tumbling,
  validate,
  type Windowed,
  windowed,
  windowedBy,
} from 'millrace'
import { schema } from '../common/schemas.ts'
import { type CleanOrder, cleanOrder, type QualityScore, type RawOrder, type RejectedOrder } from './model.ts'

export const WINDOW = minutes(1)

export const serdes = {
  orders: avro<RawOrder>(schema('raw-order')),
  clean: { key: string(), value: avro<CleanOrder>(schema('clean-order')) },
  rejected: { key: string(), value: avro<RejectedOrder>(schema('rejected-order')) },
  scores: { key: windowed(string(), { size: WINDOW }), value: avro<QualityScore>(schema('quality-score')) },
}

export interface QualitySinks {
  readonly rejected: SinkDefinition<string, RejectedOrder>
  readonly scores: SinkDefinition<Windowed<string>, QualityScore>
}

/** Orders of partners are checked; what is wrong is set aside with its reasons; a score says who sends what. */
export function quality(sinks: QualitySinks, name = 'quality'): Topology {
  const orders = stream(`${name}-orders`, { key: string(), value: serdes.orders }).pipe(
    // Before the checks, or a bad order that is sent twice would be bad twice. One without an id is nobody's copy.
    deduplicate('orders-once', { by: (order) => order.order_id || null, within: minutes(10) }),
  )

  // First each field by itself, with any Standard Schema: zod here, valibot or arktype as well.
  const fields = orders.pipe(validate(cleanOrder))
  // Then what must hold between them; only here, since it makes sense only of fields that are right.
  const rules = fields.valid.pipe(
    validate({
      'total is not quantity times price': ({ quantity, price, total }) =>
        Math.round(total * 100) === quantity * Math.round(price * 100),
      'more than 10,000': ({ total }) => total <= 10_000,
    }),
  )

  const clean = rules.valid
  const rejected = fields.rejected.pipe(mapValues(rejectedOrder), merge(rules.rejected.pipe(mapValues(rejectedOrder))))

  const scores = clean.pipe(
    mapValues(() => true),
    merge(rejected.pipe(mapValues(() => false))),
    groupByKey(),
    windowedBy(tumbling(WINDOW, { grace: minutes(1) })),
    aggregate('scores', { orders: count(), clean: sum((ok) => Number(ok)) }),
    mapValues(({ orders, clean }): QualityScore => ({ orders, clean, score: clean / orders })),
    toStream(),
  )

  return topology(name, [
    clean.pipe(to(`${name}-clean`, serdes.clean)),
    rejected.pipe(to(`${name}-rejected`, serdes.rejected)),
    rejected.pipe(to(sinks.rejected)),
    scores.pipe(to(`${name}-scores`, serdes.scores)),
    scores.pipe(to(sinks.scores)),
  ])
}

const rejectedOrder = ({ value, reasons }: Rejected<RawOrder | CleanOrder>): RejectedOrder => ({
  order_id: value.order_id,
  reasons: reasons.map(({ path, message }) => (path ? `${path}: ${message}` : message)),
  order: JSON.stringify(value),
})
