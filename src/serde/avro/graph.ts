/** Nodes of a graph that are reached in more than one way, among them all that contain themselves. */
export function reachedTwice<N>(root: N, children: (node: N) => readonly N[]): Set<N> {
  const seen = new Set<N>()
  const twice = new Set<N>()
  const visit = (node: N): void => {
    if (seen.has(node)) twice.add(node)
    else {
      seen.add(node)
      for (const child of children(node)) visit(child)
    }
  }
  visit(root)
  return twice
}

/** All nodes of a graph. */
export function reachable<N>(root: N, children: (node: N) => readonly N[]): Set<N> {
  const seen = new Set([root])
  // A Set is iterated over what is added on the way, too.
  for (const node of seen) for (const child of children(node)) seen.add(child)
  return seen
}
