/**
 * What is due at a time: a binary heap, so that moving on by a millisecond costs nothing where nothing is due. Items
 * cannot be taken out; whoever takes them checks that they still stand.
 */
export interface DueQueue<T> {
  put(item: T, time: number): void
  /** The earliest time in it; `Infinity` when empty. */
  readonly next: number
  /** Takes one of the items with the earliest time; undefined when empty. */
  take(): T | undefined
  clear(): void
}

/** @param before - order of items with the same time; default: any */
export function dueQueue<T>(before: (a: T, b: T) => boolean = () => false): DueQueue<T> {
  const times: number[] = []
  const items: T[] = []
  const queue = {
    next: Number.POSITIVE_INFINITY,
    put(item: T, time: number) {
      let at = items.length
      while (at > 0) {
        const parent = (at - 1) >>> 1
        if (times[parent] < time || (times[parent] === time && !before(item, items[parent]))) break
        times[at] = times[parent]
        items[at] = items[parent]
        at = parent
      }
      times[at] = time
      items[at] = item
      queue.next = times[0]
    },
    take() {
      if (items.length === 0) return undefined
      const first = items[0]
      const time = times.pop()!
      const item = items.pop()!
      const size = items.length
      if (size > 0) {
        let at = 0
        for (;;) {
          let child = 2 * at + 1
          if (child >= size) break
          if (child + 1 < size && earlier(child + 1, child)) child++
          if (time < times[child] || (time === times[child] && !before(items[child], item))) break
          times[at] = times[child]
          items[at] = items[child]
          at = child
        }
        times[at] = time
        items[at] = item
      }
      queue.next = size > 0 ? times[0] : Number.POSITIVE_INFINITY
      return first
    },
    clear() {
      times.length = items.length = 0
      queue.next = Number.POSITIVE_INFINITY
    },
  }
  const earlier = (a: number, b: number) => times[a] < times[b] || (times[a] === times[b] && before(items[a], items[b]))
  return queue
}
