/** An account's constraints: what goes to the chain, what comes back, and what never leaves. */

import { describe, expect, it } from 'vitest';
import { type BitcoinNetwork, type Constraints, fromHex, type Scheme } from '../src/index.js';
import { address, Chain, dealt, keyOf } from './chain.js';
import { failure } from './failure.js';

const account = address('Ferdie');
// An address alone cannot sign, and nothing here asks it to.
const input = { key: keyOf('1'), scheme: 'secp256k1', signer: account } as const;

const constraints: Constraints = {
  rules: [
    '9: bitcoin pay to bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4 up to 7',
    '1: evm:1 pay to 0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed up to 7',
  ],
  fees: ['bitcoin=9', 'evm:1=9'],
  messages: 'prefixed',
};
const encoded =
  '0x0208010000010000000000000000005aaeb6053f3e94c9b9a09f33669435e7ef1beaed0007000000000000000000000000000000090001' +
  '0000580014751e76e8199196d454941c45d1b3a323f1433bd6000700000000000000' +
  '0800010000000000000009000000000000000000000000000000' +
  '0109000000000000000000000000000000' +
  '0100';
const shown: Constraints = {
  rules: [
    '1: evm:1 pay to 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed up to 7',
    '9: bitcoin pay to bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4 up to 7',
  ],
  fees: ['evm:1=9', 'bitcoin=9'],
  messages: 'prefixed',
};

/** A chain on which the account has a key of this scheme in force, or under way. */
function chainWith(scheme: Scheme, field: 'registered' | 'registering' = 'registered'): Chain {
  const chain = new Chain();
  const status = field === 'registered' ? { registered: null } : { registering: { expiresAt: 9 } };
  const key = dealt(scheme, keyOf('1'), { account, generation: 1, threshold: 2 }, status);
  chain.account = {
    generation: 1,
    constraints: [account, fromHex('0x0200000000')],
    registered: null,
    registering: null,
    [field]: key,
  };
  return chain;
}

it('go to the chain in its order, and nothing if none are given', async () => {
  const chain = new Chain();
  const keyshare = await chain.connect();
  await keyshare.cost({ ...input, constraints });
  await keyshare.cost(input);
  // Each for the call, and for the deposit; other deposits are asked for to tell what comes back.
  expect(chain.given.filter((given) => given !== null)).toEqual([
    encoded,
    encoded,
    '0x0200000000',
    '0x0200000000',
  ]);
  const held = chainWith('secp256k1');
  await (await held.connect()).swapCost({ ...input, key: keyOf('2') });
  expect(held.given).toEqual([null]);
});

it('come back as text, with the addresses of the network that was asked for', async () => {
  const chain = chainWith('secp256k1');
  expect((await (await chain.connect()).status(account)).constraints).toEqual({
    rules: [],
    fees: [],
    messages: 'never',
  });
  chain.account.constraints = [account, fromHex(encoded)];
  const status = await (await chain.connect()).status(account);
  expect([status.constraints, status.constraintAccount]).toEqual([shown, account]);
  const testnet = await chain.connect({ bitcoinNetwork: 'testnet' });
  const rule = '9: bitcoin pay to tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx up to 7';
  for await (const { constraints } of testnet.watch(account)) {
    expect(constraints?.rules[1]).toBe(rule);
    break;
  }
  const mainnet = await failure(testnet.cost({ ...input, constraints }));
  expect([mainnet.reason, mainnet.place]).toEqual(['OtherBitcoinNetwork', 'rules[0]']);
  const none = await failure(chain.connect({ bitcoinNetwork: 'signet' as BitcoinNetwork }));
  expect(none.name).toBe('Input');
});

it('are not made up if they are of a version that nobody knows', async () => {
  const chain = chainWith('secp256k1');
  chain.account.constraints = [account, fromHex('0x0300000000')];
  const error = await failure((await chain.connect()).status(account));
  expect([error.name, error.message]).toEqual([
    'WrongChain',
    expect.stringContaining('does not know'),
  ]);
});

describe('are changed', () => {
  it('only to what fits the key, in force or under way', async () => {
    for (const field of ['registered', 'registering'] as const) {
      const keyshare = await chainWith('ed25519', field).connect();
      const error = await failure(
        keyshare.setConstraints({ account, signer: account, constraints }),
      );
      expect([error.name, error.reason]).toEqual(['Input', 'SchemeMismatch']);
      const fitting = await chainWith('secp256k1', field).connect();
      const asked = await failure(
        fitting.setConstraints({ account, signer: account, constraints }),
      );
      expect(asked.message).toContain('alone cannot sign');
    }
  });

  it('without a signature if the chain has the same already', async () => {
    const chain = chainWith('secp256k1');
    chain.account.constraints = [account, fromHex(encoded)];
    const keyshare = await chain.connect();
    const status = await keyshare.setConstraints({ account, signer: account, constraints });
    expect(status.constraints).toEqual(shown);
    const other = { ...constraints, messages: 'any' } as const;
    const asked = await failure(
      keyshare.setConstraints({ account, signer: account, constraints: other }),
    );
    expect(asked.message).toContain('alone cannot sign');
  });
});

it('keep their key’s scheme when it is swapped', async () => {
  const keyshare = await chainWith('ed25519').connect();
  const error = await failure(keyshare.swapKey({ ...input, key: keyOf('2') }));
  expect([error.chainError, error.hint]).toEqual([
    'registration.SchemeChanged',
    expect.stringContaining('Deregister'),
  ]);
  const same = await failure(keyshare.swapKey({ ...input, scheme: 'ed25519', key: keyOf('2') }));
  expect(same.message).toContain('cannot sign');
});
