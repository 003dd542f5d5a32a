/** About how much memory decoded entries take, by the bytes that they were written with. */
export interface Budget {
  /** So many entries were written or read, of so many bytes in all. */
  saw(bytes: number, entries: number): void
  /** What is held takes more than it may. `pages`: keys that are held, with or without entries. */
  isExceeded(entries: number, pages: number): boolean
  /** It takes as much again, which only a commit can let go of. */
  isCrowded(entries: number, pages: number): boolean
}

/** An entry as an object, and its place in a Map or array, beside its key and value (V8, 64 bits). */
const ENTRY_BYTES = 160
const PAGE_BYTES = 120
/** Where the limit is small a commit is not due for every few records. */
const LEAST_ROOM = 4 * 1024 * 1024
/** After so many the older half counts for no more. */
const MEMORY = 1 << 16

export function budget(limit: number): Budget {
  let bytes = 0
  let entries = 0
  const taken = (held: number, pages: number) =>
    held * (ENTRY_BYTES + (entries === 0 ? 0 : bytes / entries)) + pages * PAGE_BYTES
  return {
    saw(more, of) {
      bytes += more
      entries += of
      if (entries > MEMORY) {
        bytes /= 2
        entries /= 2
      }
    },
    isExceeded: (held, pages) => taken(held, pages) > limit,
    isCrowded: (held, pages) => taken(held, pages) > limit + Math.max(limit, LEAST_ROOM),
  }
}
