/** What is held from an account for its entries, and what of it comes back. */

import type { ApiPromise } from '@polkadot/api';
import { toHex } from './bytes.js';
import { answer, ask } from './chain.js';
import { KeyshareError } from './errors.js';
import type { Cost } from './inputs.js';
import { partsOf, type Scheme } from './scheme.js';

/** A key that is to be held for. */
interface Entries {
  readonly scheme: Scheme;
  readonly threshold: number;
  /** In SCALE; absent with a swap. */
  readonly constraints: Uint8Array | undefined;
}

/** What a new attempt holds beyond what is held already, and what of that comes back. */
export async function readDeposit(
  api: ApiPromise,
  account: string,
  { scheme, threshold, constraints }: Entries,
): Promise<Pick<Cost, 'deposit' | 'comesBack'>> {
  const { variant } = partsOf(scheme);
  // As hex, since polkadot.js takes bytes that may be absent for more.
  const given = constraints ? toHex(constraints) : null;
  if (constraints === undefined) {
    const deposit = await price(api, variant, threshold, given);
    return { deposit, comesBack: deposit };
  }
  const [due, record, held] = await Promise.all([
    price(api, variant, threshold, given),
    ask(api, 'recordDeposit', undefined),
    readHeld(api, account),
  ]);
  const mayComeBack = due - BigInt(record as number | string);
  const deposit = due > held ? due - held : 0n;
  return { deposit, comesBack: deposit < mayComeBack ? deposit : mayComeBack };
}

async function price(
  api: ApiPromise,
  variant: string,
  threshold: number,
  constraints: string | null,
): Promise<bigint> {
  const json = await ask(api, 'deposit', undefined, variant, threshold, constraints);
  return BigInt(json as number | string);
}

/** What is held from an account for its registration now. */
async function readHeld(api: ApiPromise, account: string): Promise<bigint> {
  const read = api.query['balances']?.['holds'];
  if (read === undefined) throw new KeyshareError('WrongChain', 'the chain has no balances');
  const holds = (await answer(read(account))).toJSON() as {
    id: Record<string, unknown>;
    amount: number | string;
  }[];
  const ours = holds.find(({ id }) => 'registration' in id);
  return BigInt(ours?.amount ?? 0);
}
