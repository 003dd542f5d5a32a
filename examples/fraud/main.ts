import { start } from '../common/start.ts'
import { fraudExample } from './example.ts'

await start(fraudExample)
