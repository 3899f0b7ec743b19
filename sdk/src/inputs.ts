/** What callers pass in, and what they get back. */

import { type Account, addressOf } from './calls.js';
import type { Constraints, TextOptions } from './constraints/types.js';
import type { Dealer } from './dealer.js';
import { KeyshareError } from './errors.js';
import type { Bounds } from './patience.js';
import type { Waiting } from './progress.js';
import { partsOf, requireKey, type Scheme } from './scheme.js';
import type { Server } from './servers.js';
import type { NodeOptions } from './urls.js';

/** How to connect. */
export interface ConnectOptions extends Bounds, TextOptions, NodeOptions {}

/** A private key: its bytes, or whoever has it and deals it. */
export type KeySource =
  | {
      /** The 32-byte seed (Ed25519) or big-endian scalar (secp256k1). It stays the caller's. */
      readonly key: Uint8Array;
      readonly scheme: Scheme;
      readonly dealer?: never;
    }
  | { readonly dealer: Dealer; readonly key?: never; readonly scheme?: never };

/** A private key, and who signs for it. */
export type KeyInput = KeySource &
  Waiting & {
    /** A `KeyringPair`, or an address with the wallet's `Signer`. */
    readonly signer: Account;
    /**
     * How many subgroups' shares make up the key, from the chain's `t` to its `n`. By default `t` with
     * `register`, and with `swapKey` and `reshare` that of the key in force. With `n` of `n` one lost
     * subgroup is the end of the key for whoever has no backup of it. When the key is there already, it must
     * be what that has, or `ThresholdDiffers` is thrown; not given, whatever it has is taken.
     */
    readonly threshold?: number;
    /** Signs nothing: takes up what is under way, or throws `AttemptGone`. */
    readonly onlyResume?: boolean;
  };

/** What `register` needs. */
export type RegisterInput = KeyInput & {
  /**
   * What the key may be used for; nothing by default. Rules and fees fit the key's scheme. When the key is
   * there already, they must be what the chain has, or `ConstraintsDiffer` is thrown; not given, whatever
   * it has is taken.
   */
  readonly constraints?: Constraints;
  /** Who may change the constraints later, SS58; by default the account itself. The same holds for it. */
  readonly constraintAccount?: string;
};

/** What `swapKey` and `reshare` need. Constraints stay as they are: `setConstraints` changes them. */
export type SwapInput = KeyInput & {
  readonly constraints?: never;
  readonly constraintAccount?: never;
};

/** A call by one account about another's constraints. */
export interface ConstraintsInput extends Waiting {
  /** The user, SS58. */
  readonly account: string;
  /** The constraint-modification account. */
  readonly signer: Account;
}

/** What an account pays. */
export interface Cost {
  /**
   * What is held from the account beyond what is held from it already, in the smallest unit (10⁻¹² KEY).
   * An account that was here before has its record paid for.
   */
  readonly deposit: bigint;
  /**
   * What of `deposit` comes back, with what it is held for. The rest is for the account's own record, which
   * the chain never removes: it stays held for ever.
   */
  readonly comesBack: bigint;
  /** Paid for the transaction. */
  readonly fee: bigint;
  /**
   * Paid beside it for the confirmations that the attempt causes, for which the servers pay nothing. It
   * does not come back.
   */
  readonly confirmationFee: bigint;
  /** What the account must have: `deposit`, `fee` and `confirmationFee`. With less the chain refuses the call. */
  readonly total: bigint;
  /** What the account has for that now. */
  readonly spendable: bigint;
}

/** What a server answered when it was tried. */
export interface Reachability {
  readonly server: Server;
  /** Why it cannot be reached from here, or will refuse. */
  readonly error?: KeyshareError;
}

/** What a member answered to a fresh challenge. */
export interface Custody {
  readonly server: Server;
  /** Why it proves nothing; absent if it proved that it holds the share now. */
  readonly error?: KeyshareError;
}

/** Throws `Input` for what is no object: callers may be without types. */
function requireObject(
  input: unknown,
  missing = 'the input is missing: an object, with a signer at least',
): asserts input is object {
  if (typeof input === 'object' && input !== null) return;
  throw new KeyshareError('Input', missing);
}

const BOUNDS = ['signal', 'deadlineMs'] as const;
const CALL = ['signer', ...BOUNDS, 'onProgress'] as const;
const KEY = ['key', 'scheme', 'dealer', 'threshold', 'onlyResume', ...CALL] as const;

/** What each method takes; those that tell a cost take the same as what they tell it of. */
const TAKEN = {
  connect: ['bitcoinNetwork', 'allowPlaintextNode', ...BOUNDS],
  watch: BOUNDS,
  tryServers: BOUNDS,
  challenge: BOUNDS,
  register: [...KEY, 'constraints', 'constraintAccount'],
  swapKey: KEY,
  reshare: KEY,
  cancel: CALL,
  deregister: CALL,
  setConstraints: ['account', 'constraints', ...CALL],
  changeConstraintAccount: ['account', 'to', ...CALL],
} as const;

/**
 * Throws `Input` for what is no object, or has a member that the method does not take: passed over, what is
 * mistyped would look as if it were heeded.
 */
export function requireTaken(method: keyof typeof TAKEN, input: unknown): void {
  requireObject(input);
  const taken: readonly string[] = TAKEN[method];
  for (const [name, value] of Object.entries(input)) {
    if (value === undefined || taken.includes(name)) continue;
    throw new KeyshareError('Input', `${method} takes no “${name}”, only ${taken.join(', ')}`);
  }
}

/** Throws `Input` for what can never be dealt or signed, before anything of the chain hides it. */
export function requireInput(method: 'register' | 'swapKey' | 'reshare', input: KeyInput): void {
  requireTaken(method, input);
  try {
    if ('dealer' in input) {
      requireObject(input.dealer, 'the dealer is missing');
      partsOf(input.dealer.scheme);
      const { key, scheme } = input as { readonly key?: unknown; readonly scheme?: unknown };
      if (key !== undefined || scheme !== undefined) {
        throw new TypeError('a dealer has a key and a scheme: give either it or these');
      }
    } else {
      requireKey(input.scheme, input.key);
    }
  } catch (cause) {
    if (cause instanceof KeyshareError) throw cause;
    const reason = cause instanceof Error ? cause.message : 'not a private key';
    throw new KeyshareError('Input', reason, { cause });
  }
  addressOf(input.signer);
}

/** The scheme of a key that is passed in. */
export function schemeOf(source: KeySource): Scheme {
  return (source.dealer ?? source).scheme;
}
