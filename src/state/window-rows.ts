import { type AggregateRow, type RowWriter, rowWriter } from '../aggregates/row.ts'
import { ByteWriter } from '../serde/bytes.ts'
import type { Keys } from './keys.ts'
import { RowEntry } from './row-entry.ts'
import { Rows } from './rows.ts'
import { SlotList } from './slot-list.ts'
import { hashOf, SlotTable } from './slot-table.ts'
import type { ChangelogWriter, ValueCodec } from './store.ts'
import { encodeWindowEnd } from './window-key.ts'

/**
 * The rows of a window store, by number. An entry stands for a row; one that is asked for is made, and kept only here. A class
 * for the reason that {@link Rows} is one: this is what runs for every record.
 */
export class WindowRows<K, A> {
  readonly rows: Rows<K>
  readonly row: AggregateRow<A>
  size = 0
  private readonly keys: Keys<K>
  private readonly writeRow: RowWriter
  private readonly windows = new Map<number, SlotTable>()
  private readonly named = new Map<number, RowEntry<K, A>>()
  private readonly keyBytes = new ByteWriter()
  private readonly valueBytes = new ByteWriter()
  private readonly dirty = new SlotList()
  /** Released, and in the changelog. */
  private readonly released = new SlotList()
  /** The largest table of a window that is no more, for the next one, which will be about as large. */
  private spare: SlotTable | undefined
  private sorted: number[] | undefined = []
  // Records come mostly from one window after the other: the last one is remembered.
  private lastStart = Number.NaN
  private last: SlotTable | undefined

  constructor(keys: Keys<K>, values: ValueCodec<A>, row: AggregateRow<A>) {
    this.keys = keys
    this.writeRow = rowWriter(row, values)
    this.row = row
    this.rows = new Rows<K>(row)
  }

  /** -1: there is none. */
  find(start: number, key: K): number {
    const window = this.windowAt(start)
    if (window === undefined) return -1
    const id = this.idOf(key)
    return window.find(this.rows, id, hashOf(id))
  }

  /** A new row; there must be none. */
  create(start: number, key: K, timestamp: number, accumulator: Float64Array): number {
    const kept = this.keys.keep(key)
    const id = this.idOf(kept)
    const slot = this.rows.take(kept, id, start, timestamp, accumulator)
    const window = this.windowAt(start) ?? this.open(start)
    window.put(hashOf(id), slot)
    this.size++
    return slot
  }

  touch(slot: number): void {
    if (this.rows.soil(slot)) this.dirty.push(slot)
  }

  /** The block that holds a row, and where its accumulator is in there. */
  block(slot: number): Float64Array {
    return this.rows.block(slot)
  }

  at(slot: number): number {
    return this.rows.at(slot)
  }

  /** The newest of its records: moves the time on, never back. */
  reach(slot: number, timestamp: number): void {
    this.rows.reach(slot, timestamp)
  }

  key(slot: number): K {
    return this.rows.key(slot)
  }

  start(slot: number): number {
    return this.rows.start(slot)
  }

  timestamp(slot: number): number {
    return this.rows.timestamp(slot)
  }

  /** The same entry for as long as the row is alive, for those who know entries by their identity. */
  entry(slot: number): RowEntry<K, A> {
    let entry = this.named.get(slot)
    if (entry === undefined) this.named.set(slot, (entry = new RowEntry<K, A>(this, slot)))
    return entry
  }

  /** As `entry`, where nobody asks whether it is the same. */
  show(slot: number): RowEntry<K, A> {
    return this.named.get(slot) ?? new RowEntry<K, A>(this, slot)
  }

  /** Rows changed since the last flush, in the order of their first change; deleted ones too. */
  changed(): SlotList {
    return this.dirty
  }

  starts(): readonly number[] {
    return (this.sorted ??= [...this.windows.keys()].sort((a, b) => a - b))
  }

  /** Rows of one window. */
  in(start: number): Int32Array {
    return this.windowAt(start)?.slots() ?? NONE
  }

  value(slot: number): A {
    return this.row.load(this.rows.block(slot), this.rows.at(slot))
  }

  setValue(slot: number, value: A): void {
    this.row.save(this.rows.block(slot), this.rows.at(slot), value)
  }

  /** Takes a row out of its window; it stays until the changelog knows. */
  unlink(slot: number): void {
    const start = this.rows.start(slot)
    const window = this.windowAt(start)!
    window.delete(hashOf(this.idOf(this.rows.key(slot))), slot)
    this.size--
    if (window.size === 0) this.drop(start)
  }

  /** Forgets one window. */
  forget(start: number): void {
    const window = this.windowAt(start)
    if (window === undefined) return
    this.buryAll(window.slots())
    this.size -= window.size
    this.drop(start)
  }

  /** Forgets the windows that start up to `last`: rows that no commit has written are free at once. */
  release(last: number): void {
    for (const start of this.starts()) {
      if (start > last) break
      this.forget(start)
    }
    const { dirty } = this
    const { length } = dirty
    dirty.clear()
    this.settleAll(dirty, length, last)
  }

  free(slot: number): void {
    this.named.delete(slot)
    this.rows.free(slot)
  }

  /** As the changelog says it is: what the entry was given out as is that, and no longer what was worked out here. */
  restore(slot: number, value: A, timestamp: number): void {
    this.setValue(slot, value)
    this.rows.setTimestamp(slot, timestamp)
    this.rows.setLogged(slot)
    this.named.delete(slot)
  }

  flush(to: ChangelogWriter): void {
    this.flushAll(this.released, to)
    this.flushAll(this.dirty, to)
    this.released.clear()
    this.dirty.clear()
  }

  write(slot: number, to: ChangelogWriter): void {
    const { rows, keyBytes, valueBytes } = this
    this.encodeKey(slot)
    this.writeRow(rows.block(slot), rows.at(slot), valueBytes.reset())
    to(keyBytes, valueBytes, rows.timestamp(slot))
  }

  // A long loop in a method that is seldom called is compiled while it runs. It must be the last thing in there: what comes behind
  // it has not run by then, and V8 gives the compiled code up when it gets to it.
  private flushAll(slots: SlotList, to: ChangelogWriter): void {
    for (let i = 0; i < slots.length; i++) this.flushRow(slots.at(i), to)
  }

  private buryAll(slots: Int32Array): void {
    for (let i = 0; i < slots.length; i++) this.bury(slots[i])
  }

  /** What stays moves up to the front, never past where it is read. */
  private settleAll(slots: SlotList, length: number, last: number): void {
    for (let i = 0; i < length; i++) this.settle(slots.at(i), last)
  }

  /** A row that has changed: what is released is the changelog's alone. */
  private settle(slot: number, last: number): void {
    const { rows } = this
    if (rows.start(slot) > last) this.dirty.push(slot)
    else if (rows.isLogged(slot)) this.released.push(slot)
    else this.flushRow(slot, nowhere)
  }

  private flushRow(slot: number, to: ChangelogWriter): void {
    const { rows } = this
    if (!rows.isDeleted(slot)) {
      this.write(slot, to)
      rows.settle(slot, true)
      return
    }
    // Made and gone between two commits: the changelog need not know.
    if (rows.isLogged(slot)) {
      this.encodeKey(slot)
      to(this.keyBytes, null, rows.timestamp(slot))
    }
    rows.settle(slot, false)
    this.free(slot)
  }

  private encodeKey(slot: number): void {
    this.keys.encode(this.rows.key(slot), this.keyBytes.reset())
    encodeWindowEnd(this.rows.start(slot), this.keyBytes)
  }

  private bury(slot: number): void {
    const { rows } = this
    rows.remove(slot)
    if (rows.isLogged(slot)) this.touch(slot)
    else if (!rows.isDirty(slot)) this.free(slot)
  }

  private idOf(key: K): unknown {
    return typeof key === 'object' ? this.keys.identity(key) : key
  }

  private windowAt(start: number): SlotTable | undefined {
    if (start !== this.lastStart) {
      this.last = this.windows.get(start)
      this.lastStart = start
    }
    return this.last
  }

  private open(start: number): SlotTable {
    const window = this.spare ?? new SlotTable()
    this.spare = undefined
    this.windows.set(start, window)
    this.last = window
    this.sorted = undefined
    return window
  }

  private drop(start: number): void {
    const table = this.windows.get(start)!
    this.windows.delete(start)
    if (this.spare === undefined || table.room > this.spare.room) this.spare = table.clear()
    this.sorted = undefined
    this.lastStart = Number.NaN
  }
}

const NONE = new Int32Array(0)
const nowhere: ChangelogWriter = () => {}
