/**
 * The queries of Nexmark as topologies: each gives lines of text, by key, of which the last counts.
 *
 * Left out: q6 (the mean of the last ten winning bids of a seller, each of which may still change: a list from which a table
 * takes back by order, which no aggregate here can) and q10 (writes files: see the workload `lake-sink`).
 */
import {
  aggregate,
  argMax,
  count,
  days,
  filter,
  foreignKeyJoin,
  groupBy,
  groupByKey,
  hopping,
  join,
  json,
  map,
  mapValues,
  max,
  mean,
  min,
  output,
  process,
  type Stream,
  seconds,
  selectKey,
  session,
  string,
  sum,
  table,
  topK,
  toStream,
  toTable,
  tumbling,
  windowedBy,
  within,
} from 'millrace'
import type { JobNames } from '../suite/job.ts'
import type { InputTopic } from '../transactions/inputs.ts'
import { allHighest, distinctByBand } from './aggregates.ts'
import {
  auctions,
  bandCounts,
  bidKey,
  bids,
  dayOf,
  minuteOf,
  ofBid,
  persons,
  WINDOW,
  windowOf,
  winningBids,
} from './common.ts'
import type { Bid } from './generate.ts'
import { auctionSerde, auctionsInput, bidSerde, bidsInput, personSerde, personsInput } from './topics.ts'

export interface Query {
  readonly summary: string
  readonly inputs: readonly InputTopic[]
  /** From the topics of the inputs, in their order, to lines by key. */
  build(topics: JobNames['inputs']): Stream<string, string | null>
  /** What of the lines must be as in a batch computation, where it is not the lines themselves. */
  settled?(lines: ReadonlyMap<string, string>): ReadonlyMap<string, string>
}

const SIDE_INPUT = new Map(Array.from({ length: 100 }, (_, i) => [i, `side-${i}`]))

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
    summary: 'the auctions with the most bids, in hopping windows',
    inputs: [bidsInput],
    build: ([topic]) =>
      bids(topic).pipe(
        groupByKey(),
        windowedBy(hopping(WINDOW, { advance: seconds(2), grace: seconds(60) })),
        count('per-auction'),
        toStream(),
        // A count only grows, so that the highest that was ever seen is the highest there is.
        map((bidCount, { key, window }) => [String(window.start), { auction: key, bids: bidCount ?? 0 }]),
        groupBy((_, start) => start, { value: json<{ auction: string; bids: number }>() }),
        aggregate(
          'hottest',
          allHighest(
            (of: { auction: string; bids: number }) => of.bids,
            ({ auction }) => auction,
          ),
        ),
        toStream(),
      ),
  },
  q7: {
    summary: 'the highest bids in windows of ten seconds',
    inputs: [bidsInput],
    build: ([topic]) =>
      bids(topic).pipe(
        groupBy(() => 'all', { value: bidSerde }),
        windowedBy(tumbling(WINDOW, { grace: seconds(60) })),
        aggregate(
          'highest',
          allHighest((bid: Bid) => bid.price, ofBid),
        ),
        toStream(),
        map((highest, { window }) => [String(window.start), highest]),
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
  q12: {
    summary: 'bids per bidder in windows of the wall clock',
    inputs: [bidsInput],
    build: ([topic]) =>
      bids(topic).pipe(
        process('by-the-clock', { output: output<string, number>() }, ({ forward, now }) => ({
          process: ({ bidder }) => forward(String(bidder), 1, { timestamp: now() }),
        })),
        groupByKey(),
        windowedBy(tumbling(WINDOW, { grace: seconds(60) })),
        count('per-bidder'),
        toStream(),
        map((bidCount, { key, window }) => [`${key}@${window.start}`, bidCount === null ? null : `${bidCount}`]),
      ),
    // In which window a bid is counted is the clock's; that it is counted once is not.
    settled(lines) {
      const counts = new Map<string, number>()
      for (const [key, line] of lines) {
        const [bidder] = key.split('@')
        counts.set(bidder, (counts.get(bidder) ?? 0) + Number(line))
      }
      return new Map([...counts].map(([bidder, bidCount]) => [bidder, `${bidCount}`]))
    },
  },
  q13: {
    summary: 'a side input that is held in memory',
    inputs: [bidsInput],
    build: ([topic]) =>
      bids(topic).pipe(map((bid) => [bidKey(bid), `${bid.auction}|${SIDE_INPUT.get(bid.auction % 100)}`])),
  },
  q16: {
    summary: 'per channel and day: bids, distinct bidders and auctions, in all and by price',
    inputs: [bidsInput],
    build: ([topic]) =>
      bids(topic).pipe(
        groupBy(({ channel }) => channel, { value: bidSerde }),
        windowedBy(tumbling(days(1), { grace: days(1) })),
        aggregate('per-channel', {
          ...bandCounts,
          bidders: distinctByBand(
            ({ bidder }: Bid) => bidder,
            ({ price }) => price,
          ),
          auctions: distinctByBand(
            ({ auction }: Bid) => auction,
            ({ price }) => price,
          ),
          latest: max(({ date_time }) => date_time),
        }),
        toStream(),
        map((of, { key, window }) => [
          `${key}@${dayOf(window.start)}`,
          of && [of.bids, of.low, of.middle, of.high, of.bidders, of.auctions, minuteOf(of.latest ?? 0)].join('|'),
        ]),
      ),
  },
  q17: {
    summary: 'per auction and day: number of bids in all and by price; least, greatest, mean and sum',
    inputs: [bidsInput],
    build: ([topic]) =>
      bids(topic).pipe(
        groupByKey(),
        windowedBy(tumbling(days(1), { grace: days(1) })),
        aggregate('per-auction', {
          ...bandCounts,
          least: min(({ price }) => price),
          greatest: max(({ price }) => price),
          mean: mean(({ price }) => price),
          sum: sum(({ price }) => price),
        }),
        toStream(),
        map((of, { key, window }) => [
          `${key}@${dayOf(window.start)}`,
          of && [of.bids, of.low, of.middle, of.high, of.least, of.greatest, Math.round(of.mean), of.sum].join('|'),
        ]),
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
    summary: 'bids with their auction, of one category: a join of everything with everything, by a foreign key',
    inputs: [auctionsInput, bidsInput],
    build: ([auctionTopic, bidTopic]) => {
      const offers = table(auctionTopic, { store: 'offers', key: string(), value: auctionSerde }).pipe(
        filter(({ category }) => category === 10),
      )
      return bids(bidTopic).pipe(
        map((bid): [string, Bid] => [bidKey(bid), bid]),
        toTable('bids', { key: string(), value: bidSerde }),
        foreignKeyJoin(
          'expanded',
          offers,
          ({ auction }) => String(auction),
          (bid, auction) => `${bid.auction}|${bid.price}|${auction.item}|${auction.category}`,
          { value: string() },
        ),
        toStream(),
      )
    },
  },
}
