/** The calls a user makes, signed by whoever the caller passes in. */

import type { ApiPromise } from '@polkadot/api';
import type { AddressOrPair, Signer, SubmittableExtrinsic } from '@polkadot/api/types';
import type { DispatchError } from '@polkadot/types/interfaces';
import type { ISubmittableResult } from '@polkadot/types/types';
import { type Hex, toHex } from './bytes.js';
import type { AccountState } from './chain.js';
import { KeyshareError } from './errors.js';
import type { Patience } from './patience.js';
import { type Commitments, partsOf, type Scheme } from './scheme.js';

/** A call, ready to be signed. */
export type Call = SubmittableExtrinsic<'promise'>;

/** Who signs: a `KeyringPair`, or an address with the wallet's `Signer`. */
export type Account = AddressOrPair | { readonly address: string; readonly signer: Signer };

/** The address of who signs, SS58. */
export function addressOf(account: Account): string {
  if ((account as Account | undefined) === undefined) {
    throw new KeyshareError('Input', 'signer is missing: a KeyringPair, or { address, signer }');
  }
  return typeof account === 'object' && 'address' in account ? account.address : account.toString();
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

/**
 * Signs and sends a call, and waits for its first block. Throws `Rejected` if the signer refuses
 * and `Refused` if the chain does. Losing sight of it is no error: the chain's state decides.
 */
export async function submit(
  api: ApiPromise,
  call: Call,
  account: Account,
  patience: Patience,
): Promise<void> {
  const signed = await patience.race(sign(api, call, account), 'the call was signed');
  let stop: (() => void) | undefined;
  let lost: (() => void) | undefined;
  const included = new Promise<void>((resolve, reject) => {
    const seen = ({ status, dispatchError, isError }: ISubmittableResult) => {
      if (dispatchError) reject(dispatchRefusal(api, dispatchError));
      else if (status.isInBlock || status.isFinalized) resolve();
      else if (isError)
        reject(new KeyshareError('Refused', `the pool dropped the call: ${status.type}`));
    };
    signed.send(seen).then(
      (unsubscribe) => (stop = unsubscribe),
      (cause: unknown) => {
        if (isAnswer(cause)) reject(poolRefusal(cause));
        else if (String(cause).includes('not connected')) reject(unsent(cause));
        // It may be on its way: the chain's state decides.
        else resolve();
      },
    );
    // Nothing more is heard of what was sent. What was not is rejected first.
    lost = () => setTimeout(resolve, 0);
    api.on('disconnected', lost);
  });
  try {
    await patience.race(included, 'the call was in a block');
  } finally {
    stop?.();
    if (lost) api.off('disconnected', lost);
  }
}

function unsent(cause: unknown): KeyshareError {
  return new KeyshareError('ChainUnreachable', 'the chain was lost before the call was sent', {
    cause,
  });
}

/** Whether the node has answered with an error: JSON-RPC's have a code. */
function isAnswer(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause;
}

async function sign(api: ApiPromise, call: Call, account: Account): Promise<Call> {
  if (typeof account !== 'object') {
    const address = addressOf(account);
    throw new KeyshareError('Input', `${address} alone cannot sign: pass { address, signer }`);
  }
  const isPair = !('signer' in account);
  const [who, options] =
    'signer' in account ? [account.address, { signer: account.signer }] : [account, {}];
  try {
    return await call.signAsync(who, options);
  } catch (cause) {
    // The account's nonce is read first.
    if (!api.isConnected) throw unsent(cause);
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new KeyshareError(isPair ? 'Input' : 'Rejected', `not signed: ${reason}`, { cause });
  }
}

function dispatchRefusal(api: ApiPromise, error: DispatchError): KeyshareError {
  if (error.isToken) {
    const name = error.asToken.type;
    const chainError = `Token.${name}`;
    return new KeyshareError('Refused', `the chain refuses the call: ${name}`, { chainError });
  }
  if (!error.isModule)
    return new KeyshareError('Refused', `the chain refuses the call: ${error.toString()}`);
  const { section, name, docs } = api.registry.findMetaError(error.asModule);
  return new KeyshareError(
    'Refused',
    `the chain refuses the call: ${docs.join(' ').trim()} (${name})`,
    {
      chainError: `${section}.${name}`,
    },
  );
}

function poolRefusal(cause: unknown): KeyshareError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const cannotPay = reason.includes('pay some fees');
  return new KeyshareError('Refused', `the chain refuses the call: ${reason}`, {
    cause,
    ...(cannotPay ? { chainError: 'Payment' } : {}),
  });
}
