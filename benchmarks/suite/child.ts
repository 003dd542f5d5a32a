/** The process that is measured: runs one workload and sends what it has found to its parent. */
import { enableCompileCache } from 'node:module'
import { loadWorkload } from '../workloads/load.ts'
import type { Measured, RunSettings } from './workload.ts'

/** What comes back. */
export type ChildMessage = { readonly lines: readonly Measured[]; readonly rss_mb: number } | { readonly error: string }

const { workload, settings } = JSON.parse(process.argv[2]) as { workload: string; settings: RunSettings }

// As a program would that wants to start fast: what is imported from here on is compiled once, not at every start.
enableCompileCache()

try {
  const lines = await (await loadWorkload(workload)).measure(settings)
  // In KiB on every system (libuv, uv_getrusage).
  const rss_mb = Math.round((process.resourceUsage().maxRSS * 1024) / 1e6)
  send({ lines, rss_mb })
} catch (error) {
  send({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
}

/** What has failed may have left an application running, which would keep the process alive. */
function send(message: ChildMessage): void {
  process.send!(message, () => ('error' in message ? process.exit(1) : process.disconnect()))
}
