import { membershipContract } from './contract.ts'
import { classic, streams } from './protocols.ts'

membershipContract(classic)
membershipContract(streams)
