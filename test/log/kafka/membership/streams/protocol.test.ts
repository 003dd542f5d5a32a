import { describe, expect, it } from 'vitest'
import { streamsDescribeRequest } from '../../../../../src/log/kafka/membership/streams/describe.ts'
import {
  describeGroupConfigRequest,
  setGroupConfigRequest,
} from '../../../../../src/log/kafka/membership/streams/group-config.ts'
import { JOINING, streamsHeartbeatRequest } from '../../../../../src/log/kafka/membership/streams/protocol.ts'
import { featuresRequest } from '../../../../../src/log/kafka/wire/cluster.ts'
import type { Request } from '../../../../../src/log/kafka/wire/request.ts'
import { WireReader } from '../../../../../src/log/kafka/wire/wire-reader.ts'
import { JAVA_MESSAGES } from './java-messages.ts'

type Message = keyof typeof JAVA_MESSAGES

/** Behind the tag section that ends a flexible header. */
const bodyOf = ({ body }: Request<unknown>) => {
  expect(body[0]).toBe(0)
  return body.subarray(1).toString('hex')
}
const read = <Answer>({ decode }: Request<Answer>, message: Message, header = '00') => {
  const reader = new WireReader(Buffer.from(header + JAVA_MESSAGES[message], 'hex'))
  return { answer: decode(reader), left: reader.buffer.length - reader.position }
}

describe('the heartbeat of a streams group', () => {
  it('joins with the topology', () => {
    const request = streamsHeartbeatRequest(1, {
      group: 'shop',
      memberId: 'm-1',
      epoch: JOINING,
      instanceId: 'left',
      rack: 'r1',
      rebalanceTimeoutMs: 60_000,
      processId: 'p-1',
      clientTags: { zone: 'é' },
      owned: { active: [], standby: [], warmup: [] },
      topology: {
        epoch: 7,
        subtopologies: [
          {
            id: '0',
            sourceTopics: ['a', 'b'],
            changelogs: [],
            repartitionSinks: ['shop-by-word-repartition'],
            repartitionSources: [],
            copartitioned: [{ sourceTopics: [0, 1], repartitionSources: [] }],
          },
          {
            id: '1',
            sourceTopics: ['c'],
            changelogs: [
              {
                topic: 'shop-totals-changelog',
                partitions: 0,
                replicationFactor: 0,
                config: [['cleanup.policy', 'compact']],
              },
            ],
            repartitionSinks: [],
            repartitionSources: [
              { topic: 'shop-by-word-repartition', partitions: 4, replicationFactor: 3, config: [] },
            ],
            copartitioned: [{ sourceTopics: [0], repartitionSources: [0] }],
          },
        ],
      },
    })
    expect(request).toMatchObject({ apiKey: 88, apiVersion: 1 })
    expect(bodyOf(request)).toBe(JAVA_MESSAGES.join)
  })

  it('says nothing of what has not changed', () => {
    const request = streamsHeartbeatRequest(0, { group: 'shop', memberId: 'm-1', epoch: 5 })
    expect(bodyOf(request)).toBe(JAVA_MESSAGES.quiet)
  })

  it('reports the tasks that are owned, and how far they are', () => {
    const request = streamsHeartbeatRequest(1, {
      group: 'shop',
      memberId: 'm-1',
      epoch: 5,
      owned: {
        active: [{ subtopology: '0', partitions: [0, 1, 300] }],
        standby: [{ subtopology: '1', partitions: [2] }],
        warmup: [],
      },
      offsets: [{ subtopology: '1', partition: 2, offset: 2 ** 40 }],
      endOffsets: [{ subtopology: '1', partition: 2, offset: 2 ** 40 + 5 }],
    })
    expect(bodyOf(request)).toBe(JAVA_MESSAGES.report)
  })

  it.each([0, 1] as const)('is answered with tasks and statuses (v%i)', (version) => {
    const request = streamsHeartbeatRequest(version, { group: 'shop', memberId: 'm-1', epoch: 5 })
    expect(read(request, `assigned${version}`).answer).toEqual({
      error: 0,
      message: null,
      memberId: 'm-1',
      epoch: 6,
      heartbeatIntervalMs: 5_000,
      offsetIntervalMs: 60_000,
      acceptableLag: version === 0 ? 10_000 : 20_000_000_000,
      statuses: [{ code: 3, detail: 'missing: x' }],
      tasks: { active: [{ subtopology: '1', partitions: [0, 3] }], standby: [], warmup: [] },
    })
  })

  it('is answered with nothing where nothing has changed, and with the reason where it is refused', () => {
    const request = streamsHeartbeatRequest(1, { group: 'shop', memberId: 'm-1', epoch: 5 })
    expect(read(request, 'unchanged').answer).toMatchObject({ error: 0, epoch: 6, statuses: [], tasks: undefined })
    const { error, message } = read(request, 'refused').answer
    expect({ error, message }).toEqual({ error: 42, message: 'Topology updates are not supported yet' })
  })
})

it('a described group tells its members, whatever else they have', () => {
  const request = streamsDescribeRequest('shop')
  expect(bodyOf(request)).toBe(JAVA_MESSAGES.describe)
  const { answer, left } = read(request, 'described')
  expect(left).toBe(1) // the tags of the answer itself
  const none = { active: [], standby: [], warmup: [] }
  expect(answer).toEqual({
    error: 0,
    message: null,
    state: 'Stable',
    members: [
      {
        memberId: 'm-1',
        epoch: 6,
        instanceId: 'left',
        processId: 'p-1',
        offsets: [{ subtopology: '1', partition: 2, offset: 77 }],
        endOffsets: [{ subtopology: '1', partition: 2, offset: 80 }],
        tasks: { ...none, active: [{ subtopology: '0', partitions: [1] }] },
        target: { ...none, standby: [{ subtopology: '0', partitions: [2] }] },
      },
      {
        memberId: 'm-2',
        epoch: 6,
        instanceId: null,
        processId: 'p-2',
        offsets: [],
        endOffsets: [],
        tasks: none,
        target: none,
      },
    ],
  })
  expect(read(request, 'describedNotReady').answer).toEqual({
    error: 69,
    message: 'no such group',
    state: '',
    members: [],
  })
})

it('the configuration of a group is read and set', () => {
  const wanted = new Map([['streams.num.standby.replicas', '1']])
  const set = setGroupConfigRequest('shop', wanted)
  expect(bodyOf(set)).toBe(JAVA_MESSAGES.alter)
  expect(read(set, 'altered')).toEqual({ answer: { error: 40, message: 'no' }, left: 1 })
  const get = describeGroupConfigRequest('shop', ['streams.session.timeout.ms'])
  expect(bodyOf(get)).toBe(JAVA_MESSAGES.describeConfigs)
  const { answer, left } = read(get, 'configs')
  expect(answer).toEqual({ error: 0, message: null, config: new Map([['streams.session.timeout.ms', '45000']]) })
  expect(left).toBe(1)
})

it('the features of a cluster are those that all of it has agreed on', () => {
  const request = featuresRequest()
  expect(bodyOf(request)).toBe(JAVA_MESSAGES.featuresRequest)
  const { answer, left } = read(request, 'features', '')
  expect(answer).toEqual({ error: 0, features: new Map([['streams.version', 1]]) })
  expect(left).toBe(0)
})
