const KEYS = 10_000
const ROUNDS = 40

/**
 * CPU seconds of one step of a loop like those of a stream processor (a string key, a map, an object that changes): the
 * unit in which a smoke test measures. It warms up first, and takes the best of several, since the machine may be busy.
 */
export function calibration(): number {
  const keys = Array.from({ length: KEYS }, (_, i) => `user-${(i * 7919) % KEYS}`)
  const step = () => {
    const entries = new Map<string, { count: number; sum: number }>()
    for (let round = 0; round < ROUNDS; round++) {
      for (const key of keys) {
        const entry = entries.get(key)
        if (entry === undefined) entries.set(key, { count: 1, sum: key.length })
        else {
          entry.count++
          entry.sum += key.length
        }
      }
    }
    return entries.size
  }
  step()
  let best = Number.POSITIVE_INFINITY
  for (let i = 0; i < 5; i++) {
    const before = process.cpuUsage()
    if (step() !== KEYS) throw new Error('the loop went wrong')
    const { user, system } = process.cpuUsage(before)
    best = Math.min(best, (user + system) / 1e6 / (KEYS * ROUNDS))
  }
  return best
}
