import type { Logger } from 'pino'
import type { Serde } from '../serde/serde.ts'
import type { RefusedRow, Sink, SinkBatch, SinkContext, SinkDefinition } from '../sinks/sink.ts'
import type { SinkBuffer } from './task/sink-buffer.ts'

/** The sinks of an application, each opened when it is first needed. */
export interface Sinks {
  /** Opens what a task will write to, so that a wrong address shows at the start. */
  open(buffer: SinkBuffer): Promise<void>
  write(sink: SinkDefinition<never, never>, batch: SinkBatch<unknown, unknown>): Promise<readonly RefusedRow[]>
  close(): Promise<void>
}

export interface SinkObserver {
  wrote(sink: string, rows: number, ms: number): void
  retried(sink: string): void
}

export function createSinks(application: string, logger: Logger, observer: SinkObserver): Sinks {
  const opened = new Map<SinkDefinition<never, never>, Promise<Sink<unknown, unknown>>>()
  const open = (sink: SinkDefinition<never, never>, serdes: { key?: Serde<unknown>; value?: Serde<unknown> }) => {
    let opening = opened.get(sink)
    if (opening === undefined) {
      const context: SinkContext = {
        application,
        ...serdes,
        log: (level, message, details) => logger[level]({ sink: sink.name, ...details }, message),
        onRetry: () => observer.retried(sink.name),
      }
      opening = sink.open(context) as Promise<Sink<unknown, unknown>>
      opened.set(sink, opening)
      // A failure is not remembered: the next attempt opens again.
      opening.catch(() => opened.delete(sink))
    }
    return opening
  }
  return {
    async open({ sink, serdes }) {
      await open(sink, serdes)
    },
    async write(sink, batch) {
      const target = await open(sink, {})
      const started = performance.now()
      const refused = await target.write(batch)
      observer.wrote(sink.name, batch.keys.length - refused.length, performance.now() - started)
      return refused
    },
    async close() {
      for (const sink of opened.values()) await sink.then((of) => of.close()).catch(() => {})
      opened.clear()
    },
  }
}
