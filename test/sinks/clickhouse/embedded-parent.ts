import { embeddedClickHouse } from '../../../src/sinks/clickhouse/embedded/embedded.ts'

// A process that runs an embedded ClickHouse and ends without closing it: on a signal, or by having nothing to do.
const [, , path, ending] = process.argv
const { pid } = await embeddedClickHouse({ path: path! })
process.send!(pid, () => {
  if (ending === 'finish') process.disconnect()
})
if (ending !== 'finish') setInterval(() => {}, 1000)
