import { describe, expect, it } from 'vitest'
import {
  count,
  groupByKey,
  json,
  keyValueStore,
  long,
  nullable,
  output,
  process,
  processValues,
  stream,
  string,
  to,
  topology,
  toStream,
} from '../../../src/index.ts'
import { TopologyDriver } from '../../../src/testing/index.ts'

const texts = { key: string(), value: string() }

describe('records', () => {
  it('carry where they came from; time and headers can be set on what is forwarded', () => {
    const driver = new TopologyDriver(
      topology('metadata', [
        stream('in', { key: nullable(string()), value: nullable(string()) }).pipe(
          process('metadata', { output: output<string, string>() }, ({ forward, drop }) => ({
            process(value, key, { topic, partition, offset, timestamp, headers }) {
              if (key === null) return drop()
              forward(key, `${topic}/${partition}@${offset}: ${value}`)
              forward(key, 'marked', { headers: [...headers, ['seen', Buffer.from('yes')]] })
              forward(key, 'plain', { headers: [], timestamp: timestamp + 1 })
              forward(key, 'again')
            },
          })),
          to('out', texts),
        ),
      ]),
    )
    driver.pipe('in', null, 'x', 1)
    driver.pipe('in', 'k', null, 5, [['id', Buffer.from('7')]])
    const id = ['id', Buffer.from('7')]
    expect(
      driver
        .read('out')
        .map(({ value, timestamp, headers }) => [
          value,
          timestamp,
          headers.map(([name, bytes]) => [name, Buffer.from(bytes ?? [])]),
        ]),
    ).toEqual([
      ['in/0@1: null', 5, [id]],
      ['marked', 5, [id, ['seen', Buffer.from('yes')]]],
      ['plain', 6, []],
      ['again', 5, [id]],
    ])
    expect(driver.droppedByReason().get('skipped')).toBe(1)
  })

  it('go to the dead letters when the function throws, and the next one is processed', () => {
    const driver = new TopologyDriver(
      topology('throwing', [
        stream('in', texts).pipe(
          process('throwing', {}, ({ forward }) => ({
            process(value, key) {
              if (value === 'bad') throw new Error('bad')
              forward(key, value)
            },
          })),
          to('out', texts),
        ),
      ]),
      { errors: { failing: 'dead-letter' } },
    )
    driver.pipe('in', 'a', 'bad', 0)
    driver.pipe('in', 'b', 'good', 1)
    expect(driver.read('out').map(({ key }) => key)).toEqual(['b'])
    expect(driver.deadLetters().map(({ key }) => String(key))).toEqual(['a'])
  })
})

it('processValues keeps the key, of timers too: nothing is repartitioned behind it', () => {
  const last = keyValueStore('last', { key: string(), value: long() })
  const changes = stream('in', { key: string(), value: long() }).pipe(
    processValues(
      'changes',
      { stores: { last }, timers: { eventTime: string() }, value: string() },
      ({ stores, timers, forward }) => ({
        process(celsius, sensor, { timestamp }) {
          forward(String(celsius - (stores.last.get(sensor) ?? celsius)))
          stores.last.put(sensor, celsius)
          timers.eventTime.set(sensor, timestamp + 10)
        },
        onEventTime: () => forward('silent'),
      }),
    ),
  )
  const driver = new TopologyDriver(
    topology('changes', [
      changes.pipe(to('out', texts)),
      changes.pipe(groupByKey(), count('counted'), toStream(), to('counts', { key: string(), value: json() })),
    ]),
  )
  expect(driver.plan.subtopologies).toHaveLength(1)
  driver.pipe('in', 'a', 20, 0)
  driver.pipe('in', 'a', 23, 5)
  driver.pipe('in', 'b', 4, 15)
  expect(driver.read('out').map(({ key, value, timestamp }) => [key, value, timestamp])).toEqual([
    ['a', '0', 0],
    ['a', '3', 5],
    ['a', 'silent', 15],
    ['b', '0', 15],
  ])
})
