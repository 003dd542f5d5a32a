import { existsSync } from 'node:fs'
import { moduleUrl } from '../suite/module-url.ts'
import type { Workload } from '../suite/workload.ts'

/**
 * The workload of a name, for a process that is measured: nothing is loaded but its own file, where there is one, since the
 * clients and engines of the others would be among what the process holds.
 */
export async function loadWorkload(name: string): Promise<Workload> {
  const own = moduleUrl(`./${name}`, import.meta.url)
  const exported = existsSync(own) ? Object.values<unknown>(await import(own.href)) : []
  const found = exported.filter(isWorkload).find((workload) => workload.name === name)
  return found ?? (await import('./index.ts')).workloads.find((workload) => workload.name === name)!
}

const isWorkload = (of: unknown): of is Workload => typeof (of as Partial<Workload> | undefined)?.measure === 'function'
