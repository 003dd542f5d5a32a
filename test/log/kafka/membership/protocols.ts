import type { ManualClock } from '../../../../src/time.ts'
import type { FakeBroker } from './fake-broker.ts'
import { fakeClassicBroker } from './fake-classic-group.ts'
import { fakeStreamsBroker } from './streams/fake-streams-group.ts'

/** What the contract must know of a protocol. */
export interface ProtocolUnderTest<Broker extends FakeBroker = FakeBroker> {
  readonly name: 'classic' | 'streams'
  broker(clock: ManualClock): Broker
  /** The requests that take a member in. */
  readonly join: readonly string[]
  /** The one that keeps it in. */
  readonly heartbeat: string
  /** The one that takes it out. */
  readonly leave: string
  /** How long a task that has been given up stands still at most. */
  readonly handoverMs: number
  /** What the coordinator says to one who is to come back in a moment. */
  readonly passing: readonly number[]
  /** What it says to one without whom the group has gone on; and whether that one comes back under its own id. */
  readonly fencing: readonly { readonly error: number; readonly isSameMember: boolean }[]
  /** With what it refuses to take a member in, now and ever, and what the user is told. */
  readonly refusals: readonly {
    readonly error: number
    readonly message?: string
    readonly code: string
    readonly text: RegExp
  }[]
}

export const classic = {
  name: 'classic',
  broker: fakeClassicBroker,
  join: ['JoinGroup', 'SyncGroup'],
  heartbeat: 'Heartbeat',
  leave: 'LeaveGroup',
  handoverMs: 200,
  passing: [14, 15, 16, 27],
  fencing: [
    { error: 22, isSameMember: true },
    { error: 25, isSameMember: false },
  ],
  refusals: [
    { error: 23, code: 'INVALID_OPTION', text: /consumers of another kind/ },
    { error: 26, code: 'INVALID_OPTION', text: /session\.timeout/ },
    { error: 30, code: 'NOT_AUTHORIZED', text: /kafka-acls/ },
    { error: 81, code: 'INVALID_OPTION', text: /group\.max\.size/ },
    { error: -1, code: 'INTERNAL', text: /UNKNOWN_SERVER_ERROR/ },
  ],
} as const satisfies ProtocolUnderTest

export const streams = {
  name: 'streams',
  broker: fakeStreamsBroker,
  join: ['StreamsGroupHeartbeat'],
  heartbeat: 'StreamsGroupHeartbeat',
  leave: 'StreamsGroupHeartbeat',
  handoverMs: 220,
  passing: [14, 15, 16],
  fencing: [
    { error: 25, isSameMember: true },
    { error: 110, isSameMember: true },
  ],
  refusals: [
    { error: 30, code: 'NOT_AUTHORIZED', text: /kafka-acls/ },
    { error: 35, code: 'UNSUPPORTED_BROKER', text: /Kafka 4\.2/ },
    {
      error: 42,
      message: 'Topology updates are not supported yet.',
      code: 'INVALID_TOPOLOGY',
      text: /protocol: 'classic'/,
    },
    { error: 42, message: 'something else', code: 'INTERNAL', text: /something else/ },
    { error: 69, message: 'Group shop is not a streams group.', code: 'INVALID_OPTION', text: /another protocol/ },
    { error: 81, code: 'INVALID_OPTION', text: /group\.streams\.max\.size/ },
    { error: 130, code: 'INVALID_TOPOLOGY', text: /topology/ },
    { error: -1, code: 'INTERNAL', text: /UNKNOWN_SERVER_ERROR/ },
  ],
} as const satisfies ProtocolUnderTest
