/**
 * The queries of Nexmark as topologies: each gives lines of text, by key, of which the last counts.
 *
 * Left out: q6 (the mean of the last ten winning bids of a seller, each of which may still change: a list from which a table
 * takes back by order, which no aggregate here can), q10 (writes files: see the workload `lake-sink`) and q12 (windows of
 * processing time: its result is the clock's).
 */
import {
  aggregate,
  argMax,
  count,
  distinct,
  filter,
  foreignKeyJoin,
  groupBy,
  groupByKey,
  hopping,
  join,
  joinWindows,
  json,
  map,
  mapValues,
  max,
  mean,
  min,
  type Stream,
  seconds,
  selectKey,
  session,
  stream,
  string,
  sum,
  table,
  topK,
  toStream,
  tumbling,
  windowedBy,
  within,
} from 'millrace'
import type { JobNames } from '../suite/job.ts'
import type { InputTopic } from '../transactions/inputs.ts'
import { type Auction, type Bid, LONGEST_AUCTION } from './generate.ts'
import { auctionSerde, auctionsInput, bidSerde, bidsInput, personSerde, personsInput } from './topics.ts'

export interface Query {
  readonly summary: string
  readonly inputs: readonly InputTopic[]
  /** From the topics of the inputs, in their order, to lines by key. */
  build(topics: JobNames['inputs']): Stream<string, string | null>
}

const WINDOW = seconds(10)
const SIDE_INPUT = new Map(Array.from({ length: 100 }, (_, i) => [i, `side-${i}`]))

const bids = (topic: string) => stream(topic, { key: string(), value: bidSerde })
const auctions = (topic: string) => stream(topic, { key: string(), value: auctionSerde })
const persons = (topic: string) => stream(topic, { key: string(), value: personSerde })
/** Bids have no key of their own: one that is the same for no two. */
const bidKey = ({ bidder, date_time }: Bid) => `${bidder}-${date_time}`

/** Bids with their auction, while it was open. */
const bidsInTime = (auctionTopic: string, bidTopic: string) =>
  auctions(auctionTopic).pipe(
    join(
      'open',
      bids(bidTopic),
      (auction, bid) => ({ auction, bid }),
      joinWindows({ before: 0, after: LONGEST_AUCTION }),
    ),
    filter(({ auction, bid }) => bid.date_time <= auction.expires),
  )

/** The highest bid of each auction, the earliest of equals. */
const winningBids = (auctionTopic: string, bidTopic: string) =>
  bidsInTime(auctionTopic, bidTopic).pipe(
    groupByKey(),
    aggregate(
      'winner',
      argMax(
        ({ auction, bid }: { auction: Auction; bid: Bid }) => ({ category: auction.category, bid }),
        ({ bid }) => bid.price,
      ),
    ),
  )

export const queries: Readonly<Record<string, Query>> = {
  q0: {
    summary: 'pass through',
    inputs: [bidsInput],
    build: ([topic]) => bids(topic).pipe(map((bid) => [bidKey(bid), `${bid.auction}|${bid.bidder}|${bid.price}`])),
  },
  q1: {
    summary: 'currency conversion',
    inputs: [bidsInput],
    build: ([topic]) =>
      bids(topic).pipe(map((bid) => [bidKey(bid), `${bid.auction}|${Math.round(bid.price * 0.908)}|${bid.date_time}`])),
  },
  q2: {
    summary: 'selection of some auctions',
    inputs: [bidsInput],
    build: ([topic]) =>
      bids(topic).pipe(
        filter(({ auction }) => auction % 123 === 0),
        map((bid) => [bidKey(bid), `${bid.auction}|${bid.price}`]),
      ),
  },
  q3: {
    summary: 'who sells in some states: a join of tables by a foreign key',
    inputs: [auctionsInput, personsInput],
    build: ([auctionTopic, personTopic]) => {
      const people = table(personTopic, { store: 'people', key: string(), value: personSerde }).pipe(
        filter(({ state }) => state === 'OR' || state === 'ID' || state === 'CA'),
      )
      return table(auctionTopic, { store: 'offers', key: string(), value: auctionSerde }).pipe(
        filter(({ category }) => category === 10),
        foreignKeyJoin(
          'sellers',
          people,
          ({ seller }) => String(seller),
          ({ id }, { name, city, state }) => `${name}|${city}|${state}|${id}`,
          { value: string() },
        ),
        toStream(),
      )
    },
  },
  q4: {
    summary: 'average price of winning bids per category',
    inputs: [auctionsInput, bidsInput],
    build: ([auctionTopic, bidTopic]) =>
      winningBids(auctionTopic, bidTopic).pipe(
        groupBy((winner) => String(winner.category), { project: (winner) => winner.bid.price, value: json<number>() }),
        aggregate('per-category', { price: mean((price: number) => price) }),
        toStream(),
        mapValues((average) => average && `${Math.round(average.price ?? 0)}`),
      ),
  },
  q5: {
    summary: 'most bids for one auction, in hopping windows',
    inputs: [bidsInput],
    build: ([topic]) => {
      const counts = bids(topic).pipe(
        groupByKey(),
        windowedBy(hopping(WINDOW, { advance: seconds(2), grace: seconds(60) })),
        count('per-auction'),
        toStream(),
      )
      return counts.pipe(
        // A count only grows, so the highest that was ever seen is the highest there is.
        map((bidCount, { window }): [string, number] => [String(window.start), bidCount ?? 0]),
        groupBy((_, start) => start, { value: json<number>() }),
        aggregate('hottest', { bids: max((bidCount: number) => bidCount) }),
        toStream(),
        mapValues((hottest) => hottest && `${hottest.bids}`),
      )
    },
  },
  q7: {
    summary: 'highest bid in windows of ten seconds',
    inputs: [bidsInput],
    build: ([topic]) =>
      bids(topic).pipe(
        groupBy(() => 'all', { project: ({ price }) => price, value: json<number>() }),
        windowedBy(tumbling(WINDOW, { grace: seconds(60) })),
        aggregate('highest', { price: max((price: number) => price) }),
        toStream(),
        map((highest, { window }) => [String(window.start), highest && `${highest.price}`]),
      ),
  },
  q8: {
    summary: 'new persons who sell at once: a join of streams',
    inputs: [personsInput, auctionsInput],
    build: ([personTopic, auctionTopic]) =>
      persons(personTopic).pipe(
        join(
          'newcomers',
          auctions(auctionTopic).pipe(selectKey(({ seller }) => String(seller))),
          (person, auction) => ({ person, auction }),
          within(WINDOW),
          { other: auctionSerde },
        ),
        filter(({ person, auction }) => windowOf(person.date_time) === windowOf(auction.date_time)),
        map(({ person }) => [`${person.id}@${windowOf(person.date_time)}`, person.name]),
      ),
  },
  q9: {
    summary: 'winning bids',
    inputs: [auctionsInput, bidsInput],
    build: ([auctionTopic, bidTopic]) =>
      winningBids(auctionTopic, bidTopic).pipe(
        toStream(),
        mapValues((winner) => winner && `${winner.bid.price}|${winner.bid.bidder}|${winner.bid.date_time}`),
      ),
  },
  q11: {
    summary: 'bids per bidder and session',
    inputs: [bidsInput],
    build: ([topic]) =>
      bids(topic).pipe(
        groupBy(({ bidder }) => String(bidder), { value: bidSerde }),
        windowedBy(session(WINDOW, { grace: seconds(60) })),
        count('per-session'),
        toStream(),
        map((bidCount, { key, window }) => [
          `${key}@${window.start}-${window.end}`,
          bidCount === null ? null : `${bidCount}`,
        ]),
      ),
  },
  q13: {
    summary: 'a side input that is held in memory',
    inputs: [bidsInput],
    build: ([topic]) =>
      bids(topic).pipe(map((bid) => [bidKey(bid), `${bid.auction}|${SIDE_INPUT.get(bid.auction % 100)}`])),
  },
  q16: {
    summary: 'per channel: bids, distinct bidders, distinct auctions',
    inputs: [bidsInput],
    build: ([topic]) =>
      bids(topic).pipe(
        groupBy(({ channel }) => channel, { value: bidSerde }),
        aggregate('per-channel', {
          bids: count(),
          bidders: distinct(({ bidder }) => bidder, { limit: 1_000_000 }),
          auctions: distinct(({ auction }) => auction, { limit: 1_000_000 }),
        }),
        toStream(),
        mapValues((of) => of && `${of.bids}|${of.bidders.length}|${of.auctions.length}`),
      ),
  },
  q17: {
    summary: 'per auction: number, least, greatest, mean and sum of its bids',
    inputs: [bidsInput],
    build: ([topic]) =>
      bids(topic).pipe(
        groupByKey(),
        aggregate('per-auction', {
          bids: count(),
          least: min(({ price }) => price),
          greatest: max(({ price }) => price),
          mean: mean(({ price }) => price),
          sum: sum(({ price }) => price),
        }),
        toStream(),
        mapValues((of) => of && [of.bids, of.least, of.greatest, Math.round(of.mean), of.sum].join('|')),
      ),
  },
  q18: {
    summary: 'the last bid of each bidder on each auction',
    inputs: [bidsInput],
    build: ([topic]) =>
      bids(topic).pipe(
        groupBy(({ bidder, auction }) => `${bidder}-${auction}`, { value: bidSerde }),
        aggregate(
          'last-bid',
          argMax(
            (bid: Bid) => bid,
            ({ date_time }) => date_time,
          ),
        ),
        toStream(),
        mapValues((bid) => bid && `${bid.price}|${bid.date_time}`),
      ),
  },
  q19: {
    summary: 'the ten highest bids of each auction',
    inputs: [bidsInput],
    build: ([topic]) =>
      bids(topic).pipe(
        groupByKey(),
        aggregate(
          'best-bids',
          topK(
            10,
            ({ price }: Bid) => price,
            ({ price }) => price,
          ),
        ),
        toStream(),
        mapValues((prices) => prices?.join('|') ?? null),
      ),
  },
  q20: {
    summary: 'bids with their auction, of one category',
    inputs: [auctionsInput, bidsInput],
    build: ([auctionTopic, bidTopic]) =>
      auctions(auctionTopic).pipe(
        filter(({ category }) => category === 10),
        join(
          'expanded',
          bids(bidTopic),
          (auction, bid) => ({ auction, bid }),
          joinWindows({ before: 0, after: SPAN_OF_BIDS }),
        ),
        map(({ auction, bid }) => [bidKey(bid), `${bid.auction}|${bid.price}|${auction.item}|${auction.category}`]),
      ),
  },
}

/** A bid may come long after its auction was opened: the hot auctions are those of the last hundred. */
export const SPAN_OF_BIDS = seconds(10)

export const windowOf = (timestamp: number): number => Math.floor(timestamp / WINDOW) * WINDOW
