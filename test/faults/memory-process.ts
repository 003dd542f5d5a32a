/**
 * A job whose state grows with its keys, in the heap that the process was started with. Its options come as JSON:
 * `{ directory, disk?, threads?, oldGenerationMb? }`. Logs to stderr as usual; says 'done' on stdout once it is restored and has caught up.
 */
import { runThreads } from '../../src/index.ts'
import { type Running, run } from '../../src/runtime/run.ts'
import { type MemoryJobData, memoryJob } from './memory-job.ts'

const { oldGenerationMb, ...data } = JSON.parse(process.argv[2]) as MemoryJobData & { oldGenerationMb?: number }

async function start(): Promise<Pick<Running, 'ready' | 'caughtUp' | 'stop' | 'done'>> {
  if (oldGenerationMb !== undefined) {
    return runThreads(new URL('./memory-job.ts', import.meta.url), { threads: 1, data, oldGenerationMb, logger: false })
  }
  const { topology, options } = memoryJob(data)
  return run(topology, options)
}

const running = await start()
try {
  await running.ready()
  await running.caughtUp()
  process.stdout.write('done\n')
  await running.stop()
} catch {
  await running.done.catch(({ code, message }) => process.stdout.write(`${JSON.stringify({ code, message })}\n`))
}
