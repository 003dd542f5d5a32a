import { withLog } from '../suite/place.ts'
import { stopwatch } from '../suite/stopwatch.ts'
import { readAll, recordsIn } from '../suite/topics.ts'
import type { Workload } from '../suite/workload.ts'
import { prepareInputs, topicOf, transactionsInput } from '../transactions/inputs.ts'

const inputs = [transactionsInput]
const records = 5_000_000

/** The ceiling of this client: record batches fetched, checked by CRC and laid open, values not decoded. */
export const consume: Workload = {
  name: 'consume',
  summary: 'fetch only: the ceiling that jobs are compared with',
  records,
  smokeRecords: 100_000,
  onLog: true,
  prepare: (settings) =>
    withLog(settings.place, async (log) => {
      const given = settings.topics[0] === undefined ? undefined : await recordsIn(log, settings.topics[0])
      const n = settings.records ?? given ?? records
      await prepareInputs(log, inputs, settings, n)
      return n
    }),
  measure: (settings) =>
    withLog(settings.place, async (log) => {
      let n = 0
      const watch = stopwatch(settings.brokerPid)
      await readAll(log, topicOf(inputs, 0, settings, settings.records!), (batch) => {
        n += batch.count
      })
      return [{ n, ...watch.read() }]
    }),
}
