import { differences } from '../common/compare.ts'
import { PARTITIONS } from '../common/feed.ts'
import type { Example } from '../common/start.ts'
import { expected } from './expected.ts'
import { generate } from './generate.ts'
import { serdes, sessions } from './job.ts'

const ABOUT = `
Sessions: clicks of a user with no pause of more than five minutes are a visit;
of the visits, how many of a campaign came to the cart and to a purchase, per
quarter of an hour.`

/** @param partitions - of the topics: what is over is decided partition by partition */
export const sessionsExample = (partitions = PARTITIONS): Example => ({
  name: 'sessions',
  about: ABOUT,
  records: 20_000,
  inputs: { clicks: serdes.clicks },
  outputs: ['visits', 'funnel'],
  generate,
  topology: ({ name }) => sessions(name),
  async check(read, arrivals) {
    const all = await read('visits', serdes.visits)
    const visits = new Map(
      all.map(({ key: { key, window }, value }) => [`${key}|${window.start}|${window.end}`, value]),
    )
    const updates = await read('funnel', serdes.funnel)
    const funnel = new Map(updates.map(({ key: { key, window }, value }) => [`${key}|${window.start}`, value]))
    const wanted = expected(arrivals, partitions)
    const purchases = all.filter(({ value }) => value.furthest === 'purchase').length
    const share = ((100 * purchases) / all.length).toFixed(1)
    return {
      lines: [
        `${visits.size} visits, ${purchases} with a purchase (${share} %)`,
        `${funnel.size} quarters of an hour of campaigns`,
      ],
      problems: [
        ...(all.length === visits.size ? [] : ['a visit came out twice']),
        ...differences('visit', visits, wanted.visits),
        ...differences('funnel', funnel, wanted.funnel),
      ],
    }
  },
  next: () => [
    'examples/sessions/job.ts                  the job',
    'examples/sessions/expected.ts             the same with plain loops',
    'docs/emission.md                          updates, final results, and when',
    'docs/operators/until-window-closes.md     what final means',
  ],
})
