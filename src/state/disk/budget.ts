/** About how much memory decoded entries take, by the bytes that they were written with. */
export interface Budget {
  /** So many entries were written or read, of so many bytes in all. */
  saw(bytes: number, entries: number): void
  /** What is held takes more than it may. `pages`: keys that are held, with or without entries. */
  isExceeded(entries: number, pages: number): boolean
}

/** An entry as an object, and its place in a Map or array, beside its key and value (V8, 64 bits). */
const ENTRY_BYTES = 160
const PAGE_BYTES = 120
/** After so many the older half counts for no more. */
const MEMORY = 1 << 16

export function budget(limit: number): Budget {
  let bytes = 0
  let entries = 0
  return {
    saw(more, of) {
      bytes += more
      entries += of
      if (entries > MEMORY) {
        bytes /= 2
        entries /= 2
      }
    },
    isExceeded(held, pages) {
      const average = entries === 0 ? 0 : bytes / entries
      return held * (ENTRY_BYTES + average) + pages * PAGE_BYTES > limit
    },
  }
}
