import fc from 'fast-check'

/**
 * Properties draw the same cases every time, so that a change is to blame when one fails. MILLRACE_SEED tries others
 * ('random' a new one each time); a failure prints the seed and the way to the shrunk case.
 */
const { MILLRACE_SEED: seed = '1' } = process.env
if (seed !== 'random') fc.configureGlobal({ seed: Number(seed) })
