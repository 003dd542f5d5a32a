import type { Topology } from 'millrace'
import { json, to, topology, toStream } from 'millrace'
import { Grouped } from '../../src/topology/grouped.ts'
import { Stream } from '../../src/topology/stream.ts'
import { Table } from '../../src/topology/table.ts'
import { Output } from '../../src/topology/topology.ts'

/**
 * A topology that shows what a piece of documentation gives: a stream or table on the topic `out`, several on topics of
 * their names. undefined: it gives nothing that could run, such as a window or a serde.
 */
export function shown(value: unknown): Topology | undefined {
  const outputs = outputsOf(value, 'out')
  return outputs.length > 0 ? topology('docs', outputs) : undefined
}

function outputsOf(value: unknown, name: string): Output[] {
  if (value instanceof Output) return [value]
  const serdes = { key: json(), value: json() }
  if (value instanceof Stream) return [value.pipe(to(name, serdes))]
  if (value instanceof Table) return [value.pipe(toStream(), to(name, serdes))]
  if (value instanceof Grouped || typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([field, part]) => outputsOf(part, field))
}
