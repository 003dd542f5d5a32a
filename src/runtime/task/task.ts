import { MillraceError, toError } from '../../errors.ts'
import { BatchBuffers } from '../../log/batch/batch-buffers.ts'
import type { RecordBatch } from '../../log/batch/record-batch.ts'
import type { Headers } from '../../record.ts'
import { PendingSchema } from '../../serde/serde.ts'
import type { SourceRange } from '../../sinks/sink.ts'
import type { Subtopology } from '../../topology/plan.ts'
import { compile } from './compile.ts'
import { add, taskCounters } from './counters.ts'
import { bytesOf, deadLetterWriter } from './dead-letter.ts'
import { idleSources } from './idle-sources.ts'
import { append, batchBytes, hasRecord, type Input, openHead, seek, skipTo } from './input.ts'
import { isMarker } from './lanes.ts'
import { outbox } from './outbox.ts'
import { outsideOf } from './outside.ts'
import { refuseOversized, tooMuchState } from './oversized.ts'
import { isNobodysFault, setAsideBy } from './set-aside.ts'
import { storeFull } from './store-full.ts'
import type { Task, TaskOptions } from './task-interface.ts'
import { type KeptRecord, workingRecord } from './working-record.ts'

export type { RecordPolicy, SinkOutput, Task, TaskOptions, TaskOutput } from './task-interface.ts'

const NO_HEADERS: Headers = []

export function createTask(subtopology: Subtopology, partition: number, options: TaskOptions): Task {
  const counters = taskCounters()
  const record = workingRecord(partition)
  const out = outbox({
    counters,
    record,
    buffers: options.buffers ?? new BatchBuffers(),
    largestBatch: options.largestBatch ?? (() => Number.POSITIVE_INFINITY),
    onOversized: (oversized) => refuse(oversized),
  })
  const compiled = compile(subtopology, partition, options, record, out, counters, (kept, error) =>
    failedLater(kept, error),
  )
  const { inputs, processors, stores, clocks, sinks } = compiled
  const changelogs = stores.all.flatMap(({ store, changelog }) =>
    changelog === undefined ? [] : [{ store, to: out.topic(changelog, options.partitions(changelog), tooMuchState) }],
  )
  const { deadLetterTopic } = options
  const setAside = setAsideBy(
    options,
    counters,
    deadLetterTopic === undefined ? undefined : deadLetterWriter(out, deadLetterTopic, options),
  )
  const refuse = refuseOversized(record, setAside)
  const committed = new Map<string, number>()
  const idle = idleSources(subtopology, inputs, clocks, compiled.advance)
  const outside = outsideOf(processors)
  /** A marker of time waits until what is under way before it has come back. */
  let markerWaits = false
  let blocked: (() => Promise<void>) | undefined
  let blockedInput: Input | undefined
  const inputOf = (topic: string) => inputs.find((of) => of.topic === topic)!

  /** Processes records of one input until its head is later than `until`; returns how many. */
  const run = (of: Input, limit: number, until: number): number => {
    const { readers, internal } = of
    const start = of.next
    const batch = of.queue[0]
    const { offsets, timestamps, keyStart, keyEnd, valueStart, valueEnd, count } = batch
    let end = Math.min(count, start + limit)
    while (offsets[end - 1] >= of.limit) end--
    record.topic = of.topic
    record.lane = of.lane
    record.batch = batch
    let decoding = true
    let r = of.reader
    of.reader = 0
    let index = start
    for (;;) {
      try {
        if (of.unresolved) throw of.unresolved
        for (; index < end; index++, r = 0) {
          const timestamp = timestamps[index]
          if (timestamp > until && index > start) return finish(of, index - start)
          record.offset = offsets[index]
          record.index = index
          const at = keyStart[index]
          if (internal && at < 0 && isMarker(batch.headers(index))) {
            if (outside !== undefined && outside.inFlight > 0) {
              markerWaits = true
              return finish(of, index - start)
            }
            compiled.advance(of.lane, timestamp)
            continue
          }
          for (; r < readers.length; r++) {
            const reader = readers[r]
            decoding = true
            const key =
              at < 0 ? null : reader.key ? reader.key.decode(batch, at, keyEnd[index]) : copy(batch, at, keyEnd[index])
            const from = valueStart[index]
            const value =
              from < 0
                ? null
                : reader.value
                  ? reader.value.decode(batch, from, valueEnd[index])
                  : copy(batch, from, valueEnd[index])
            decoding = false
            reader.receive(key, value, timestamp)
          }
        }
        return finish(of, index - start)
      } catch (thrown) {
        if (thrown instanceof PendingSchema) {
          blocked = thrown.load
          blockedInput = of
          of.reader = r
          return finish(of, index - start)
        }
        if (of.unresolved) {
          record.offset = offsets[index]
          record.index = index
        }
        of.unresolved = undefined
        failed(of, thrown, decoding)
        // The readers after the one that failed still get the record.
        r++
        if (r >= readers.length) {
          r = 0
          index++
        }
      }
    }
  }

  const finish = (of: Input, done: number): number => {
    const current = record.batch!
    of.next += done
    of.position = of.next < current.count ? current.offsets[of.next] : Math.max(of.position, current.lastOffset + 1)
    add(counters.recordsIn, of.topic, done)
    if (of.next >= current.count) {
      of.queue.shift()
      of.bytes -= batchBytes(current)
      openHead(of)
    }
    record.batch = undefined
    return done
  }

  const id = `${subtopology.id}_${partition}`
  const errorOf = (thrown: unknown) => toError(storeFull(thrown, `task ${id}`, stores.all))
  const naming = (work: () => void) => {
    try {
      work()
    } catch (thrown) {
      throw errorOf(thrown)
    }
  }
  const release = () => {
    for (const processor of processors) processor.release?.()
  }
  const failed = (of: Input, thrown: unknown, decoding: boolean) => {
    const error = errorOf(thrown)
    if (!decoding && isNobodysFault(error)) throw error
    const origin = { topic: of.topic, partition, offset: record.offset }
    setAside(decoding ? 'undecodable' : 'failing', error, {
      ...bytesOf(record.batch!, record.index),
      origin,
      headers: record.headers,
    })
  }
  /** As `failed`, for a record whose turn is over. */
  const failedLater = ({ topic, offset, headers, source }: KeptRecord, thrown: unknown) => {
    const error = errorOf(thrown)
    if (isNobodysFault(error)) throw error
    const bytes = source ? bytesOf(source.batch, source.index) : { key: null, value: null, timestamp: 0 }
    setAside('failing', error, { ...bytes, origin: { topic, partition, offset }, headers })
  }
  return {
    id,
    partition,
    inputs,
    stores: stores.all,
    sinks,
    codecs: compiled.codecs,
    counters,
    get pendingBytes() {
      return out.bytes
    },
    get blocked() {
      return blocked
    },
    unresolved(error) {
      if (blockedInput) blockedInput.unresolved = error
      blocked = undefined
    },
    add(topic, batches, next, end) {
      append(inputOf(topic), batches, next, end, options.clock.now())
    },
    addCorrupt(topic, { error, skipTo: next, bytes }) {
      const of = inputOf(topic)
      const origin = { topic, partition, offset: of.fetched }
      setAside('undecodable', error, { origin, key: null, value: bytes, timestamp: 0, headers: [] })
      skipTo(of, next)
    },
    limit(offsets) {
      for (const of of inputs) of.limit = offsets[of.topic] ?? of.position
    },
    get limited() {
      return inputs.some((of) => of.limit < Number.POSITIVE_INFINITY)
    },
    get atLimit() {
      return inputs.every((of) => of.limit < Number.POSITIVE_INFINITY && of.position >= of.limit)
    },
    seek(topic, offset) {
      committed.set(topic, offset)
      return seek(inputOf(topic), offset, options.clock.now())
    },
    start(times) {
      for (const [name, clock] of clocks) clock.load(times[name] ?? [])
      // What comes of timers before the first record is counted to where reading goes on.
      const [first] = inputs
      record.topic = first?.topic ?? ''
      record.offset = (first?.position ?? 0) - 1
      for (const processor of processors) processor.restored?.()
    },
    process(limit, eager = false) {
      if (outside !== undefined) {
        if (outside.resting) return 0
        outside.settle()
        if (markerWaits && outside.inFlight > 0) return 0
      }
      markerWaits = false
      blocked = undefined
      let done = 0
      while (done < limit && blocked === undefined && !markerWaits) {
        let room = limit - done
        if (outside !== undefined) {
          outside.settle()
          room = Math.min(room, outside.room)
          if (room <= 0) break
        }
        let first: Input | undefined
        let head = Number.POSITIVE_INFINITY
        let second = Number.POSITIVE_INFINITY
        for (const of of inputs) {
          if (!hasRecord(of)) {
            if (!eager && inputs.length > 1 && of.fetched < Math.min(of.end, of.limit)) return done
            continue
          }
          const timestamp = of.queue[0].timestamps[of.next]
          if (first === undefined || timestamp < head) {
            // Of equal times the first input goes first, wherever its batches end.
            second = head - 1
            head = timestamp
            first = of
          } else if (timestamp < second) second = timestamp
        }
        if (first === undefined) break
        done += run(first, room, second)
      }
      // What goes to the outside waits for the commit, which waits for its answers. A sink must be given the same batch again after
      // a crash, in which records are not taken in the same slices.
      if (done > 0 && outside === undefined && sinks.length === 0) naming(release)
      return done
    },
    tick(now) {
      if (outside?.resting) return
      naming(() => {
        for (const processor of processors) processor.tick?.(now)
      })
      // A planned range is replayed as it was: nothing but its records may come into it.
      if (idle && !this.limited && this.inFlight === 0) idle.tick()
    },
    drain: out.take,
    get inFlight() {
      return outside?.inFlight ?? 0
    },
    nextAnswer: () => (outside && outside.inFlight > 0 ? outside.next() : Promise.resolve()),
    rest: () => outside?.rest(),
    close() {
      outside?.close()
      stores.close()
    },
    release() {
      outside?.close()
      return stores
    },
    flush() {
      naming(() => {
        if (!outside?.resting) for (const processor of processors) processor.flush?.()
      })
      if (outside && outside.inFlight > 0) {
        throw new MillraceError('INTERNAL', 'a task cannot be flushed while calls to the outside are under way', {
          hint: 'await its rest() first; of a driver: await driver.settled(), or driver.commitSettled()',
        })
      }
      outside?.wakeUp()
      for (const { store, to } of changelogs) {
        store.flush((key, value, timestamp) => to.send(partition, key, value, Math.max(0, timestamp), NO_HEADERS))
      }
      out.markTime()
      const ranges = new Map<string, SourceRange>()
      for (const of of inputs) {
        // A plan may end in a hole of the log; its range is replayed as it was written down.
        if (of.position > of.limit) of.position = of.limit
        of.limit = Number.POSITIVE_INFINITY
        const { topic, position } = of
        ranges.set(topic, { topic, partition, firstOffset: committed.get(topic) ?? 0, lastOffset: position - 1 })
        committed.set(topic, position)
      }
      return {
        batches: out.take(),
        sinks: sinks.flatMap((buffer) =>
          buffer.take(ranges).map((batch) => ({ node: buffer.node, sink: buffer.sink, batch })),
        ),
        positions: new Map(inputs.map(({ topic, position }) => [topic, position])),
        times: Object.fromEntries([...clocks].map(([name, clock]) => [name, clock.save()])),
      }
    },
  }
}

const copy = ({ buffer }: RecordBatch, from: number, to: number) => Uint8Array.prototype.slice.call(buffer, from, to)
