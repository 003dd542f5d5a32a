/** Local variables and prologue of one generated decoding function. `b`, `p`, `s` and `end` are always there. */
export interface Scope {
  local(): string
  /** The name of the DataView. */
  view(): string
  /** The name of the batch's text; its base is `o`. */
  text(): string
  /** A loop over the blocks of an array or map. `sizeSoFar` is given where items may take no bytes. */
  blocks(path: string, sizeSoFar: string | undefined, item: string): string
  /** To be asked for last: declarations of all that was used; `head` takes the source `s` apart, too. */
  head(): string
  variables(): string
}

/** Items without bytes cost a sender nothing: a few bytes could claim billions of them. */
const mostEmptyItems = 1_000_000

export function scope(): Scope {
  const locals = ['z', 'n', 'e', 'q', 'h', 'x']
  let usesView = false
  let usesText = false
  const local = () => {
    const name = `v${locals.length}`
    locals.push(name)
    return name
  }
  const variables = () => `let ${locals.join(',')};`
  return {
    local,
    view() {
      usesView = true
      return 'd'
    },
    text() {
      usesText = true
      return 't'
    },
    blocks(path, sizeSoFar, item) {
      const count = local()
      const readCount = (to: string) => `z=b[p++];if(z<128)${to}=(z>>>1)^-(z&1);else{${to}=S(b,p-1,${path});p=C.at}`
      // A negative count comes with the size of the block in bytes, which serves only those who skip it.
      return (
        `for(;;){${readCount(count)}if(${count}===0)break;if(${count}<0){${count}=-${count};${readCount('x')}}` +
        (sizeSoFar
          ? `if(${sizeSoFar}+${count}>${mostEmptyItems})F('more than ${mostEmptyItems} items without bytes');`
          : '') +
        `for(;${count}>0;${count}--){${item}}if(p>end)F('the bytes end within the value')}`
      )
    },
    head: () => `const b=s.buffer${usesView ? ',d=s.view' : ''}${usesText ? ',t=s.text,o=s.base' : ''};${variables()}`,
    variables,
  }
}
