/** One error for everything, with a stable name to switch on and what to do about it. */

/** Names of [`KeyshareError`]: the protocol's own, and those of what lies in between. */
export type ErrorName =
  // A server's, protocol §5.
  | 'InvalidParams'
  | 'UnknownServer'
  | 'NotRegistering'
  | 'WrongGeneration'
  | 'WrongSubgroup'
  | 'DecryptionFailed'
  | 'ShareMismatch'
  | 'Busy'
  | 'StorageFailed'
  | 'NoShare'
  | 'BadSignature'
  | 'WrongBlock'
  | 'NotFinal'
  /** A server's answer proves nothing, or is about another attempt. */
  | 'WrongProof'
  /** No connection to a server: it is down, or the browser does not let the page reach it. */
  | 'ServerUnreachable'
  /** An `https` page cannot reach an `http` server, or a `ws` node. */
  | 'MixedContent'
  /** A server failed inside, or is overloaded: JSON-RPC's own codes. */
  | 'ServerFailed'
  /** A server answers what is no answer. */
  | 'UnexpectedAnswer'
  /** The chain is not a Keyshare chain, or speaks another version of the protocol. */
  | 'WrongChain'
  /** The connection to the chain is lost, or its node fails. */
  | 'ChainUnreachable'
  /** The node is on another machine and the way to it not encrypted, or nobody can tell where it is. */
  | 'InsecureNode'
  /** What the chain shows is not what this key makes. */
  | 'OtherKey'
  /** The chain refuses the call; `chainError` has its name. */
  | 'Refused'
  /** The signer refused, or was closed. */
  | 'Rejected'
  /** The call was sent, and cannot become final any more as far as the node knows. */
  | 'Dropped'
  /** The attempt is gone: it expired, or was cancelled or replaced. */
  | 'AttemptGone'
  /** The chain shows a deal that was made for an earlier attempt: a call was submitted again. */
  | 'DealtBefore'
  /** The key is there with other constraints, or another constraint account, than the caller names. */
  | 'ConstraintsDiffer'
  /** The key is there with another threshold than the caller names. */
  | 'ThresholdDiffers'
  /** A subgroup cannot reach its quorum: its members refuse. Nothing is lost. */
  | 'Incomplete'
  /** The deadline passed. Nothing is lost: registering again with the same key goes on. */
  | 'DeadlinePassed'
  /** The caller aborted. */
  | 'Aborted'
  /** Nothing can be sealed here: browsers have no Web Crypto on pages that are not secure. */
  | 'InsecureContext'
  /** The input is wrong. */
  | 'Input';

/** What is wrong with constraints (protocol §2): stable names, the same as the tool's and the chain's. */
export type ConstraintsReason =
  // An address or a script.
  | 'NotEvmAddress'
  | 'WrongChecksum'
  | 'Eip1191Checksum'
  | 'NotBitcoinAddress'
  | 'OtherBitcoinNetwork'
  | 'NotSolanaAddress'
  // The text of a rule or a fee.
  | 'Malformed'
  | 'InvalidId'
  | 'InvalidNetwork'
  | 'InvalidAmount'
  | 'InvalidSelector'
  // A file.
  | 'NotUtf8'
  | 'Json'
  // What clients refuse.
  | 'RepeatedId'
  | 'RepeatedFee'
  | 'MissingFee'
  // What the chain refuses.
  | 'TooManyRules'
  | 'TooManyFees'
  | 'ReservedClause'
  | 'InvalidChainId'
  | 'InvalidScript'
  | 'SchemeMismatch'
  | 'RulesOutOfOrder'
  | 'FeesOutOfOrder'
  | 'RepeatedRule';

/** What else is known of an error. */
export interface ErrorDetails {
  /**
   * With `Refused`: as in `registration.AlreadyRegistered`; of the node's pool `Payment`, `Stale`, `BadProof`,
   * `AncientBirthBlock`, `OnItsWay` for a call beside an earlier one of the account, and what passes: `PoolFull`,
   * and `Banned` for a call that the pool had let go of.
   */
  readonly chainError?: string;
  /** With `Busy`: when to try again, in milliseconds. */
  readonly retryAfterMs?: number;
  /** With `WrongGeneration`: the chain's, as the server sees it. */
  readonly generation?: number;
  /** With `Input`, of constraints: what is wrong with them. */
  readonly reason?: ConstraintsReason | undefined;
  /** Where in them: as in `rules[1]`, `fees[0]` or, in a file, `line 3`. */
  readonly place?: string | undefined;
  readonly cause?: unknown;
}

/** Whatever the SDK throws. */
export class KeyshareError extends Error {
  override readonly name: ErrorName;
  // Only declared: what is not known is no property, so that a printed error shows what there is.
  declare readonly chainError?: string;
  declare readonly retryAfterMs?: number;
  declare readonly generation?: number;
  declare readonly reason?: ConstraintsReason;
  declare readonly place?: string;
  /** What to do about it, for people; nothing where the message says it all. */
  declare readonly hint?: string;

  constructor(name: ErrorName, message: string, details: ErrorDetails = {}) {
    const { cause, chainError, retryAfterMs, generation, reason, place } = details;
    super(message, cause === undefined ? undefined : { cause });
    this.name = name;
    const known = { chainError, retryAfterMs, generation, reason, place };
    const shown = { ...known, hint: hintOf(name, chainError) };
    Object.assign(
      this,
      Object.fromEntries(Object.entries(shown).filter(([, value]) => value !== undefined)),
    );
  }
}

function hintOf(name: ErrorName, chainError: string | undefined): string | undefined {
  return CHAIN_HINTS[chainError?.split('.').at(-1) ?? ''] ?? HINTS[name];
}

const HINTS: Partial<Record<ErrorName, string>> = {
  ServerUnreachable:
    'The server may be down, or not admit this page (its operator can, with --share-rpc-cors), or the browser wants leave for the local network. The others go on.',
  ServerFailed: 'The server is in trouble; its operator sees why in its log. The others go on.',
  MixedContent:
    'Browsers do not let an https page reach http or ws, except on the machine itself. Whoever runs it has to put TLS before it.',
  InsecureContext: 'Open the page over https, or from the machine itself.',
  OtherKey: 'The node is broken, or lies: use one that you trust.',
  WrongChain: 'Connect to a node of a Keyshare network that this version belongs to.',
  ChainUnreachable:
    'Is the node running, its address right, and does it admit this page (--rpc-cors)? Has the browser leave for the local network? Nothing is lost; try again.',
  InsecureNode:
    'Use a wss URL, or a tunnel that ends on this machine. Only where nobody else can be on the way, allow it by name.',
  Rejected: 'Nothing was sent. Unlock the wallet, and sign when it asks.',
  Dropped:
    'Another node may have the call still: look at the status, and if it shows nothing of it, do the same again. An attempt that is there after all is taken up with the same key, without a signature.',
  AttemptGone:
    'Begin anew: register, or swapKey where a key is in force. What an attempt held, the deposit, is back, but for the part for the account’s record.',
  DealtBefore:
    'An earlier call was submitted again, and shares are never dealt twice. Cancel the attempt and begin anew; if the key is in force already, swap it for itself.',
  ConstraintsDiffer:
    'Give what the chain has, or nothing, to go on; afterwards the constraint-modification account can change it. Or cancel the attempt.',
  ThresholdDiffers:
    'Give the threshold that it has, or none, to go on. A key in force gets another by reshare; an attempt must be cancelled for that, and begun anew.',
  Incomplete:
    'The attempt stays open until it expires: when the servers are in order, do the same again with the same key. Or cancel it.',
  DeadlinePassed:
    'Nothing is lost: what is under way stays so. Look at the status: with an attempt that it shows, the same call goes on from here.',
};

const CHAIN_HINTS: Record<string, string> = {
  AlreadyRegistered: 'swapKey replaces the key, deregister removes it.',
  AlreadyRegistering:
    'Complete the attempt with the key, and the program, that began it; or cancel it.',
  NotConstraintAccount: 'Sign with the constraint-modification account.',
  NotRegistered: 'register begins with a first key.',
  SchemeChanged:
    'A swap keeps the scheme, and with it the constraints. Deregister the key, and register the other one.',
  SameCommitments:
    'An earlier call was submitted again. Swap anew: the key is split anew for that.',
  NotRegistering: 'The status shows what the chain holds for the account.',
  NoReadyMember:
    'The network is not ready: a subgroup has no member that holds every share. Try again later.',
  FundsUnavailable: 'The account cannot pay the deposit and the fees.',
  OnItsWay:
    'Wait until a block has it, and do the same again: an attempt that it began is taken up then, without a signature. The status shows what it did.',
  PoolFull: 'The node has too many calls just now: do the same again later.',
  Banned: 'This passes within the hour: do the same again later. It is signed anew then.',
  Stale: 'Another call of the account came first. Look at the status, and do the same again.',
  BadProof: 'The chain may have been upgraded while it was signed: do the same again.',
  AncientBirthBlock: 'The signature took too long, or the node is behind: do the same again.',
  Payment: 'The account cannot pay the deposit and the fees.',
};
