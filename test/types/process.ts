import { json, keyValueStore, output, process, stream, string, to, topology, validate } from 'millrace'

const payments = stream('payments', { key: string(), value: json<{ amount: number }>() })
const totals = keyValueStore('totals', { key: string(), value: json<number>() })

const { large, small } = payments.pipe(
  process(
    'split',
    {
      stores: { totals },
      timers: { eventTime: string() },
      outputs: { large: output<string, number>(), small: output<string, string>() },
    },
    ({ stores, timers, outputs }) => ({
      process({ amount }, key, { timestamp }) {
        const total: number = amount + (stores.totals.get(key) ?? 0)
        stores.totals.put(key, total)
        timers.eventTime.set(key, timestamp)
        outputs.large(key, total)
        // @ts-expect-error this output has strings
        outputs.small(key, total)
        // @ts-expect-error timers of the wall clock were not declared
        timers.wallClock.set(key, timestamp)
        // @ts-expect-error the store has numbers
        stores.totals.put(key, 'x')
      },
      onEventTime: ({ key }) => outputs.small(key, key),
    }),
  ),
)
export const app = topology('app', [
  large.pipe(to('large', { key: string(), value: json<number>() })),
  // @ts-expect-error strings come out here
  small.pipe(to('small', { key: string(), value: json<number>() })),
])
// @ts-expect-error values have no such field
payments.pipe(validate({ 'no name': (payment) => payment.name !== '' }))
