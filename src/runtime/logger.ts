import { type Logger, pino } from 'pino'

/** The user's logger, or JSON lines on standard error; false is silence. */
export function loggerOf(application: string, logger: Logger | false | undefined): Logger {
  if (logger === false) return pino({ level: 'silent' })
  return (logger ?? pino(pino.destination(2))).child({ application })
}
