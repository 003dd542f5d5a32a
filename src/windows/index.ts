export { calendarDays } from './calendar-days.ts'
export { type CountOptions, type CountWindows, countWindows } from './count-windows.ts'
export { customWindows, type WindowAssigner } from './custom.ts'
export { type HoppingOptions, hopping } from './hopping.ts'
export { type JoinWindows, joinWindows, within } from './join-windows.ts'
export { session } from './session.ts'
export { sliding } from './sliding.ts'
export { tumbling } from './tumbling.ts'
export { type UnlimitedOptions, unlimited } from './unlimited.ts'
export type {
  AlignedWindows,
  SessionWindows,
  SlidingWindows,
  WindowDescription,
  WindowOptions,
  Windows,
} from './windows.ts'
