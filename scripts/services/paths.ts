import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

const KAFKA_VERSION = '4.4.0'
/** The broker's. `MILLRACE_KAFKA_VERSION=4.2.0` asks how another one does, with services and data of its own. */
export const kafkaVersion = process.env.MILLRACE_KAFKA_VERSION ?? KAFKA_VERSION

/** Downloads: jars, a Java runtime, a Go binary. About 450 MB for all three services. */
export const cacheDirectory = (): string =>
  resolve(process.env.MILLRACE_SERVICES_HOME ?? join(homedir(), '.cache', 'millrace-services'))

/** Run state of this checkout: ports, process ids, data and logs. Another directory gives another, independent set of services. */
export function stateDirectory(): string {
  const chosen = process.env.MILLRACE_SERVICES_STATE
  if (chosen !== undefined) return resolve(chosen)
  const usual = join(import.meta.dirname, '..', '..', '.services')
  return kafkaVersion === KAFKA_VERSION ? usual : join(usual, `kafka-${kafkaVersion}`)
}
