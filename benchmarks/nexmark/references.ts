/** The right results of the queries, computed from all events at once, without any stream processing. */
import { Checksum } from '../suite/checksum.ts'
import { dayOf, minuteOf, windowOf } from './common.ts'
import { type Auction, type Bid, type World, world } from './generate.ts'

type Lines = Map<string, string>

const bidKey = ({ bidder, date_time }: Bid) => `${bidder}-${date_time}`

function grouped<T>(items: readonly T[], key: (of: T) => string): Map<string, T[]> {
  return Map.groupBy(items, key)
}

const each = (world: World, line: (bid: Bid) => string | undefined): Lines => {
  const lines: Lines = new Map()
  for (const bid of world.bids) {
    const text = line(bid)
    if (text !== undefined) lines.set(bidKey(bid), text)
  }
  return lines
}

function winners({ auctions, bids }: World): Map<Auction, Bid> {
  const byAuction = grouped(bids, ({ auction }) => String(auction))
  const found = new Map<Auction, Bid>()
  for (const auction of auctions) {
    for (const bid of byAuction.get(String(auction.id)) ?? []) {
      if (bid.date_time < auction.date_time || bid.date_time > auction.expires) continue
      const best = found.get(auction)
      if (best === undefined || bid.price > best.price) found.set(auction, bid)
    }
  }
  return found
}

function hottest({ bids }: World): Lines {
  const counts = new Map<string, number>()
  for (const { auction, date_time } of bids) {
    // Windows of ten seconds that begin every two.
    for (let start = Math.floor(date_time / 2_000) * 2_000; start > date_time - 10_000; start -= 2_000) {
      counts.set(`${start}|${auction}`, (counts.get(`${start}|${auction}`) ?? 0) + 1)
    }
  }
  return aggregated(
    grouped([...counts], ([name]) => name.split('|')[0]),
    (of) => {
      const most = of.reduce((highest, [, count]) => Math.max(highest, count), 0)
      const auctions = of.flatMap(([name, count]) => (count === most ? name.split('|')[1] : []))
      return `${most}: ${auctions.sort().join(' ')}`
    },
  )
}

function sessions({ bids }: World): Lines {
  const lines: Lines = new Map()
  for (const [bidder, of] of grouped(bids, (bid) => String(bid.bidder))) {
    let first = of[0].date_time
    let last = first
    let count = 0
    const end = () => lines.set(`${bidder}@${first}-${last}`, `${count}`)
    for (const { date_time } of of) {
      if (date_time - last > 10_000) {
        end()
        first = date_time
        count = 0
      }
      last = date_time
      count++
    }
    end()
  }
  return lines
}

function aggregated<T>(groups: ReadonlyMap<string, T[]>, line: (of: T[]) => string): Lines {
  return new Map([...groups].map(([key, of]) => [key, line(of)]))
}

const byPrice = (bids: readonly Bid[]): number[] => bids.map(({ price }) => price).sort((a, b) => b - a)
const total = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0)
const perAuction = ({ bids }: World) => grouped(bids, ({ auction }) => String(auction))
/** Cheap, middling and dear. */
const bands = (bids: readonly Bid[]): Bid[][] => [
  bids.filter(({ price }) => price < 10_000),
  bids.filter(({ price }) => price >= 10_000 && price < 1_000_000),
  bids.filter(({ price }) => price >= 1_000_000),
]
const distinct = (values: readonly number[]): number => new Set(values).size

const lines: Readonly<Record<string, (of: World) => Lines>> = {
  q0: (of) => each(of, ({ auction, bidder, price }) => `${auction}|${bidder}|${price}`),
  q1: (of) => each(of, ({ auction, price, date_time }) => `${auction}|${Math.round(price * 0.908)}|${date_time}`),
  q2: (of) => each(of, ({ auction, price }) => (auction % 123 === 0 ? `${auction}|${price}` : undefined)),
  q3({ auctions, persons }) {
    const byId = new Map(persons.map((person) => [person.id, person]))
    const found: Lines = new Map()
    for (const { id, seller, category } of auctions) {
      const person = byId.get(seller)
      if (category !== 10 || !person || !['OR', 'ID', 'CA'].includes(person.state)) continue
      found.set(String(id), `${person.name}|${person.city}|${person.state}|${id}`)
    }
    return found
  },
  q4(of) {
    const won = [...winners(of)].map(([{ category }, { price }]) => ({ category, price }))
    return aggregated(
      grouped(won, ({ category }) => String(category)),
      (sold) => `${Math.round(total(sold.map(({ price }) => price)) / sold.length)}`,
    )
  },
  q5: hottest,
  q7: ({ bids }) =>
    aggregated(
      grouped(bids, ({ date_time }) => String(windowOf(date_time))),
      (of) => {
        const [highest] = byPrice(of)
        const found = of.filter(({ price }) => price === highest)
        const texts = found.map(({ auction, price, bidder, date_time }) =>
          [auction, price, bidder, date_time].join('|'),
        )
        return `${highest}: ${[...new Set(texts)].sort().join(' ')}`
      },
    ),
  q8({ persons, auctions }) {
    const sold = new Set(auctions.map(({ seller, date_time }) => `${seller}@${windowOf(date_time)}`))
    const named = persons.map(({ id, name, date_time }) => [`${id}@${windowOf(date_time)}`, name] as const)
    return new Map(named.filter(([key]) => sold.has(key)))
  },
  q9: (of) =>
    new Map(
      [...winners(of)].map(([{ id }, { price, bidder, date_time }]) => [String(id), `${price}|${bidder}|${date_time}`]),
    ),
  q11: sessions,
  q12: ({ bids }) =>
    aggregated(
      grouped(bids, ({ bidder }) => String(bidder)),
      (of) => `${of.length}`,
    ),
  q13: (of) => each(of, ({ auction }) => `${auction}|side-${auction % 100}`),
  q16: ({ bids }) =>
    aggregated(
      grouped(bids, ({ channel, date_time }) => `${channel}@${dayOf(date_time)}`),
      (of) => {
        const all = [of, ...bands(of)]
        const bidders = all.map((some) => distinct(some.map(({ bidder }) => bidder)))
        const auctions = all.map((some) => distinct(some.map(({ auction }) => auction)))
        const latest = of.reduce((newest, { date_time }) => Math.max(newest, date_time), 0)
        return [...all.map(({ length }) => length), bidders.join(), auctions.join(), minuteOf(latest)].join('|')
      },
    ),
  q17: ({ bids }) =>
    aggregated(
      grouped(bids, ({ auction, date_time }) => `${auction}@${dayOf(date_time)}`),
      (of) => {
        const prices = byPrice(of)
        const sum = total(prices)
        const counts = [of, ...bands(of)].map(({ length }) => length)
        return [...counts, prices.at(-1), prices[0], Math.round(sum / prices.length), sum].join('|')
      },
    ),
  q18: ({ bids }) =>
    aggregated(
      grouped(bids, ({ bidder, auction }) => `${bidder}-${auction}`),
      (of) => `${of.at(-1)!.price}|${of.at(-1)!.date_time}`,
    ),
  q19: (of) => aggregated(perAuction(of), (bids) => byPrice(bids).slice(0, 10).join('|')),
  q20({ auctions, bids }) {
    const byId = new Map(auctions.map((auction) => [auction.id, auction]))
    const found: Lines = new Map()
    for (const bid of bids) {
      const auction = byId.get(bid.auction)
      if (auction?.category !== 10) continue
      found.set(bidKey(bid), `${bid.auction}|${bid.price}|${auction.item}|${auction.category}`)
    }
    return found
  },
}

export function reference(query: string, n: number, seed: number, interval?: number): Checksum {
  const sum = new Checksum()
  for (const [key, line] of lines[query](world(n, seed, interval))) sum.add(`${key}|${line}`)
  return sum
}
