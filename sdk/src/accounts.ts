/** Accounts as callers give them, and what the chain holds for one. */

import type { ApiPromise } from '@polkadot/api';
import { type AccountState, readStatus } from './chain.js';
import { KeyshareError } from './errors.js';

/**
 * What is an address but for a slip, and no secret: base58 of 32 bytes, which may be a seed, has at most 44
 * characters, and a Bitcoin key 51 or 52; words have neither digits nor capitals.
 */
const MISTYPED = /^(?=.*\d)(?=.*[A-Z])[1-9A-HJ-NP-Za-km-z]{46,49}$/;

/** The 32 bytes of an account, SS58 of whatever network's prefix. Throws `Input` for what is none. */
export function accountIdOf(api: ApiPromise, address: string): Uint8Array {
  const decoded = (type: 'AccountId32' | 'AccountId33') => {
    try {
      return api.createType(type, address).toU8a();
    } catch {
      return undefined;
    }
  };
  const account = decoded('AccountId32');
  // polkadot.js cuts what is longer, and takes nothing for the zero account, which nobody has.
  if (account === undefined || decoded('AccountId33') !== undefined) {
    // What is mistyped helps, but it may be words or a key of a secret, taken for an address.
    const shown = MISTYPED.test(address) ? `“${address}”` : 'what is given';
    throw new KeyshareError('Input', `${shown} is no address`);
  }
  return account;
}

/** An account as the chain writes it. */
export function asWritten(api: ApiPromise, address: string): string {
  return api.createType('AccountId32', accountIdOf(api, address)).toString();
}

/** What the best block holds for an account. */
export async function stateOf(api: ApiPromise, address: string): Promise<AccountState> {
  accountIdOf(api, address);
  return readStatus(api, address);
}
