import { type Log, string, to, topology } from 'millrace'
import { type Query, queries } from '../nexmark/queries.ts'
import { reference } from '../nexmark/references.ts'
import { registry } from '../nexmark/topics.ts'
import { Checksum } from '../suite/checksum.ts'
import { job } from '../suite/job.ts'
import { readAll } from '../suite/topics.ts'
import type { Workload } from '../suite/workload.ts'

/** The last line of each key counts; one that was taken back does not. */
async function latestLines(log: Log, topic: string, settled: Query['settled']) {
  const latest = new Map<string, string | null>()
  let outputs = 0
  await readAll(log, topic, ({ buffer, count, keyStart, keyEnd, valueStart, valueEnd }) => {
    outputs += count
    for (let i = 0; i < count; i++) {
      const value = valueStart[i] < 0 ? null : buffer.utf8Slice(valueStart[i], valueEnd[i])
      latest.set(buffer.utf8Slice(keyStart[i], keyEnd[i]), value)
    }
  })
  const lines = new Map([...latest].flatMap(([key, line]) => (line === null ? [] : [[key, line]])))
  const checksum = new Checksum()
  for (const [key, line] of settled?.(lines) ?? lines) checksum.add(`${key}|${line}`)
  return { outputs, checksum }
}

/** The queries of Nexmark, `nexmark-q0` and so on; n are all events, of which a query may read a part. */
export const nexmark: readonly Workload[] = Object.entries(queries).map(([name, { summary, inputs, build, settled }]) =>
  job({
    name: `nexmark-${name}`,
    summary,
    records: 1_000_000,
    smokeRecords: 30_000,
    inputs,
    registry,
    topology: ({ application, inputs: topics, output }) =>
      topology(application, [build(topics).pipe(to(output, { key: string(), value: string() }))]),
    read: (log, topic) => latestLines(log, topic, settled),
    reference: (n, seed) => reference(name, n, seed),
  }),
)
