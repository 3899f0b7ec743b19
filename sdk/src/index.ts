/**
 * Registers private keys with a Keyshare network, from a browser or Node. Start with
 * {@link Keyshare.connect}. Below it are the pure parts: splitting, sealing, checking proofs.
 */

export { type Addresses, addresses } from './addresses.js';
export { type Hex, fromHex, toHex } from './bytes.js';
export { type Account } from './calls.js';
export {
  type ChainParameters,
  type Coverage,
  PROTOCOL_VERSION,
  type Registration,
  type Status,
} from './chain.js';
export { parseConstraints } from './constraints/file.js';
export { type CheckOptions, checkConstraints, NO_CONSTRAINTS } from './constraints/shape.js';
export { parseFee, parseRule, showFee, showRule } from './constraints/text.js';
export type {
  Amount,
  BitcoinAllow,
  BitcoinNetwork,
  Constraints,
  EvmAllow,
  Fee,
  Network,
  NumberedRule,
  Rule,
  RuleId,
  Selector,
  SolanaAllow,
  TextOptions,
  TokenRecipient,
  Who,
} from './constraints/types.js';
export { type Warning, type WarningName, warnings } from './constraints/warnings.js';
export { type Dealer, dealer, type Dealt } from './dealer.js';
export {
  type ConstraintsReason,
  type ErrorDetails,
  type ErrorName,
  KeyshareError,
} from './errors.js';
export type {
  ConnectOptions,
  ConstraintsInput,
  Cost,
  Custody,
  KeyInput,
  KeySource,
  Reachability,
  RegisterInput,
  SwapInput,
} from './inputs.js';
export { Keyshare } from './keyshare.js';
export { type Bounds } from './patience.js';
export { type Later, type Member, type Operator, type Subgroup } from './membership.js';
export { challengeMessage, custodyMessage, registrationId, shareAad } from './messages.js';
export { type OnProgress, type Progress, type ServerState, type Waiting } from './progress.js';
export { type CustodyProof, verifyCustodyProof, verifyingShares } from './proof.js';
export { signedExtensions } from './extensions.js';
export { rpc } from './rpc.js';
export { type Commitments, generateKey, publicKey, type Scheme } from './scheme.js';
export { type Place, type SealedShare, sealShare } from './seal.js';
export { type Server } from './servers.js';
export { type Attempt, type Parameters, splitKey, type SplitKey } from './split.js';
export { isLocal, isMixedContent, type NodeOptions, requireSafeNode } from './urls.js';
