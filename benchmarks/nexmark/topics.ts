import { avro, type Serde, string } from 'millrace'
import { memoryRegistry } from 'millrace/avro'
import type { ByteWriter } from 'millrace/testing'
import { load } from '../suite/topics.ts'
import type { InputTopic } from '../transactions/inputs.ts'
import { type Auction, type Bid, events, type NexmarkEvent, type Person } from './generate.ts'

const record = (name: string, fields: Readonly<Record<string, string>>) => ({
  type: 'record',
  name,
  namespace: 'nexmark',
  fields: Object.entries(fields).map(([field, type]) => ({ name: field, type })),
})

const schemas = {
  persons: record('Person', {
    id: 'long',
    name: 'string',
    email: 'string',
    city: 'string',
    state: 'string',
    date_time: 'long',
  }),
  auctions: record('Auction', {
    id: 'long',
    item: 'string',
    initial_bid: 'long',
    reserve: 'long',
    date_time: 'long',
    expires: 'long',
    seller: 'long',
    category: 'long',
  }),
  bids: record('Bid', {
    auction: 'long',
    bidder: 'long',
    price: 'long',
    channel: 'string',
    url: 'string',
    date_time: 'long',
  }),
}

/** Ids 1 to 3, in this order. */
export const registry = () => memoryRegistry(Object.entries(schemas).map(([subject, schema]) => ({ subject, schema })))

export const personSerde = avro<Person>(schemas.persons, { subject: 'persons' })
export const auctionSerde = avro<Auction>(schemas.auctions, { subject: 'auctions' })
export const bidSerde = avro<Bid>(schemas.bids, { subject: 'bids' })

function* only<T>(n: number, seed: number, kind: NexmarkEvent['kind']): Generator<T> {
  for (const event of events(n, seed)) if (event.kind === kind) yield event.of as T
}

function topic<T extends { readonly date_time: number }>(
  name: string,
  kind: NexmarkEvent['kind'],
  serde: Serde<T>,
  key: (of: T) => number,
): InputTopic {
  return {
    name: `nexmark-${name}`,
    records: (n, seed) => {
      let count = 0
      for (const event of events(n, seed)) if (event.kind === kind) count++
      return count
    },
    fill(log, to, n, seed) {
      const keys = string().open({ topic: name, part: 'key' })
      const values = serde.open({ topic: name, part: 'value', registry: registry() })
      return load(log, to, only<T>(n, seed, kind), (of, keyBytes: ByteWriter, valueBytes: ByteWriter) => {
        keys.encode(String(key(of)), keyBytes)
        values.encode(of, valueBytes)
        return of.date_time
      })
    },
  }
}

/** Keyed by their id. */
export const personsInput = topic('persons', 'person', personSerde, ({ id }) => id)
export const auctionsInput = topic('auctions', 'auction', auctionSerde, ({ id }) => id)
/** Keyed by their auction. */
export const bidsInput = topic('bids', 'bid', bidSerde, ({ auction }) => auction)
