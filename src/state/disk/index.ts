export type { DiskRow, DiskState, DiskTable } from '../../topology/disk-table.ts'
export { type DiskStateOptions, diskState } from './sqlite.ts'
