/** What the queries of Nexmark have in common. */
import { aggregate, argMax, count, filter, groupByKey, join, joinWindows, seconds, stream, string, sum } from 'millrace'
import { bandOf } from './aggregates.ts'
import { type Auction, type Bid, LONGEST_AUCTION } from './generate.ts'
import { auctionSerde, bidSerde, personSerde } from './topics.ts'

export const WINDOW = seconds(10)

export const bids = (topic: string) => stream(topic, { key: string(), value: bidSerde })
export const auctions = (topic: string) => stream(topic, { key: string(), value: auctionSerde })
export const persons = (topic: string) => stream(topic, { key: string(), value: personSerde })
/** Bids have no key of their own: one that is the same for no two. */
export const bidKey = ({ bidder, date_time }: Bid) => `${bidder}-${date_time}`

export const ofBid = ({ auction, price, bidder, date_time }: Bid) => `${auction}|${price}|${bidder}|${date_time}`

const inBand = (band: number) => sum(({ price }: Bid) => (bandOf(price) === band ? 1 : 0))
export const bandCounts = { bids: count(), low: inBand(0), middle: inBand(1), high: inBand(2) }

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
export const winningBids = (auctionTopic: string, bidTopic: string) =>
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

export const windowOf = (timestamp: number): number => Math.floor(timestamp / WINDOW) * WINDOW
export const dayOf = (timestamp: number): string => new Date(timestamp).toISOString().slice(0, 10)
export const minuteOf = (timestamp: number): string => new Date(timestamp).toISOString().slice(11, 16)
