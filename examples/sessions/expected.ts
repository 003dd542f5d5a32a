import { partitionFor } from 'millrace/testing'
import type { Arrival } from '../common/arrivals.ts'
import { FUNNEL_WINDOW, GAP, GRACE } from './job.ts'
import { type Click, type Funnel, STEPS, type Visit } from './model.ts'

export interface Expected {
  /** By `user|first click|last click`. */
  readonly visits: ReadonlyMap<string, Visit>
  /** By `campaign|window start`. */
  readonly funnel: ReadonlyMap<string, Funnel>
}

/** Visits that are over and their funnel, from all clicks of a user in the order of time. */
export function expected(arrivals: readonly Arrival[], partitions: number): Expected {
  const inTime = arrivals.filter(({ fate }) => fate === 'in time')
  const partitionOf = (user: string) => partitionFor(Buffer.from(user), partitions)
  // A visit is over when its partition's time says so.
  const times = new Map<number, number>()
  for (const { key, timestamp } of inTime) {
    const partition = partitionOf(key!)
    times.set(partition, Math.max(times.get(partition) ?? 0, timestamp))
  }
  const visits = new Map<string, Visit>()
  const funnel = new Map<string, Funnel>()
  for (const [user, of] of Map.groupBy(inTime, ({ key }) => key!)) {
    const clicks = of.map(({ value }) => value as Click).sort((a, b) => a.clicked_at - b.clicked_at)
    for (const visit of split(clicks)) {
      const start = visit[0].clicked_at
      const end = visit.at(-1)!.clicked_at
      if (end >= times.get(partitionOf(user))! - GAP - GRACE) continue
      const { campaign } = visit[0]
      const furthest = STEPS.findLast((step) => visit.some((click) => click.step === step))!
      visits.set(`${user}|${start}|${end}`, { campaign, clicks: visit.length, furthest })
      const window = `${campaign}|${Math.floor(end / FUNNEL_WINDOW) * FUNNEL_WINDOW}`
      funnel.set(window, withVisit(funnel.get(window), furthest))
    }
  }
  return { visits, funnel }
}

/** Clicks in the order of time, cut where the pause is longer than the gap. */
function split(clicks: readonly Click[]): Click[][] {
  const visits: Click[][] = []
  for (const click of clicks) {
    const last = visits.at(-1)?.at(-1)
    if (last && click.clicked_at - last.clicked_at <= GAP) visits.at(-1)!.push(click)
    else visits.push([click])
  }
  return visits
}

function withVisit(before: Funnel | undefined, furthest: Visit['furthest']): Funnel {
  const visits = (before?.visits ?? 0) + 1
  const carts = (before?.carts ?? 0) + (furthest === 'view' ? 0 : 1)
  const purchases = (before?.purchases ?? 0) + (furthest === 'purchase' ? 1 : 0)
  return { visits, carts, purchases, conversion: purchases / visits }
}
