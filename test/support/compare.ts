/** Order of strings by code units, as their bytes are compared where they are ASCII. */
export const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
