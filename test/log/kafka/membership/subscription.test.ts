import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../../../src/log/kafka/membership/subscription.ts'

const subscription = {
  topics: ['orders', 'payments'],
  processId: 'p1',
  tasks: ['0_0', '0_1', '1_0'],
  reads: new Map([
    ['0', ['orders', 'payments']],
    ['1', ['app-totals-repartition']],
  ]),
  owned: ['0_1'],
  generation: 7,
  stateful: ['1_0'],
  progress: [{ task: '1_0', offset: 90, end: 100 }],
}
const consumerProtocol = (ours: string) => {
  const userData = Buffer.from(ours)
  const head = Buffer.alloc(10)
  head.writeInt32BE(userData.length, 6)
  return Buffer.concat([head, userData])
}

describe('the subscription', () => {
  it('comes out as it went in', () => {
    expect(decodeSubscription(encodeSubscription(subscription))).toEqual({ ...subscription, keepsStandbys: true })
  })

  it('begins as ConsumerProtocolSubscription version 0, which every tool reads', () => {
    const bytes = encodeSubscription({ ...subscription, topics: ['t'] })
    expect(bytes.subarray(0, 9).toString('hex')).toBe('000000000001000174')
    expect(bytes.readInt32BE(9)).toBe(bytes.length - 13)
  })

  it('passes over fields that a later version adds', () => {
    const later = consumerProtocol(
      JSON.stringify({ version: 9, processId: 'p', generation: 2, tasks: ['0_0-1'], owned: [], rack: { '0_0': 5 } }),
    )
    expect(decodeSubscription(later)).toEqual({
      topics: [],
      processId: 'p',
      generation: 2,
      tasks: ['0_0', '0_1'],
      owned: [],
      stateful: [],
      progress: [],
      keepsStandbys: true,
    })
  })

  it('of version 1 says nothing of state, and its member keeps no standbys', () => {
    const earlier = consumerProtocol(
      JSON.stringify({ version: 1, processId: 'p', generation: 2, tasks: ['0_0-1'], owned: ['0_1'] }),
    )
    expect(decodeSubscription(earlier)).toEqual({
      topics: [],
      processId: 'p',
      generation: 2,
      tasks: ['0_0', '0_1'],
      owned: ['0_1'],
      stateful: [],
      progress: [],
      keepsStandbys: false,
    })
  })

  it('passes over progress that makes no sense', () => {
    const progress = [['0_0', 1, 2], ['0_1', -1.5, 2], ['0_1', 1], 7, null, [3, 4, 5]]
    const { progress: read } = decodeSubscription(consumerProtocol(JSON.stringify({ version: 2, progress })))
    expect(read).toEqual([{ task: '0_0', offset: 1, end: 2 }])
  })

  it('of someone else means: runs nothing', () => {
    const nothing = {
      topics: [],
      processId: '',
      tasks: [],
      owned: [],
      generation: -1,
      stateful: [],
      progress: [],
      keepsStandbys: false,
    }
    for (const ours of ['', 'null', '3', '[]', '{', '{"tasks":4,"owned":{},"generation":"x","processId":0}']) {
      expect(decodeSubscription(consumerProtocol(ours))).toEqual(nothing)
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(decodeSubscription(Buffer.from(bytes)).tasks).toEqual([])
      }),
    )
  })
})

describe('the assignment', () => {
  it('comes out as it went in', () => {
    const assignment = {
      active: ['0_0', '0_1'],
      standby: ['1_3'],
      warmup: ['1_4'],
      missingStandbys: 2,
      known: ['0_0', '0_1', '1_3'],
      isMoving: true,
      reads: [
        { topic: 'a', partition: 0 },
        { topic: 'a', partition: 1 },
        { topic: 'b', partition: 0 },
      ],
    }
    expect(decodeAssignment(encodeAssignment(assignment))).toEqual(assignment)
  })

  it('names a partition once that two tasks read', () => {
    const twice = { topic: 'a', partition: 0 }
    const bytes = encodeAssignment({
      active: ['0_0', '1_0'],
      standby: [],
      warmup: [],
      isMoving: false,
      reads: [twice, twice],
    })
    expect(decodeAssignment(bytes).reads).toEqual([twice])
  })

  it('is empty when the broker sends no bytes', () => {
    expect(decodeAssignment(Buffer.alloc(0))).toEqual({
      active: [],
      standby: [],
      warmup: [],
      isMoving: false,
      reads: [],
    })
  })
})
