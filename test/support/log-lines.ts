import { type Logger, pino } from 'pino'

/** A line of a log, as pino writes it. */
export interface LogLine {
  readonly level: number
  readonly msg: string
  readonly [more: string]: unknown
}

/** A logger and what it was told. */
export function keptLog(level = 'info'): { readonly logger: Logger; readonly lines: LogLine[] } {
  const lines: LogLine[] = []
  return { logger: pino({ level }, { write: (line: string) => void lines.push(JSON.parse(line)) }), lines }
}
