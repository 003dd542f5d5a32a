import type { Workload } from '../suite/workload.ts'
import { avroCodec } from './avro-codec.ts'
import { clickhouseSink } from './clickhouse-sink.ts'
import { consume } from './consume.ts'
import { joinJob } from './join.ts'
import { lakeSink } from './lake-sink.ts'
import { latency } from './latency.ts'
import { microBatches } from './micro-batches.ts'
import { microStores } from './micro-stores.ts'
import { microTask } from './micro-task.ts'
import { microWindows } from './micro-windows.ts'
import { nexmark } from './nexmark.ts'
import { repartitionJob } from './repartition.ts'
import { restores } from './restore.ts'
import { scale } from './scale.ts'
import { shopJob } from './shop.ts'
import { slidingJob } from './sliding.ts'
import { statelessJob } from './stateless.ts'
import { tumblingJob } from './tumbling.ts'
import { tumblingCustomJob } from './tumbling-custom.ts'

/** Every workload of `npm run bench`: a file of its own, and a line here. */
export const workloads: readonly Workload[] = [
  consume,
  tumblingJob,
  tumblingCustomJob,
  repartitionJob,
  statelessJob,
  slidingJob,
  joinJob,
  shopJob,
  ...nexmark,
  latency,
  ...restores,
  avroCodec,
  microBatches,
  microStores,
  microTask,
  microWindows,
  lakeSink,
  clickhouseSink,
  scale,
]
