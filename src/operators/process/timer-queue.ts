import type { KeyValueStore } from '../../state/key-value-store.ts'
import type { TimerId } from './timer-key.ts'

/**
 * The timers of one operator in one task, by time. The store is the truth; the queue is made of it after a restart. A
 * timer that is moved on, as a time-out is by every record, stays where it is in the queue and is put back when its
 * old time comes: the queue holds about one item per timer.
 */
export interface TimerQueue<K> {
  set(key: K, name: string, time: number): void
  get(key: K, name: string): number | undefined
  cancel(key: K, name: string): void
  /** Fires what is due at `now`, in the order of time, name and key; what that sets for a time that has come, too. */
  fire(now: number): void
  /** Reads the store. */
  restored(): void
}

interface Item<K> {
  readonly time: number
  /** Breaks ties, so that the order is the same after a restart. */
  readonly order: string
  readonly id: TimerId<K>
}

export function timerQueue<K>(
  store: KeyValueStore<TimerId<K>, number>,
  onTimer: (id: TimerId<K>, time: number) => void,
): TimerQueue<K> {
  const heap: Item<K>[] = []
  // Time of the one item of a timer that counts; others of it are left over.
  const queued = new Map<string, number>()

  const enqueue = (id: TimerId<K>, order: string, time: number) => {
    const already = queued.get(order)
    if (already !== undefined && already <= time) return
    queued.set(order, time)
    push(heap, { time, order, id })
  }
  return {
    set(key, name, time) {
      const id = { key, name }
      const entry = store.find(id) ?? store.create(id, time, time)
      entry.value = time
      entry.timestamp = time
      store.touch(entry)
      enqueue(entry.key, store.order(id), time)
    },
    get: (key, name) => store.find({ key, name })?.value ?? undefined,
    cancel(key, name) {
      const entry = store.find({ key, name })
      if (entry) store.remove(entry)
    },
    fire(now) {
      while (heap.length > 0 && heap[0].time <= now) {
        const { time, order, id } = pop(heap)
        if (queued.get(order) !== time) continue
        queued.delete(order)
        const entry = store.find(id)
        if (entry === undefined) continue
        const due = entry.value!
        if (due > time) {
          enqueue(id, order, due)
          continue
        }
        store.remove(entry)
        onTimer(id, due)
      }
    },
    restored() {
      for (const { key, value } of store.entries()) enqueue(key, store.order(key), value!)
    },
  }
}

function isBefore(a: Item<unknown>, b: Item<unknown>): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order)
}

function push<K>(heap: Item<K>[], item: Item<K>): void {
  let at = heap.length
  heap.push(item)
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (!isBefore(item, heap[parent])) break
    heap[at] = heap[parent]
    at = parent
  }
  heap[at] = item
}

function pop<K>(heap: Item<K>[]): Item<K> {
  const first = heap[0]
  const last = heap.pop()!
  if (heap.length === 0) return first
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child++
    if (!isBefore(heap[child], last)) break
    heap[at] = heap[child]
    at = child
  }
  heap[at] = last
  return first
}
