import type { Rows } from './rows.ts'
import type { Entry } from './store.ts'

/** What entries of one store share. */
export interface RowView<A> {
  readonly rows: Rows<unknown>
  value(slot: number): A
  setValue(slot: number, value: A): void
}

/**
 * A row as an entry. It may outlive its row, which is then used for another entry: one that does not find its own key and
 * start there is deleted.
 */
export class RowEntry<K, A> implements Entry<K, A> {
  readonly key: K
  readonly start: number
  readonly slot: number
  given: unknown
  private readonly view: RowView<A>

  constructor(view: RowView<A>, slot: number) {
    const { rows } = view
    this.view = view
    this.slot = slot
    this.key = rows.key(slot) as K
    this.start = rows.start(slot)
    // As of any entry: nothing was given out yet, or what the changelog holds.
    this.given = rows.isLogged(slot) ? undefined : null
  }

  get isThere(): boolean {
    const { view, slot } = this
    return view.rows.key(slot) === this.key && view.rows.start(slot) === this.start && !view.rows.isDeleted(slot)
  }

  get value(): A | null {
    return this.isThere ? this.view.value(this.slot) : null
  }

  /** null is for the store's `remove` to say. */
  set value(value: A | null) {
    if (value !== null && this.isThere) this.view.setValue(this.slot, value)
  }

  get timestamp(): number {
    return this.view.rows.timestamp(this.slot)
  }

  set timestamp(timestamp: number) {
    this.view.rows.setTimestamp(this.slot, timestamp)
  }

  get dirty(): boolean {
    return this.view.rows.isDirty(this.slot)
  }

  get logged(): boolean {
    return this.view.rows.isLogged(this.slot)
  }
}
