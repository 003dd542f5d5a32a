/** What examples use of Node and of a test framework, and what stands for the reader's own. */
import type { Log } from 'millrace'
import type { SimulatedInput, TopicRecord } from 'millrace/testing'
import type { LogProducer } from '../../src/log/log.ts'

export { deepEqual } from 'node:assert'
export { readFileSync } from 'node:fs'
export { readFile } from 'node:fs/promises'
export { default as fc } from 'fast-check'

// Only to compile with.
export declare const log: Log
export declare const producer: LogProducer
export declare const input: readonly SimulatedInput[]
export declare const latest: (records: readonly TopicRecord[]) => ReadonlyMap<unknown, unknown>
