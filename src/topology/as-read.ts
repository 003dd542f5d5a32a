import type { AnySerde, Node } from './node.ts'

/**
 * Whether every value that a repartition gets is one that was read with the very serde that it writes with, and that no
 * operator has replaced since: then its bytes are handed on as they are, and it is not encoded again.
 */
export function takesAsRead({ inputs, target }: Node): boolean {
  const serde = target?.value
  return (
    target?.repartition !== undefined && serde?.anyTopic === true && inputs.every(({ node }) => isRead(node, serde))
  )
}

function isRead({ source, target, keepsValues, inputs }: Node, serde: AnySerde): boolean {
  if (target?.repartition) return target.value === serde
  if (!keepsValues) return false
  if (source) return source.value === serde
  return inputs.length > 0 && inputs.every(({ node }) => isRead(node, serde))
}
