import { type Logger, pino } from 'pino'

const SILENT = pino({ level: 'silent' })

/** The user's logger, or JSON lines on standard error; false is silence. */
export function loggerOf(application: string, logger: Logger | false | undefined): Logger {
  if (logger === false) return SILENT
  return (logger ?? pino(pino.destination(2))).child({ application })
}
