import { describe, expect, it } from 'vitest'
import { code, membersOf } from '../members.ts'
import { streams } from '../protocols.ts'

const on = membersOf(streams)

describe('the protocol', () => {
  it.each([
    ['does not know it', () => on.broker.speaks.clear()],
    ['has not switched it on', () => on.broker.features.set('streams.version', 0)],
    ['has not heard of the feature', () => on.broker.features.clear()],
  ])('is refused where the cluster %s, and nothing else is done instead', async (_, arrange) => {
    arrange()
    const error = await on.failed(on.member())
    expect(code(error)).toBe('UNSUPPORTED_BROKER')
    expect(error.hint).toMatch(/4\.2.*group\.coordinator\.rebalance\.protocols.*streams\.version=1/s)
    expect(on.broker.requests).not.toContain('JoinGroup')
    expect(on.broker.beats).toEqual([])
  })

  it('has no static members in its older version', async () => {
    on.broker.speaks.set(88, { min: 0, max: 0 })
    await on.settled()
    const error = await on.failed(on.member({ instanceId: 'a' }))
    expect(code(error)).toBe('UNSUPPORTED_BROKER')
    expect(error.hint).toMatch(/4\.4/)
  })
})

describe('the configuration of the group', () => {
  it('is made to say what the options say, and left alone where it does', async () => {
    await on.settled({ standbys: 1, maxWarmups: 3 })
    expect(Object.fromEntries(on.broker.config)).toEqual({
      'streams.session.timeout.ms': '6000',
      'streams.heartbeat.interval.ms': '5000',
      'streams.num.standby.replicas': '1',
    })
    const changes = on.countOf('IncrementalAlterConfigs')
    expect(changes).toBe(1)
    const other = on.member({ standbys: 1 })
    await on.broker.until('in', () => other.seen.calls.length > 0)
    expect(on.countOf('IncrementalAlterConfigs')).toBe(changes)
  })

  it('leaves room in a short session for the heartbeats that the broker advises', async () => {
    await on.settled({ sessionTimeoutMs: 3_000 })
    expect(on.broker.config.get('streams.heartbeat.interval.ms')).toBe('1000')
  })

  it.each([30, 31])('is as it is for one who has no right to change it (%i), and is told', async (error) => {
    on.broker.configRefusal.error = error
    const one = await on.settled()
    expect(one.seen.warnings).toEqual([expect.stringMatching(/no right to set .*streams\.session\.timeout\.ms=6000/)])
  })

  it('is refused by a broker that allows no such session', async () => {
    on.broker.configRefusal.error = 40
    const error = await on.failed(on.member())
    expect(code(error)).toBe('INVALID_OPTION')
    expect(error.hint).toMatch(/group\.streams\.min\.session\.timeout\.ms/)
  })
})
