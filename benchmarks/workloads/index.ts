import type { Workload } from '../suite/workload.ts'
import { avroCodec } from './avro-codec.ts'
import { consume } from './consume.ts'
import { lakeSink } from './lake-sink.ts'
import { repartitionJob } from './repartition.ts'
import { slidingJob } from './sliding.ts'
import { statelessJob } from './stateless.ts'
import { tumblingJob } from './tumbling.ts'

/** Every workload of `npm run bench`: a file of its own, and a line here. */
export const workloads: readonly Workload[] = [
  consume,
  tumblingJob,
  repartitionJob,
  statelessJob,
  slidingJob,
  avroCodec,
  lakeSink,
]
