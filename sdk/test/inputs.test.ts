/** Wrong input is told as such, whatever the chain shows; and what is told can be read when it is printed. */

import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { fromHex, type KeyInput, KeyshareError } from '../src/index.js';
import { Chain, keyOf } from './chain.js';
import { failure } from './failure.js';
import { account, listener, made, nothing, signer } from './following.js';

/** A chain that shows an attempt of another key. */
function busy(): Chain {
  const chain = new Chain();
  chain.account = made(1, 'registering', { key: keyOf('2') });
  return chain;
}

describe('wrong input', () => {
  it.each([
    ['another scheme', { scheme: 'rsa' }, 'one of ed25519, secp256k1'],
    ['a short key', { key: new Uint8Array(31) }, 'Uint8Array of 32 bytes'],
    ['a key in hex', { key: `0x${'11'.repeat(32)}` }, 'Uint8Array of 32 bytes'],
    ['no signer', { signer: undefined }, 'signer is missing'],
    ['a signer that is null', { signer: null }, 'signer is missing'],
    ['no dealer', { dealer: undefined }, 'the dealer is missing'],
    ['a dealer of another scheme', { dealer: { scheme: 'rsa' } }, 'one of ed25519, secp256k1'],
  ])('is not hidden by an attempt under way: %s', async (_, wrong, words) => {
    const keyshare = await busy().connect();
    const valid = { key: keyOf('1'), scheme: 'ed25519', signer } as const;
    const given = Object.assign({}, valid, wrong) as unknown as KeyInput;
    for (const call of [
      keyshare.register(given),
      keyshare.cost(given),
      keyshare.swapKey(given),
      keyshare.swapCost(given),
      keyshare.reshare(given),
      keyshare.reshareCost(given),
    ]) {
      const error = await failure(call);
      expect([error.name, error.message]).toEqual(['Input', expect.stringContaining(words)]);
    }
    expect((await failure(keyshare.register(valid))).chainError).toBe(
      'registration.AlreadyRegistering',
    );
  });

  it('is not shown where it may be a secret', async () => {
    const keyshare = await busy().connect();
    const words = 'bottom drive obey lake curtain smoke basket hold race lonely fit walk//Alice';
    const seed = `0x${'5e'.repeat(32)}`;
    const wif = 'KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn';
    for (const secret of [words, seed, seed.slice(2), wif]) {
      const error = await failure(keyshare.cancel({ signer: secret }));
      expect(inspect(error)).not.toContain(secret);
    }
    // What is mistyped is.
    const mistyped = await failure(keyshare.status(account.slice(1)));
    expect(mistyped.message).toContain(account.slice(1));
  });

  it('is no signer of a change, though the change is made already', async () => {
    const chain = new Chain();
    chain.account = made(1, 'registered');
    const keyshare = await chain.connect();
    const change = { account, to: account };
    expect((await keyshare.changeConstraintAccount({ ...change, signer })).isFinal).toBe(true);
    for (const none of [undefined, null, 'somebody']) {
      const input = { ...change, signer: none as never };
      expect((await failure(keyshare.changeConstraintAccount(input))).name).toBe('Input');
    }
  });

  it('is none at all', async () => {
    const keyshare = await busy().connect();
    const none = undefined as never;
    for (const call of [
      keyshare.register(none),
      keyshare.cost(none),
      keyshare.swapKey(none),
      keyshare.swapCost(none),
      keyshare.reshare(none),
      keyshare.reshareCost(none),
      keyshare.cancel(none),
      keyshare.deregister(none),
      keyshare.setConstraints(none),
      keyshare.changeConstraintAccount(none),
      keyshare.status(none),
      keyshare.challenge(none),
    ]) {
      expect((await failure(call)).name).toBe('Input');
    }
  });
});

it('what constraints open is told before anything is signed', async () => {
  const open = {
    rules: ['1: solana pay to anyone up to any'],
    fees: ['solana=5000'],
    messages: 'any',
  } as const;
  const names = ['AnyoneMayBePaid', 'NoLargestAmount', 'AnyMessage'];
  const told = async (call: (more: object) => Promise<unknown>) => {
    const abort = new AbortController();
    const { onProgress, seen } = listener(({ type }) => {
      if (type === 'signing') abort.abort();
    });
    const error = await failure(call({ onProgress, signal: abort.signal }));
    expect(error.name).toBe('Aborted');
    return seen.flatMap((one) =>
      one.type === 'signing' ? one.warnings.map(({ name }) => name) : ['none'],
    );
  };
  const chain = new Chain();
  chain.account = nothing();
  chain.onSigned = () => {
    throw new Error('it is signed');
  };
  const keyshare = await chain.connect();
  const input = { key: keyOf('1'), scheme: 'ed25519', signer } as const;
  const register = (more: object) => keyshare.register({ ...input, constraints: open, ...more });
  expect(await told(register)).toEqual(names);
  expect(await told((more) => keyshare.register({ ...input, ...more }))).toEqual([]);
  chain.account = made(1, 'registered');
  const set = (more: object) =>
    keyshare.setConstraints({ account, signer, constraints: open, ...more });
  expect(await told(set)).toEqual(names);
  // What stays with a swap is what the new key may be used for.
  chain.account.constraints = [account, fromHex('0x0200000200')];
  const swap = (more: object) => keyshare.swapKey({ ...input, key: keyOf('2'), ...more });
  expect(await told(swap)).toEqual(['AnyMessage']);
  expect(await told((more) => keyshare.deregister({ signer, ...more }))).toEqual([]);
});

describe('an error that is printed', () => {
  it('shows what to do, and nothing that is not known', () => {
    const printed = inspect(new KeyshareError('Rejected', 'not signed: Cancelled'));
    expect(printed).toContain('not signed: Cancelled');
    expect(printed).toContain("hint: 'Nothing was sent.");
    expect(printed).not.toContain('undefined');
    const chainError = 'registration.NotRegistered';
    const refused = inspect(new KeyshareError('Refused', 'no key', { chainError }));
    expect(refused).toContain('register begins with a first key');
    expect(refused).toContain(chainError);
    expect(inspect(new KeyshareError('Input', 'wrong'))).not.toContain('hint');
  });
});
