/** Numbers, the lowest first out. */
export interface MinHeap {
  push(value: number): void
  /** `Infinity` when empty. */
  peek(): number
  pop(): number
}

export function minHeap(): MinHeap {
  const heap: number[] = []
  return {
    push(value) {
      let at = heap.length
      heap.push(value)
      while (at > 0) {
        const parent = (at - 1) >>> 1
        if (heap[parent] <= value) break
        heap[at] = heap[parent]
        at = parent
      }
      heap[at] = value
    },
    peek: () => (heap.length === 0 ? Number.POSITIVE_INFINITY : heap[0]),
    pop() {
      if (heap.length === 0) return Number.POSITIVE_INFINITY
      const lowest = heap[0]
      const last = heap.pop()!
      const { length } = heap
      if (length === 0) return lowest
      let at = 0
      for (let child = 1; child < length; child = 2 * at + 1) {
        if (child + 1 < length && heap[child + 1] < heap[child]) child++
        if (heap[child] >= last) break
        heap[at] = heap[child]
        at = child
      }
      heap[at] = last
      return lowest
    },
  }
}
