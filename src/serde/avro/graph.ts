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

/**
 * V8 does not optimise functions beyond some size (measured: a record written out in one function takes 4 times as long
 * per field at 100 fields as at 50, and 25 times at 200), so generated code is cut into functions of about this many
 * reads or writes each.
 */
const mostInOneFunction = 24

/** Items in their order, in groups of a weight that one function can bear. */
export function inGroups<I>(items: readonly I[], weigh: (item: I) => number): I[][] {
  const groups: I[][] = []
  let weight = Infinity
  for (const item of items) {
    const its = weigh(item)
    if (weight + its > mostInOneFunction) {
      groups.push([])
      weight = 0
    }
    groups[groups.length - 1].push(item)
    weight += its
  }
  return groups
}

/** How many reads or writes a node comes to where it is written out; what is too much for one function is a call. */
export function weightOf<N>(node: N, children: (node: N) => readonly N[], isCall: (node: N) => boolean): number {
  if (isCall(node)) return 1
  let weight = 0
  for (const child of children(node)) weight += weightOf(child, children, isCall)
  return weight > mostInOneFunction ? Math.ceil(weight / mostInOneFunction) : Math.max(1, weight)
}
