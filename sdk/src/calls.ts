/** The calls a user makes, who signs them, and what the chain would refuse. */

import type { ApiPromise } from '@polkadot/api';
import type { AddressOrPair, Signer, SubmittableExtrinsic } from '@polkadot/api/types';
import type { IKeyringPair } from '@polkadot/types/types';
import { type Hex, toHex } from './bytes.js';
import type { AccountState } from './chain.js';
import { KeyshareError } from './errors.js';
import { type Commitments, partsOf, type Scheme } from './scheme.js';

/** A call, ready to be signed. */
export type Call = SubmittableExtrinsic<'promise'>;

/** An address with the wallet's `Signer`. */
interface Wallet {
  readonly address: string;
  readonly signer: Signer;
}

/** Who signs: a `KeyringPair`, or an address with the wallet's `Signer`. */
export type Account = AddressOrPair | Wallet;

/** The same, and no address alone. */
export type Signing = IKeyringPair | Wallet;

/** The address of who signs, SS58. */
export function addressOf(account: Account): string {
  if ((account as Account | null | undefined) == null) {
    throw new KeyshareError('Input', 'signer is missing: a KeyringPair, or { address, signer }');
  }
  return typeof account === 'object' && 'address' in account ? account.address : account.toString();
}

/** Throws `Input` for an address alone, with which only what needs no signature can be done. */
export function requireSigning(account: Account): asserts account is Signing {
  if (typeof account === 'object') {
    const { sign, signer } = account as { readonly sign?: unknown; readonly signer?: unknown };
    if (typeof sign === 'function' || (typeof signer === 'object' && signer !== null)) return;
  }
  // Not shown: it may be a seed in hex, which is an address by its form.
  throw new KeyshareError('Input', 'an address alone cannot sign: pass { address, signer }');
}

/** The calls of pallet `Registration`; constraints are in SCALE. */
export const calls = {
  register: (
    api: ApiPromise,
    constraintAccount: string,
    constraints: Hex,
    commitments: Commitments,
  ): Call => pallet(api).register(constraintAccount, constraints, keyCommitments(commitments)),
  swapKey: (api: ApiPromise, commitments: Commitments): Call =>
    pallet(api).swapKey(keyCommitments(commitments)),
  cancel: (api: ApiPromise): Call => pallet(api).cancel(),
  deregister: (api: ApiPromise): Call => pallet(api).deregister(),
  updateConstraints: (api: ApiPromise, account: string, constraints: Hex): Call =>
    pallet(api).updateConstraints(account, constraints),
  changeConstraintAccount: (api: ApiPromise, account: string, to: string): Call =>
    pallet(api).changeConstraintAccount(account, to),
};

/** The calls of pallet `Registration` that users make. */
export type CallName =
  | 'register'
  | 'swapKey'
  | 'cancel'
  | 'deregister'
  | 'updateConstraints'
  | 'changeConstraintAccount';

function pallet(api: ApiPromise): Record<CallName, (...parameters: unknown[]) => Call> {
  const registration = api.tx['registration'];
  if (registration === undefined) {
    throw new KeyshareError('WrongChain', 'the chain has no pallet Registration');
  }
  return registration as unknown as Record<CallName, (...parameters: unknown[]) => Call>;
}

function keyCommitments({ scheme, elements }: Commitments): object {
  return { [partsOf(scheme).variant]: elements.map(toHex) };
}

/**
 * Throws what the chain would refuse the call for, as far as the subject's state shows it, so that
 * nobody pays a fee, or opens a wallet, for nothing. `signer` is as the chain writes it; `scheme` is
 * that of the key that is swapped in.
 */
export function requirePossible(
  name: CallName,
  subject: AccountState,
  signer: string,
  scheme?: Scheme,
): void {
  const { registered, registering, constraintAccount } = subject;
  switch (name) {
    case 'register':
      if (registered) throw refusal('AlreadyRegistered', 'the account has a key in force');
      break;
    case 'swapKey':
    case 'deregister':
      if (!registered) throw refusal('NotRegistered', 'the account has no key in force');
      if (scheme !== undefined && registered.scheme !== scheme) {
        throw refusal('SchemeChanged', `the scheme of the key in force is ${registered.scheme}`);
      }
      break;
    case 'cancel':
      if (!registering) throw refusal('NotRegistering', 'the account has no attempt under way');
      break;
    case 'updateConstraints':
    case 'changeConstraintAccount':
      if (constraintAccount === null) {
        throw refusal('NoConstraints', 'the account is neither registered nor registering');
      }
      if (constraintAccount !== signer) {
        throw refusal('NotConstraintAccount', `only ${constraintAccount} may change them`);
      }
  }
  if ((name === 'register' || name === 'swapKey') && registering) {
    throw refusal('AlreadyRegistering', 'the account has another attempt under way');
  }
}

/** An error of pallet `Registration`, in the words of `message`. */
export function refusal(name: string, message: string): KeyshareError {
  const chainError = `registration.${name}`;
  return new KeyshareError('Refused', `the chain refuses the call: ${message} (${name})`, {
    chainError,
  });
}
