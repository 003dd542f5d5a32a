import { start } from '../common/start.ts'
import { qualityExample } from './example.ts'

await start(qualityExample())
