import { MillraceError } from '../../../../errors.ts'
import type { StandbyOptions } from '../../../log.ts'
import { featuresRequest } from '../../wire/cluster.ts'
import { errorCodes, kafkaError } from '../../wire/error-codes.ts'
import type { GroupCoordinator } from '../group-coordinator.ts'
import { describeGroupConfigRequest, type GroupConfig, setGroupConfigRequest } from './group-config.ts'
import { heartbeatVersions, STATIC_MEMBERS, STREAMS_GROUP_HEARTBEAT } from './protocol.ts'
import { unsupported } from './refusals.ts'

const lane = 'membership'
const HEARTBEAT = 'streams.heartbeat.interval.ms'

/**
 * The version of the heartbeat to speak. Throws `UNSUPPORTED_BROKER` when the broker has none, or the cluster has not
 * switched the feature on: brokers that were upgraded speak the request before they take it.
 */
export async function heartbeatVersion(coordinator: GroupCoordinator, instanceId: string | undefined): Promise<number> {
  const range = await coordinator.versions(STREAMS_GROUP_HEARTBEAT)
  if (range === undefined) throw unsupported('it does not know the request StreamsGroupHeartbeat')
  const { features } = await coordinator.call(featuresRequest(), { lane })
  if ((features.get('streams.version') ?? 0) < 1) throw unsupported('the feature streams.version of its cluster is off')
  const version = Math.min(range.max, heartbeatVersions.newest)
  if (version < range.min) throw unsupported(`of StreamsGroupHeartbeat it knows v${range.min} to v${range.max}`)
  if (instanceId !== undefined && version < STATIC_MEMBERS) {
    throw new MillraceError('UNSUPPORTED_BROKER', 'the broker has no static members in streams groups', {
      hint: "Kafka 4.4 or newer is needed for an instanceId with protocol: 'streams'; leave it out, or use 'classic'",
    })
  }
  return version
}

export interface GroupSettings extends StandbyOptions {
  readonly sessionTimeoutMs: number
}

/**
 * Here the broker and not the member says how long a session is and how many standbys there are, group by group. So the
 * group's configuration is made to say what the options say; nothing is sent when it does already. Who has not the right
 * to do so goes on with what the group has, and is told.
 *
 * Throws `INVALID_OPTION` where the broker does not allow the value.
 */
export async function configureGroup(
  coordinator: GroupCoordinator,
  group: string,
  settings: GroupSettings,
  warn: (message: string) => void,
): Promise<void> {
  const request = describeGroupConfigRequest(group, [HEARTBEAT, ...wanted(settings).keys()])
  const current = await coordinator.call(request, { lane })
  if (isDenied(current.error)) return void warn(denied(group, 'read', new Map()))
  if (current.error !== errorCodes.NONE) throw failed('reading', group, current.error, current.message)
  const differs = ([name, value]: [string, string]) => (current.config.get(name) ?? value) !== value
  const changes = new Map([...wanted(settings, current.config)].filter(differs))
  if (changes.size === 0) return
  const { error, message } = await coordinator.call(setGroupConfigRequest(group, changes), { lane })
  if (isDenied(error)) return void warn(denied(group, 'set', changes))
  if (error === errorCodes.INVALID_CONFIG) {
    throw new MillraceError(
      'INVALID_OPTION',
      `the broker does not allow ${list(changes)} for group "${group}": ${message}`,
      {
        hint:
          'leave sessionTimeoutMs out for 45,000 ms, or lower group.streams.min.session.timeout.ms and ' +
          'group.streams.min.heartbeat.interval.ms of the broker; standbys are bounded by group.streams.max.standby.replicas',
      },
    )
  }
  if (error !== errorCodes.NONE) throw failed('setting', group, error, message)
}

/** What the options say; a broker of 4.2 has no warm-ups, and is not asked for them. */
function wanted({ sessionTimeoutMs, standbys, maxWarmups, acceptableLag }: GroupSettings, current?: GroupConfig) {
  const config = new Map([['streams.session.timeout.ms', sessionTimeoutMs]])
  // A session must be longer than the heartbeat that the group advises; members send theirs more often than that.
  if (Number(current?.get(HEARTBEAT)) >= sessionTimeoutMs) {
    config.set(HEARTBEAT, Math.max(1, Math.floor(sessionTimeoutMs / 3)))
  }
  if (standbys !== undefined) config.set('streams.num.standby.replicas', standbys)
  if (maxWarmups !== undefined) config.set('streams.num.warmup.replicas', maxWarmups)
  if (acceptableLag !== undefined) config.set('streams.acceptable.recovery.lag', acceptableLag)
  return new Map(Array.from(config, ([name, value]) => [name, String(value)]))
}

const isDenied = (error: number) =>
  error === errorCodes.GROUP_AUTHORIZATION_FAILED || error === errorCodes.CLUSTER_AUTHORIZATION_FAILED

const denied = (group: string, verb: string, changes: GroupConfig) =>
  `no right to ${verb} the configuration of group "${group}"${changes.size > 0 ? `, where ${list(changes)} is wanted` : ''}: ` +
  'the session and the standbys are what the group has (kafka-configs.sh --entity-type groups)'

const failed = (what: string, group: string, error: number, detail: string | null) =>
  kafkaError(error, `${what} the configuration of group "${group}"`, { detail })

const list = (config: GroupConfig) => Array.from(config, ([name, value]) => `${name}=${value}`).join(', ')
