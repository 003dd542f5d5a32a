import { describe, expect, it } from 'vitest'
import type { Stamp } from '../../../../src/log/log.ts'
import { eventually, refused, valuesOf } from '../../../../src/testing/contracts/log/fixture.ts'
import { readRecords } from '../../../support/records.ts'
import { uniqueName } from '../../../support/services.ts'
import { streamsMembers } from './members.ts'

/** Whose offsets a real broker takes from members of its streams protocol (KIP-1071). */
const { log, open, isNew, topicOf, member, joined, spread } = streamsMembers()

describe('a stamp of an older epoch', () => {
  /** A member that has lost two of its tasks, and what it held before. */
  async function halved() {
    const [group, topic] = [uniqueName('zombie'), await topicOf(4)]
    const zombie = await joined(group, topic)
    const old = await zombie.holding(4)
    const heir = await joined(group, topic)
    await spread(zombie, heir)
    const partitionOf = (task: string) => ({ topic, partition: Number(task.slice(2)) })
    const kept = partitionOf([...zombie.owned][0])
    const taken = partitionOf([...heir.owned][0])
    expect(zombie.assignment!.stamp.epoch).toBeGreaterThan(old.epoch)
    return { zombie, heir, old, kept, taken, topic }
  }

  it('is refused for what was taken away since, and good for what was kept', async () => {
    const { zombie, old, kept, taken } = await halved()
    await refused(zombie.group.commit([{ ...taken, offset: 5 }], old), 'FENCED')
    await zombie.group.commit([{ ...kept, offset: 5 }], old)
    expect(await zombie.group.committed([kept, taken])).toMatchObject([{ ...kept, offset: 5 }])
  })

  it('is so within a transaction, too: nothing of it is seen', async () => {
    const { zombie, old, kept, taken, topic } = await halved()
    const producer = log.producer({ transactionalId: uniqueName('zombie') })
    open.push(() => producer.close())
    await producer.init()
    const attempt = async (offsets: { topic: string; partition: number; offset: number }[], stamp: Stamp) => {
      producer.begin()
      await producer.send(topic, 0, valuesOf(`at ${stamp.epoch}`))
      await producer.sendOffsets(offsets, stamp)
      await producer.commit()
    }
    await refused(attempt([{ ...taken, offset: 7 }], old), 'FENCED')
    await producer.abort()
    await attempt([{ ...kept, offset: 8 }], old)
    expect(await readRecords(log, topic)).toMatchObject([{ value: `at ${old.epoch}` }])
    expect(await zombie.group.committed([kept, taken])).toMatchObject([{ ...kept, offset: 8 }])
  })

  it('of a member that the group has forgotten is refused for everything', async () => {
    const { zombie, heir, kept } = await halved()
    const { stamp } = zombie.assignment!
    await zombie.group.leave()
    await spread(heir)
    await refused(heir.group.commit([{ ...kept, offset: 9 }], stamp), 'FENCED')
  })
})

describe('an instance with a name', () => {
  const named = { instanceId: 'left' }
  const isRefused = async () => {
    const join = member(uniqueName('named'), await topicOf(4), named).group.join()
    await expect(join).rejects.toMatchObject({ code: 'UNSUPPORTED_BROKER', hint: expect.stringMatching(/4\.4/) })
  }

  it('has its tasks back after a restart, and nothing moves', async () => {
    if (!isNew()) return isRefused()
    const [group, topic] = [uniqueName('named'), await topicOf(4)]
    const [stays, leaves] = [await joined(group, topic), await joined(group, topic, named)]
    await spread(stays, leaves)
    const had = [...leaves.owned].sort()
    await leaves.group.leave()
    const again = await joined(group, topic, named)
    await spread(stays, again)
    expect([...again.owned].sort()).toEqual(had)
    expect(stays.events.filter((event) => event === 'revoked' || event === 'lost').length).toBeLessThanOrEqual(1)
  })

  it('that is started while another process has the name takes its place, and fences it', async () => {
    if (!isNew()) return isRefused()
    const [group, topic] = [uniqueName('twice'), await topicOf(4)]
    const older = await joined(group, topic, named)
    const old = await older.holding(4)
    const newer = await joined(group, topic, named)
    const stamp = await newer.holding(4)
    await eventually(() => expect(older.errors).toMatchObject([{ code: 'FENCED' }]))
    expect(older.owned.size).toBe(0)
    await refused(newer.group.commit([{ topic, partition: 0, offset: 1 }], old), 'FENCED')
    await newer.group.commit([{ topic, partition: 0, offset: 2 }], stamp)
    expect(newer.errors).toEqual([])
  })
})
