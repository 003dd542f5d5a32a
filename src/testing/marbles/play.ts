import { MillraceError } from '../../errors.ts'
import type { Topology } from '../../topology/topology.ts'
import type { DriverOptions } from '../driver-options.ts'
import { TopologyDriver } from '../topology-driver.ts'
import type { Deed, Drop, Marble, MarbleDiagram, MarbleRow } from './diagram.ts'

/**
 * Runs the inputs and deeds of a diagram through a topology driver, step by step, and gives the whole diagram as it
 * came out: input rows as they were, output rows with what was seen. Rows for topics that gave something and are not in
 * the diagram are added at its end.
 */
export function playDiagram(topology: Topology, diagram: MarbleDiagram, options: DriverOptions): MarbleDiagram {
  const driver = new TopologyDriver(topology, options)
  const sinks = driver.plan.subtopologies.flatMap(({ nodes }) => nodes.flatMap(({ node }) => node.sink?.name ?? []))
  const outputs = [...new Set([...driver.outputs.filter((topic) => !driver.inputs.includes(topic)), ...sinks])]
  for (const { kind, label } of diagram.rows) {
    if (kind === 'topic' && !driver.inputs.includes(label) && !outputs.includes(label))
      throw unknown(label, driver, sinks)
  }
  const seen = new Map(outputs.map((label) => [label, [] as Marble[][]]))
  const dropped: Drop[][] = []
  let counted = new Map<string, number>()
  for (let step = 0; step < diagram.steps; step++) {
    for (const { kind, label, cells } of diagram.rows) {
      if (kind !== 'topic' || !driver.inputs.includes(label)) continue
      for (const { key, value, timestamp } of cells[step] ?? []) driver.pipe(label, key, value, timestamp)
    }
    const drops = new Map<string, number>()
    const count = () => {
      const now = driver.droppedByReason()
      for (const [reason, n] of now) {
        const more = n - (counted.get(reason) ?? 0)
        if (more > 0) drops.set(reason, (drops.get(reason) ?? 0) + more)
      }
      counted = now
    }
    count()
    for (const deed of diagram.rows.find(({ kind }) => kind === 'do')?.cells[step] ?? []) {
      act(driver, deed as Deed)
      // A task that starts again counts from zero.
      if ((deed as Deed).kind === 'restart') counted = new Map()
      count()
    }
    for (const [label, cells] of seen) cells.push(sinks.includes(label) ? rowsOf(driver, label) : read(driver, label))
    dropped.push([...drops].map(([reason, n]) => ({ reason, count: n })))
  }
  const rows = diagram.rows.map((row): MarbleRow => {
    if (row.kind === 'dropped') return { ...row, cells: dropped }
    const cells = row.kind === 'topic' ? seen.get(row.label) : undefined
    return row.kind === 'topic' && cells ? { ...row, cells } : row
  })
  for (const [label, cells] of seen) {
    if (rows.some((row) => row.label === label) || cells.every((cell) => cell.length === 0)) continue
    rows.push({ kind: 'topic', label, cells })
  }
  return { ...diagram, rows }
}

function act(driver: TopologyDriver, deed: Deed): void {
  switch (deed.kind) {
    case 'commit':
      return driver.commit()
    case 'restart':
      return driver.restart()
    case 'clock':
      return driver.advanceWallClock(deed.ms)
  }
}

function read(driver: TopologyDriver, topic: string): Marble[] {
  return driver.read(topic).map(({ key, value, timestamp }) => ({ key, value, timestamp }) as Marble)
}

function rowsOf(driver: TopologyDriver, sink: string): Marble[] {
  return driver.rows(sink).map(({ key, value, timestamp }) => ({ key, value, timestamp }) as Marble)
}

function unknown(label: string, { inputs, outputs }: TopologyDriver, sinks: readonly string[]): MillraceError {
  return new MillraceError('INVALID_OPTION', `marbles: the topology has no topic or sink "${label}"`, {
    hint: `it reads ${inputs.join(', ')} and writes ${[...outputs, ...sinks].join(', ')}`,
  })
}
