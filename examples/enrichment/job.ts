import {
  avro,
  hours,
  join,
  mapAsync,
  type SinkDefinition,
  seconds,
  stream,
  string,
  type Topology,
  table,
  through,
  to,
  topology,
} from 'millrace'
import { schema } from '../common/schemas.ts'
import type { Enriched, Product, Transaction, User } from './model.ts'

/** How much later than a transaction a change of its user may come and still be seen. */
export const GRACE = seconds(10)
/** How far back a late transaction finds the user as it was. */
const HISTORY = hours(2)

export const serdes = {
  transactions: avro<Transaction>(schema('transaction')),
  users: avro<User>(schema('user')),
  enriched: { key: string(), value: avro<Enriched>(schema('enriched-transaction')) },
}

/** Asks for a product. Throws `RejectedRecord` when there is none, anything else when it is worth another try. */
export type LookUp = (product: number, signal: AbortSignal) => Promise<Product>

/** Transactions with their user as of their time, and with their product, which a slow service knows. */
export function enrichment(lookUp: LookUp, sink: SinkDefinition<string, Enriched>, name = 'enrichment'): Topology {
  const transactions = stream(`${name}-transactions`, { key: string(), value: serdes.transactions })
  // Versioned: a transaction that is an hour late, or read again next week, still meets the user of its own time.
  const users = table(`${name}-users`, {
    key: string(),
    value: serdes.users,
    store: 'users',
    historyRetention: HISTORY,
  })

  const enriched = transactions.pipe(
    // A plain join would take whatever row is there at the moment. With grace, a transaction waits for changes that
    // come a little out of order.
    join('users-then', users, (of, { country, segment }) => ({ ...of, country, segment }), { grace: GRACE }),
    mapAsync(
      async ({ product_id, transaction_id, amount, country, segment }, user_id, { signal }): Promise<Enriched> => {
        const { name, vat } = await lookUp(product_id, signal)
        return { transaction_id, user_id, amount, country, segment, product: name, vat }
      },
      // In order per user, so that one slow answer holds up one user. A lookup changes nothing: it may be repeated,
      // after an error here and after a crash.
      { concurrency: 64, ordered: 'key', timeout: seconds(2), retry: { times: 5 } },
    ),
    // The order between users differs from run to run. A lake recognises a batch that is written again by its order:
    // the topic fixes it.
    through(`${name}-enriched`, serdes.enriched),
  )

  return topology(name, [enriched.pipe(to(sink))])
}
