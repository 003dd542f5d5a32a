import type { Logger } from 'pino'
import type { RefusedRow, Sink, SinkBatch, SinkContext, SinkDefinition } from '../sinks/sink.ts'
import type { SinkBuffer } from './task/sink-buffer.ts'

/** The sinks of an application, each opened once per node of the plan. */
export interface Sinks {
  /** Opens what a task will write to, so that a wrong address shows at the start. */
  open(buffer: SinkBuffer): Promise<void>
  write(node: string, batch: SinkBatch<unknown, unknown>): Promise<readonly RefusedRow[]>
  close(): Promise<void>
}

export interface SinkObserver {
  wrote(sink: string, rows: number, ms: number): void
  retried(sink: string): void
}

export type OpenSink = (definition: SinkDefinition<never, never>, context: SinkContext) => Promise<Sink<never, never>>

export function createSinks(
  application: string,
  logger: Logger,
  observer: SinkObserver,
  openSink: OpenSink = (definition, context) => definition.open(context),
): Sinks {
  const opened = new Map<string, Promise<Sink<unknown, unknown>>>()
  return {
    async open({ node, sink, serdes }) {
      if (opened.has(node)) return void (await opened.get(node))
      const opening = openSink(sink, {
        application,
        node,
        ...serdes,
        onSchema: serdes.value?.onSchema,
        log: (level, message, details) => logger[level]({ sink: sink.name, ...details }, message),
        onRetry: () => observer.retried(sink.name),
      }) as Promise<Sink<unknown, unknown>>
      opened.set(node, opening)
      // A failure is not remembered: the next attempt opens again.
      opening.catch(() => opened.delete(node))
      await opening
    },
    async write(node, batch) {
      const target = await opened.get(node)!
      const started = performance.now()
      const refused = await target.write(batch)
      observer.wrote(node, batch.keys.length - refused.length, performance.now() - started)
      return refused
    },
    async close() {
      for (const sink of opened.values()) await sink.then((of) => of.close()).catch(() => {})
      opened.clear()
    },
  }
}
