import { start } from '../common/start.ts'
import { sessionsExample } from './example.ts'

await start(sessionsExample())
