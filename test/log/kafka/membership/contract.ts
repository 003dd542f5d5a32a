import { describe } from 'vitest'
import { callbacksContract } from './contract/callbacks.ts'
import { joiningContract } from './contract/joining.ts'
import { leavingContract } from './contract/leaving.ts'
import { losingContract } from './contract/losing.ts'
import { offsetsContract } from './contract/offsets.ts'
import { sharingContract } from './contract/sharing.ts'
import { staticContract } from './contract/static.ts'
import { membersOf } from './members.ts'
import type { ProtocolUnderTest } from './protocols.ts'

/** What must hold of a membership, by whatever protocol. */
export function membershipContract(protocol: ProtocolUnderTest): void {
  describe(`membership by the ${protocol.name} protocol`, () => {
    const on = membersOf(protocol)
    joiningContract(on)
    sharingContract(on)
    callbacksContract(on)
    losingContract(on)
    leavingContract(on)
    staticContract(on)
    offsetsContract(on)
  })
}
