import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { parseMetrics, type Sample, sumOf } from './metrics.ts'

/** A process of the main job, and what it has said and counted. */
export interface ShopInstance {
  readonly child: ChildProcess
  output(): string
  /** Reads /metrics; what was read last stays, also when the process has gone. */
  scrape(): Promise<void>
  readonly samples: readonly Sample[]
  /** Records of a topic that it has committed, by partition, as last scraped. */
  committed(topic: string): number[]
  /** The partitions of a topic that it has, as last scraped. */
  partitions(topic: string): number[]
  end(signal: NodeJS.Signals): Promise<void>
}

/** Starts one; `--http 0` among the arguments for what can be scraped, with `--log`, which says where. */
export function shopInstance(args: readonly string[], partitions: number, env: NodeJS.ProcessEnv): ShopInstance {
  const command = ['-C', 'millrace-source', 'examples/shop/main.ts', ...args]
  const child = spawn(process.execPath, command, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk))
  let samples: readonly Sample[] = []
  const all = Array.from({ length: partitions }, (_, partition) => partition)
  return {
    child,
    output: () => text,
    async scrape() {
      const port = /"port":(\d+),"msg":"serving/.exec(text)?.[1]
      if (port === undefined || child.exitCode !== null || child.signalCode !== null) return
      const answer = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined)
      if (answer?.ok) samples = parseMetrics(await answer.text())
    },
    get samples() {
      return samples
    },
    committed: (topic) =>
      all.map((partition) => sumOf(ofPartition(samples, partition), 'millrace_records_in_total', { topic })),
    partitions: (topic) =>
      all.filter((partition) =>
        ofPartition(samples, partition).some(
          ({ name, labels }) => name === 'millrace_lag_records' && labels.topic === topic,
        ),
      ),
    async end(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exit = once(child, 'exit')
      child.kill(signal)
      await exit
    },
  }
}

/** Of the tasks of one partition. */
const ofPartition = (samples: readonly Sample[], partition: number): Sample[] =>
  samples.filter(({ labels }) => labels.task?.endsWith(`_${partition}`))
