import type { SinkDefinition } from '../../src/index.ts'

/** An append sink of topologies that are planned, described or driven, and never run: nobody opens it. */
export const unopenedSink = <K, V>(name = 'test:sink'): SinkDefinition<K, V> => ({
  kind: 'test',
  name,
  mode: 'append',
  parameters: {},
  open: () => Promise.reject(new Error('never opened')),
})
