import { start } from '../common/start.ts'
import { trendingExample } from './example.ts'

await start(trendingExample())
