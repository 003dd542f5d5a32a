import { MillraceError } from '../../../../errors.ts'
import { errorCodes, kafkaError } from '../../wire/error-codes.ts'
import { membershipError } from '../membership-error.ts'
import { type Status, statusCodes } from './protocol.ts'

/** What a coordinator's refusal of a heartbeat means, with the way out. Retriable only where waiting helps. */
export function refusal(
  code: number,
  message: string | null,
  group: string,
  instanceId: string | undefined,
): MillraceError {
  switch (code) {
    case errorCodes.UNSUPPORTED_VERSION:
      return unsupported(`it refuses the membership of group "${group}"`)
    case errorCodes.GROUP_ID_NOT_FOUND:
      return new MillraceError('INVALID_OPTION', `group "${group}" has members of another protocol: ${message}`, {
        hint: "stop all of them before the first instance with protocol: 'streams' starts; the committed offsets stay",
      })
    case errorCodes.UNRELEASED_INSTANCE_ID:
      return membershipError(errorCodes.FENCED_INSTANCE_ID, group, instanceId)
    case errorCodes.STREAMS_INVALID_TOPOLOGY:
    case errorCodes.STREAMS_INVALID_TOPOLOGY_EPOCH:
    case errorCodes.STREAMS_TOPOLOGY_FENCED:
      return otherTopology(group, message)
    case errorCodes.INVALID_REQUEST:
      if (message !== null && /topology/i.test(message)) return otherTopology(group, message)
      return new MillraceError('INTERNAL', `the broker refuses the membership of group "${group}": ${message}`, {
        hint: "protocol: 'classic' does without what the broker does not have",
      })
    case errorCodes.GROUP_MAX_SIZE_REACHED:
      return new MillraceError('INVALID_OPTION', `group "${group}" has as many members as the broker allows`, {
        hint: "raise the broker's group.streams.max.size, or run fewer instances",
      })
    case errorCodes.FENCED_INSTANCE_ID:
      return membershipError(code, group, instanceId)
    default:
      return kafkaError(code, `membership in group "${group}"`, { detail: message })
  }
}

const otherTopology = (group: string, message: string | null) =>
  new MillraceError('INVALID_TOPOLOGY', `the broker does not accept the topology for group "${group}": ${message}`, {
    hint:
      'a streams group keeps the topology it was made with. To change it, stop all instances, start the new version ' +
      "with protocol: 'classic' (the committed offsets stay), and go back to 'streams' after another full stop",
  })

/** The broker, or the cluster, does not have the protocol. */
export const unsupported = (because: string): MillraceError =>
  new MillraceError('UNSUPPORTED_BROKER', `the broker does not offer streams groups (KIP-1071): ${because}`, {
    hint:
      "Kafka 4.2 or newer is needed, with 'streams' in the broker's group.coordinator.rebalance.protocols and the feature " +
      "streams.version=1 (kafka-features.sh upgrade --feature streams.version=1); or use protocol: 'classic'",
  })

/**
 * What a status of the group means for a member.
 *
 * - `wait`: the broker is at it, and the next heartbeats tell.
 * - `warn`: it goes on, and somebody should look.
 * - `end`: membership cannot go on, at once or when the status stays.
 */
export type Verdict =
  | { readonly kind: 'wait' }
  | { readonly kind: 'warn'; readonly message: string }
  | { readonly kind: 'end'; readonly error: MillraceError; readonly atOnce: boolean }

export function verdict({ code, detail }: Status, group: string): Verdict {
  const end = (error: MillraceError, atOnce = false): Verdict => ({ kind: 'end', error, atOnce })
  const warn = (message: string): Verdict => ({ kind: 'warn', message })
  switch (code) {
    case statusCodes.ASSIGNMENT_DELAYED:
      return { kind: 'wait' }
    case statusCodes.STALE_TOPOLOGY:
      return warn(`group "${group}" has a newer topology than this instance, which is given no tasks: ${detail}`)
    case statusCodes.MISSING_CLIENT_TAGS:
      return warn(`group "${group}" spreads standbys by client tags that this instance lacks: ${detail}`)
    case statusCodes.MISSING_SOURCE_TOPICS:
      return end(
        new MillraceError('MISSING_TOPIC', `the broker gives group "${group}" no tasks: ${detail}`, {
          hint: 'create the topics and start again; createTopics: true has them made',
        }),
      )
    case statusCodes.MISSING_INTERNAL_TOPICS:
      return end(
        new MillraceError(
          'MISSING_TOPIC',
          `the broker cannot make the internal topics of group "${group}": ${detail}`,
          {
            hint: 'their state is gone with them; the broker log says why they cannot be made',
          },
        ),
      )
    case statusCodes.INCORRECTLY_PARTITIONED_TOPICS:
      return end(
        new MillraceError('TOPIC_MISMATCH', `the broker gives group "${group}" no tasks: ${detail}`, {
          hint: 'state is spread by partition: start over under a new application name, or fix the count with repartition(…, { partitions })',
        }),
      )
    case statusCodes.SHUTDOWN_APPLICATION:
      return end(
        new MillraceError('CLOSED', `another member of group "${group}" has asked all members to stop`, {
          hint: 'the log of that member says why',
        }),
        true,
      )
    default:
      return warn(`the broker says of group "${group}": status ${code}, ${detail}`)
  }
}
