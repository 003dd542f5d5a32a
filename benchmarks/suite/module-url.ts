import { extname } from 'node:path'

/** Of a module that is loaded by its address: the extension is that of the module that asks, a source or compiled. */
export const moduleUrl = (name: string, askedBy: string): URL => new URL(`${name}${extname(askedBy)}`, askedBy)
