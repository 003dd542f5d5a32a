import { join, resolve } from 'node:path'
import { MillraceError } from '../../errors.ts'
import { systemClock } from '../../time.ts'
import { Broker } from '../local/broker.ts'
import { localLog } from '../local/local-log.ts'
import type { Log } from '../log.ts'
import { sqliteStorage } from './sqlite-storage.ts'

export interface EmbeddedOptions {
  /** Directory of the log; it is made. The log is the file `millrace.db` in it. */
  readonly path: string
  /**
   * How large the file may become, in bytes; beyond that writing fails with the retriable `DISK_FULL` until records are
   * trimmed. Of several in one process the first counts. Default: as large as the disk.
   */
  readonly maxBytes?: number
}

/** Connections of this process to one file share what is open. */
const brokers = new Map<string, { readonly broker: Broker; users: number }>()

/**
 * A log in one SQLite file: topics, transactions and consumer groups with nothing installed but Node. What has been
 * acknowledged is on disk, and a process may be killed at any moment.
 *
 * It is one process's log, not a small Kafka: a second process that opens it gets `DATA_DIRECTORY`, while any number of
 * `embedded(path)` in one process share it. Also throws `DATA_DIRECTORY` for a directory that cannot be written, and
 * the retriable `DISK_FULL`. Change to `kafka({ brokers })` when you outgrow it.
 *
 * @example
 * ```ts
 * const running = await run(shop, { log: embedded('./data/log') })
 * ```
 */
export function embedded(options: string | EmbeddedOptions): Log {
  const { path, maxBytes = Number.POSITIVE_INFINITY } = typeof options === 'string' ? { path: options } : options
  if (!(maxBytes > 0)) throw new MillraceError('INVALID_OPTION', `maxBytes must be above 0, got ${maxBytes}`)
  const file = join(resolve(path), 'millrace.db')
  const shared = brokers.get(file) ?? {
    broker: new Broker(sqliteStorage(file, maxBytes), { clock: systemClock, write: 'tick' }),
    users: 0,
  }
  brokers.set(file, shared)
  let connected = false
  return localLog(shared.broker, {
    kind: 'embedded',
    breathe: () => new Promise((resolve) => setImmediate(resolve)),
    onConnect() {
      if (connected) return
      shared.broker.open()
      connected = true
      shared.users++
    },
    onClose() {
      if (!connected) return
      connected = false
      if (--shared.users === 0) shared.broker.close()
    },
  })
}
