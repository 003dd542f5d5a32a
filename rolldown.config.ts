import { readFileSync } from 'node:fs'
import { defineConfig } from 'rolldown'

const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: Record<string, Entry | string> }

interface Entry {
  readonly 'millrace-source': string
  readonly default: string
}

/** By the name of its file in the package; what runs in a thread or process of its own is found beside the others. */
const input: Record<string, string> = {
  thread: 'src/runtime/threads/entry.ts',
  'clickhouse-process': 'src/sinks/clickhouse/embedded/child.ts',
}
for (const entry of Object.values(exports)) {
  if (typeof entry === 'string') continue
  input[entry.default.replace('./dist/', '').replace('.js', '')] = entry['millrace-source']
}

/**
 * The JavaScript of the package: a file for each address, and what they share. A module costs memory of its own in every
 * thread, and time at the start: docs/performance.md, "A file for each address".
 */
export default defineConfig({
  input,
  platform: 'node',
  external: /^[a-z@](?!:[\\/])/,
  output: { dir: 'dist', format: 'esm', sourcemap: true, chunkFileNames: '[name].js', comments: false },
})
