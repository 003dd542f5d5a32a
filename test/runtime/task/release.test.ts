import { expect, it } from 'vitest'
import {
  count,
  groupByKey,
  milliseconds,
  stream,
  string,
  to,
  topology,
  toStream,
  tumbling,
  type Windowed,
  windowedBy,
} from '../../../src/index.ts'
import { readBatch } from '../../../src/log/batch/read-batch.ts'
import { createTask } from '../../../src/runtime/task/task.ts'
import { batchOf } from '../../../src/testing/contracts/log/fixture.ts'
import { manualClock } from '../../../src/time.ts'
import { plan } from '../../../src/topology/plan.ts'
import { unopenedSink } from '../../support/unopened-sink.ts'

const planned = plan(
  topology('job', [
    stream('in', { key: string(), value: string() }).pipe(
      groupByKey(),
      windowedBy(tumbling(milliseconds(10))),
      count('counts'),
      toStream(),
      to(unopenedSink<Windowed<string>, number>()),
    ),
  ]),
)

/** The rows of one commit, processed so many records at a time. */
function rows(slice: number) {
  const task = createTask(planned.subtopologies[0], 0, {
    application: 'job',
    registry: undefined,
    emit: 'commit',
    partitions: () => 1,
    tasks: () => 1,
    clock: manualClock(0),
    policies: { undecodable: 'fail', failing: 'fail', refused: 'fail' },
    deadLetterTopic: undefined,
  })
  const bytes = batchOf(['a', 'x', 1], ['b', 'x', 15], ['a', 'x', 2], ['a', 'x', 16], ['b', 'x', 27], ['c', 'x', 41])
  task.seek('in', 0)
  task.start({})
  task.add('in', [readBatch(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length)], 6, 6)
  while (task.process(slice) > 0);
  const [{ batch }] = task.flush().sinks
  task.close()
  return batch
}

it('a sink is given the same rows in the same order, however many records are processed at a time', () => {
  const whole = rows(100)
  expect(whole.values.length).toBe(5)
  for (const slice of [1, 2, 3]) expect(rows(slice)).toEqual(whole)
})
