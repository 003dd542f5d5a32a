import { readFileSync } from 'node:fs'
import type { AvroSchema } from 'millrace'

/** A schema of the `schemas` folder. */
export function schema(name: string): AvroSchema {
  return JSON.parse(readFileSync(new URL(`../../schemas/${name}.avsc`, import.meta.url), 'utf8')) as AvroSchema
}
