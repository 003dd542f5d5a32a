import type { TopologyDescription } from './description.ts'

/**
 * A Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html): topics as slanted boxes, stores as cylinders,
 * sinks with double sides, a frame around each subtopology. GitHub, GitLab and most editors draw it.
 */
export function toMermaid({ subtopologies, topics, stores, sinks }: TopologyDescription): string {
  const ids = new Map<string, string>()
  /** Mermaid's own ids must be plain words, and not its keywords: n0, n1 … */
  const id = (kind: string, name: string): string => {
    const key = `${kind} ${name}`
    const known = ids.get(key)
    if (known !== undefined) return known
    const made = `${kind}${[...ids.keys()].filter((other) => other.startsWith(`${kind} `)).length}`
    ids.set(key, made)
    return made
  }
  const lines = ['flowchart TB']
  for (const { topic, kind } of topics) {
    if (kind !== 'changelog') lines.push(`  ${id('topic', topic)}[/${label(topic)}/]`)
  }
  for (const subtopology of subtopologies) {
    lines.push(`  subgraph sub${subtopology.id}[${label(`subtopology ${subtopology.id}`)}]`)
    for (const node of subtopology.nodes) lines.push(`    ${id('node', node.id)}[${label(node.id)}]`)
    for (const { store, node } of stores.filter((store) => store.subtopology === subtopology.id)) {
      lines.push(`    ${id('store', store)}[(${label(store)})]`)
      if (node !== undefined) lines.push(`    ${id('node', node)} -.- ${id('store', store)}`)
    }
    lines.push('  end')
  }
  for (const { node, sink } of sinks) lines.push(`  ${id('sink', `${node} ${sink}`)}[[${label(sink)}]]`)
  for (const { nodes } of subtopologies) {
    for (const node of nodes) {
      for (const input of node.inputs) {
        const from = 'topic' in input ? id('topic', input.topic) : id('node', input.node)
        const arrow = 'output' in input && input.output !== undefined ? `-->|${label(input.output)}|` : '-->'
        lines.push(`  ${from} ${arrow} ${id('node', node.id)}`)
      }
      if (node.writes !== undefined) lines.push(`  ${id('node', node.id)} --> ${id('topic', node.writes)}`)
      if (node.sink !== undefined) lines.push(`  ${id('node', node.id)} --> ${id('sink', `${node.id} ${node.sink}`)}`)
    }
  }
  return `${lines.join('\n')}\n`
}

/** Quoted, so that nothing in a name is syntax; a quote or an entity's `#` is written as an entity. */
function label(name: string): string {
  return `"${name.replace(/#/g, '#35;').replace(/"/g, '#quot;').replace(/\s+/g, ' ')}"`
}
