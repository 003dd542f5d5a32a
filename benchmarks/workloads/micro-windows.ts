import { calendarDays, hopping, minutes, seconds, tumbling } from 'millrace'
import { stopwatch } from '../suite/stopwatch.ts'
import type { Measured, Workload } from '../suite/workload.ts'

const START = 1_750_000_020_000

const ASSIGNERS = {
  tumbling: tumbling(minutes(1)),
  'hopping 5': hopping(minutes(5), { advance: minutes(1) }),
  'hopping 60': hopping(minutes(60), { advance: minutes(1) }),
  'calendar days': calendarDays('Europe/Berlin'),
}

/** Window assigners by themselves: timestamps in, windows counted. */
export const microWindows: Workload = {
  name: 'micro-windows',
  summary: 'window assigners: windows of a timestamp',
  records: 5_000_000,
  smokeRecords: 200_000,
  onLog: false,
  async measure({ records }) {
    const lines: Measured[] = []
    for (const [name, windows] of Object.entries(ASSIGNERS)) {
      let seen = 0
      const visit = (start: number, end: number) => {
        seen += end - start
      }
      const assign = (n: number) => {
        for (let i = 0; i < n; i++) windows.assign(START + (i % 1_000) * seconds(1), visit)
      }
      assign(records! / 10)
      const watch = stopwatch()
      assign(records!)
      const { seconds: took, cpu_s } = watch.read()
      if (!(seen > 0)) throw new Error('no window was assigned')
      lines.push({ variant: `micro-windows ${name}`, n: records!, seconds: took, cpu_s })
    }
    return lines
  },
}
