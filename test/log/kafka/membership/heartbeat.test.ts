import { expect, it } from 'vitest'
import { membersOf, runs } from './members.ts'
import { classic } from './protocols.ts'

const on = membersOf(classic)
const rare = { heartbeatIntervalMs: 2_000 }

it('one who comes just after another soon has its share, although heartbeats are rare', async () => {
  const first = await on.settled(rare)
  for (const after of [0, 20, 100, 1_000, 5_000]) {
    await on.broker.pass(after)
    const next = on.member(rare)
    await on.broker.until('it has its share', () => !runs(0)(next), 300 + 2 * 100)
    await next.group.leave()
    await on.broker.until('all tasks run', () => runs(4)(first))
  }
})

it('a task is with its next member at once, however long giving it up has taken', async () => {
  const a = await on.settled(rare)
  const stopped = Promise.withResolvers<void>()
  a.seen.hooks.revoked = () => stopped.promise
  const b = on.member(rare)
  await on.broker.pass(12_000)
  stopped.resolve()
  await on.broker.until('b has it', () => runs(2)(b), 200)
})

it('the broker is asked no more often than told once the generation is ten seconds old', async () => {
  await on.settled(rare)
  await on.broker.pass(11_000)
  const before = on.countOf('Heartbeat')
  await on.broker.pass(20_000)
  expect(on.countOf('Heartbeat') - before).toBe(10)
})
