import { type Input, type Node, node } from '../topology/node.ts'
import type { Forward, ProcessorContext } from '../topology/processor.ts'

/**
 * A stateless node behind an input: `compile` gets the next operators as one call and gives its own. Most operators
 * that keep no state are written with this alone.
 */
export function follow(
  input: Input,
  kind: string,
  compile: (next: Forward, context: ProcessorContext) => Forward,
  { parameters = {}, keepsValues = false }: Partial<Pick<Node, 'parameters' | 'keepsValues'>> = {},
): Input {
  return {
    node: node({
      kind,
      inputs: [input],
      parameters,
      keepsValues,
      processor: (context) => ({ inputs: [compile(context.forward(), context)] }),
    }),
    output: 'out',
  }
}
