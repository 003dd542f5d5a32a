import { describe, expect, it } from 'vitest'
import { kafkaGroup } from '../../../../src/log/kafka/membership/group.ts'
import type { CommittedOffset } from '../../../../src/log/log.ts'
import { clock, cluster, member, runs, settled, stampOf } from './members.ts'
import { recorder } from './recorder.ts'

describe('offsets', () => {
  const at = (partition: number) => ({ topic: 't', partition })
  /** Lets time pass until the promise is settled. */
  async function inTime<T>(promise: Promise<T>, limitMs?: number): Promise<T> {
    let isSettled = false
    const settle = () => {
      isSettled = true
    }
    promise.then(settle, settle)
    await cluster.until('settled', () => isSettled, limitMs)
    return promise
  }

  it('come back with their metadata; partitions without one are left out', async () => {
    const a = await settled()
    const offsets: CommittedOffset[] = [
      { ...at(0), offset: 2 ** 40, metadata: '{"é":1}' },
      { topic: 'u', partition: 3, offset: 0 },
    ]
    await inTime(a.group.commit(offsets, stampOf(a)))
    cluster.offsets.set('t/1', { offset: -2, metadata: '' })
    expect(await inTime(a.group.committed([at(0), at(1), at(2), { topic: 'u', partition: 3 }]))).toEqual(offsets)
    expect(await a.group.committed([])).toEqual([])
    await a.group.commit([], stampOf(a))
  })

  it('wait for transactions that are being decided', async () => {
    const a = await settled()
    cluster.offsets.set('t/0', { offset: 5, metadata: '' })
    cluster.undecided.add('t/0')
    const reading = a.group.committed([at(0)])
    await cluster.pass(20_000)
    cluster.offsets.set('t/0', { offset: 9, metadata: '' })
    cluster.undecided.clear()
    expect(await inTime(reading, 600)).toEqual([{ ...at(0), offset: 9 }])
  })

  it('say in the end which partition is undecided', async () => {
    const a = await settled()
    cluster.undecided.add('t/0')
    await expect(inTime(a.group.committed([at(0)]))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retriable: true,
      context: at(0),
    })
  })

  it('can be read by one who is not a member', async () => {
    cluster.offsets.set('t/0', { offset: 5, metadata: 'm' })
    const group = kafkaGroup(
      cluster.connect,
      { group: 'shop', topics: [], tasks: [], ...recorder().callbacks },
      { clock, random: () => 0 },
    )
    expect(await inTime(group.committed([at(0)]))).toEqual([{ ...at(0), offset: 5, metadata: 'm' }])
    await group.leave()
    await expect(group.committed([at(0)])).rejects.toMatchObject({ code: 'CLOSED' })
  })

  it('are refused with an old stamp', async () => {
    const a = await settled()
    const old = stampOf(a)
    const b = member()
    await cluster.until('shared', () => runs(2)(a) && runs(2)(b))
    const offsets = [{ ...at(0), offset: 1 }]
    await expect(inTime(a.group.commit(offsets, old))).rejects.toMatchObject({ code: 'FENCED', context: at(0) })
    await expect(inTime(a.group.commit(offsets, { ...old, memberId: 'm9' }))).rejects.toMatchObject({ code: 'FENCED' })
    await inTime(a.group.commit(offsets, stampOf(a)))
  })

  it('are tried again while the coordinator moves, loads, rebalances or is away for a moment', async () => {
    const a = await settled()
    for (const fault of [14, 16, 27, 'drop'] as const) {
      cluster.fail('OffsetCommit', fault)
      if (fault !== 27) cluster.fail('OffsetFetch', fault)
    }
    await inTime(a.group.commit([{ ...at(0), offset: 1 }], stampOf(a)))
    expect(await inTime(a.group.committed([at(0)]))).toEqual([{ ...at(0), offset: 1 }])
  })

  it('say after a while that the coordinator is away', async () => {
    const a = await settled()
    cluster.goDown()
    const commit = a.group.commit([{ ...at(0), offset: 1 }], stampOf(a))
    await expect(inTime(commit, 7_000)).rejects.toMatchObject({ code: 'UNAVAILABLE', retriable: true })
  })

  it('are refused for good where that is what the broker says', async () => {
    const a = await settled()
    cluster.fail('OffsetCommit', 12)
    const commit = a.group.commit([{ ...at(0), offset: 1, metadata: 'x'.repeat(5000) }], stampOf(a))
    await expect(inTime(commit)).rejects.toMatchObject({ code: 'INVALID_OPTION', context: at(0) })
    cluster.fail('OffsetFetch', 30)
    await expect(inTime(a.group.committed([at(0)]))).rejects.toMatchObject({ code: 'NOT_AUTHORIZED' })
  })
})
