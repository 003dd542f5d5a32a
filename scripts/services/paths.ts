import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/** Downloads: jars, a Java runtime, a Go binary. About 450 MB for all three services. */
export const cacheDirectory = (): string =>
  resolve(process.env.MILLRACE_SERVICES_HOME ?? join(homedir(), '.cache', 'millrace-services'))

/** Run state of this checkout: ports, process ids, data and logs. Another directory gives another, independent set of services. */
export const stateDirectory = (): string =>
  resolve(process.env.MILLRACE_SERVICES_STATE ?? join(import.meta.dirname, '..', '..', '.services'))
