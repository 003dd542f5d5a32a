import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { environmentOf, isRunning, runningProcess } from '../../scripts/services/control.ts'
import type { Options } from './options.ts'
import type { Place } from './place.ts'

/** Where a command's runs take place. */
export interface Site {
  readonly place: Place
  readonly brokerPid: number | undefined
  close(): void
}

/** The cluster that is named, else the Kafka of this checkout if it is up, else a log of its own. */
export function siteOf({ brokers, embedded, brokerPid }: Pick<Options, 'brokers' | 'embedded' | 'brokerPid'>): Site {
  const close = () => {}
  if (brokers) return { place: { kind: 'kafka', brokers }, brokerPid, close }
  if (!embedded && isRunning('kafka')) {
    const own = environmentOf('kafka').KAFKA_BROKERS.split(',')
    return { place: { kind: 'kafka', brokers: own }, brokerPid: brokerPid ?? runningProcess('kafka')?.pid, close }
  }
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  const remove = () => rmSync(directory, { recursive: true, force: true })
  return { place: { kind: 'embedded', directory }, brokerPid: undefined, close: remove }
}
