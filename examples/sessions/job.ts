import {
  aggregate,
  avro,
  count,
  deduplicate,
  first,
  groupBy,
  groupByKey,
  mapValues,
  max,
  minutes,
  session,
  sessionWindowed,
  stream,
  string,
  sum,
  type Topology,
  to,
  topology,
  toStream,
  tumbling,
  untilWindowCloses,
  windowed,
  windowedBy,
} from 'millrace'
import { schema } from '../common/schemas.ts'
import { type Click, type Funnel, STEPS, type Visit } from './model.ts'

/** A longer pause ends a visit. */
export const GAP = minutes(5)
export const GRACE = minutes(1)
export const FUNNEL_WINDOW = minutes(15)
/** Visits come out when they close, in the order in which their pauses end: a few minutes apart at most. */
const FUNNEL_GRACE = minutes(5)

export const serdes = {
  clicks: avro<Click>(schema('click')),
  visits: { key: sessionWindowed(string()), value: avro<Visit>(schema('visit')) },
  funnel: { key: windowed(string(), { size: FUNNEL_WINDOW }), value: avro<Funnel>(schema('funnel')) },
}

/** Clicks become visits, and visits a conversion funnel per campaign. */
export function sessions(name = 'sessions'): Topology {
  const clicks = stream(`${name}-clicks`, { key: string(), value: serdes.clicks })

  const visits = clicks.pipe(
    deduplicate('clicks-once', { by: (click) => click.click_id, within: minutes(1) }),
    groupByKey(),
    windowedBy(session(GAP, { grace: GRACE })),
    // Each of these can be merged: a click between two sessions makes them one.
    aggregate('visits', {
      campaign: first((click) => click.campaign),
      clicks: count(),
      furthest: max((click) => STEPS.indexOf(click.step)),
    }),
    // Only visits that are over: one that goes on would be counted in the funnel again and again.
    untilWindowCloses(),
    mapValues(({ campaign, clicks, furthest }): Visit => ({ campaign: campaign!, clicks, furthest: STEPS[furthest!] })),
  )

  const funnel = visits.pipe(
    groupBy((visit) => visit.campaign, { value: serdes.visits.value }),
    windowedBy(tumbling(FUNNEL_WINDOW, { grace: FUNNEL_GRACE })),
    aggregate('funnel', {
      visits: count(),
      carts: sum((visit) => Number(visit.furthest !== 'view')),
      purchases: sum((visit) => Number(visit.furthest === 'purchase')),
    }),
    // Updates, not final results: a dashboard wants to see the quarter of an hour that is not over.
    mapValues((counts): Funnel => ({ ...counts, conversion: counts.purchases / counts.visits })),
    toStream(),
  )

  return topology(name, [
    visits.pipe(to(`${name}-visits`, serdes.visits)),
    funnel.pipe(to(`${name}-funnel`, serdes.funnel)),
  ])
}
