import { start } from '../common/start.ts'
import { enrichmentExample } from './example.ts'
import { lookUpAt, startProductService } from './products.ts'

const service = await startProductService()
await start(enrichmentExample(lookUpAt(service.url)))
