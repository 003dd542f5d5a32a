import { join, resolve } from 'node:path'
import { systemClock } from '../../time.ts'
import { Broker } from '../local/broker.ts'
import { localLog } from '../local/local-log.ts'
import type { Log } from '../log.ts'
import { sqliteStorage } from './sqlite-storage.ts'

export interface EmbeddedOptions {
  /** Directory of the log; it is made. The log is the file `millrace.db` in it. */
  readonly path: string
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
  const file = join(resolve(typeof options === 'string' ? options : options.path), 'millrace.db')
  const shared = brokers.get(file) ?? {
    broker: new Broker(sqliteStorage(file), { clock: systemClock, write: 'tick' }),
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
