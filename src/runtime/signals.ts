import type { Logger } from 'pino'

/** The first signal asks for the end in good order, the second does not wait for it. */
export function stopOnSignals(stop: () => Promise<void>, abort: () => void, done: Promise<void>, logger: Logger): void {
  let told = false
  const onSignal = (signal: NodeJS.Signals) => {
    logger.info({ signal }, told ? 'stopping at once' : 'stopping')
    if (told) abort()
    told = true
    void stop().catch(() => {})
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  const forget = () => {
    process.off('SIGTERM', onSignal)
    process.off('SIGINT', onSignal)
  }
  done.then(forget, forget)
}
