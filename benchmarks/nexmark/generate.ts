/**
 * The events of Nexmark (Tucker et al., "NEXMark: a benchmark for queries over data streams"), with the proportions and
 * skews of Apache Beam's generator (sdks/java/testing/nexmark, GeneratorConfig): of 50 events one is a person, three are
 * auctions, 46 are bids; half of the bids go to one hot auction. One event a millisecond; deterministic.
 */
import { random } from '../suite/random.ts'

const BASE = 1_750_000_020_000
/** No auction is open for longer, ms. */
export const LONGEST_AUCTION = 3_400
const FIRST_ID = 1_000
const PERSONS = 1
const AUCTIONS = 3
const TOTAL = 50
const OPEN_AUCTIONS = 100
const ACTIVE_PERSONS = 1_000
const HOT_AUCTION_RATIO = 2
const HOT_PERSON_RATIO = 4

const STATES = ['AZ', 'CA', 'ID', 'OR', 'WA', 'WY']
const CITIES = ['Phoenix', 'Los Angeles', 'San Francisco', 'Boise', 'Portland', 'Bend', 'Redmond', 'Seattle', 'Kent']
const FIRST_NAMES = ['Peter', 'Paul', 'Luke', 'John', 'Saul', 'Vicky', 'Kate', 'Julie', 'Sarah', 'Deiter', 'Walter']
const LAST_NAMES = ['Shultz', 'Abrams', 'Spencer', 'White', 'Bartels', 'Walton', 'Smith', 'Jones', 'Noris']
const CHANNELS = ['Google', 'Facebook', 'Baidu', 'Apple']

export interface Person {
  readonly id: number
  readonly name: string
  readonly email: string
  readonly city: string
  readonly state: string
  readonly date_time: number
}

export interface Auction {
  readonly id: number
  readonly item: string
  readonly initial_bid: number
  readonly reserve: number
  readonly date_time: number
  readonly expires: number
  readonly seller: number
  readonly category: number
}

export interface Bid {
  readonly auction: number
  readonly bidder: number
  readonly price: number
  readonly channel: string
  readonly url: string
  readonly date_time: number
}

export type NexmarkEvent =
  | { readonly kind: 'person'; readonly of: Person }
  | { readonly kind: 'auction'; readonly of: Auction }
  | { readonly kind: 'bid'; readonly of: Bid }

/** Number of persons, or auctions, among the events before and including number `i`, minus one. */
const lastPerson = (i: number): number => Math.floor(i / TOTAL)
function lastAuction(i: number): number {
  const offset = i % TOTAL
  const epoch = Math.floor(i / TOTAL)
  if (offset < PERSONS) return epoch * AUCTIONS - 1
  return epoch * AUCTIONS + Math.min(offset - PERSONS, AUCTIONS - 1)
}

/** An event every `interval` ms. */
export function* events(n: number, seed: number, interval = 1): Generator<NexmarkEvent> {
  const next = random(seed)
  const pick = <T>(list: readonly T[]): T => list[next() % list.length]
  const price = () => Math.round(10 ** ((next() / 4294967296) * 6) * 100)
  const person = (i: number): number => {
    const last = lastPerson(i)
    const active = Math.min(last + 1, ACTIVE_PERSONS)
    return FIRST_ID + last - (next() % active)
  }
  const hotPerson = (i: number, step: number): number =>
    next() % HOT_PERSON_RATIO > 0 ? FIRST_ID + Math.floor(lastPerson(i) / step) * step : person(i)

  for (let i = 0; i < n; i++) {
    const offset = i % TOTAL
    const date_time = BASE + i * interval
    if (offset < PERSONS) {
      const name = `${pick(FIRST_NAMES)} ${pick(LAST_NAMES)}`
      const email = `${next().toString(36)}@${next().toString(36)}.com`
      const of = { id: FIRST_ID + lastPerson(i), name, email, city: pick(CITIES), state: pick(STATES), date_time }
      yield { kind: 'person', of }
    } else if (offset < PERSONS + AUCTIONS) {
      const initial_bid = price()
      const of = {
        id: FIRST_ID + lastAuction(i),
        item: `item-${next().toString(36)}`,
        initial_bid,
        reserve: initial_bid + price(),
        date_time,
        expires: date_time + 1 + (next() % (LONGEST_AUCTION - 1)),
        seller: hotPerson(i, 100),
        category: 10 + (next() % 5),
      }
      yield { kind: 'auction', of }
    } else {
      const last = lastAuction(i)
      const isHot = next() % HOT_AUCTION_RATIO > 0
      const auction = isHot
        ? Math.floor(last / 100) * 100
        : Math.max(0, last - (next() % Math.min(last + 1, OPEN_AUCTIONS)))
      const bidder = hotPerson(i, 100)
      const channel = pick(CHANNELS)
      const url = `https://www.nexmark.com/${next().toString(36)}/item.htm?query=1`
      yield { kind: 'bid', of: { auction: FIRST_ID + auction, bidder, price: price(), channel, url, date_time } }
    }
  }
}

/** All of them, for the references. */
export interface World {
  readonly persons: Person[]
  readonly auctions: Auction[]
  readonly bids: Bid[]
}

export function world(n: number, seed: number, interval?: number): World {
  const all: World = { persons: [], auctions: [], bids: [] }
  for (const event of events(n, seed, interval)) {
    if (event.kind === 'person') all.persons.push(event.of)
    else if (event.kind === 'auction') all.auctions.push(event.of)
    else all.bids.push(event.of)
  }
  return all
}
