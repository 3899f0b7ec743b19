/** Who signs, and whose failure it is when nothing is signed. */

import type { Signer } from '@polkadot/api/types';
import { describe, expect, it } from 'vitest';
import { type Account, type Dealer, dealer, type Keyshare, NO_CONSTRAINTS } from '../src/index.js';
import { address, keyOf } from './chain.js';
import { failure } from './failure.js';
import { account, hurried, input, key, listener, made, stalled } from './following.js';

hurried();

/** An error of JSON-RPC, as a node answers it and as some wallets refuse. */
const coded = (message: string, code: number) => Object.assign(new Error(message), { code });

describe('a call that is not signed', () => {
  it.each([
    new Error('WebSocket is not connected'),
    new Error('disconnected from wss://node.example: 1006:: Abnormal Closure'),
    new Error('No response received from RPC endpoint in 60s'),
    coded('-32603: Internal error', -32603),
  ])('since the chain does not say what for, is nobody’s refusal: %s', async (readError) => {
    const chain = stalled();
    chain.readError = readError;
    const keyshare = await chain.connect();
    const pair = { address: account, sign: () => new Uint8Array() } as unknown as Account;
    for (const signer of [input.signer, pair]) {
      const error = await failure(keyshare.register({ ...input, signer }));
      expect([error.name, error.cause]).toEqual(['ChainUnreachable', readError]);
      expect(error.hint).toContain('Nothing is lost');
    }
  });

  it.each([
    new Error('Cancelled'),
    new Error('the Ledger is not connected'),
    coded('User rejected the request', 4001),
  ])('since the wallet refuses, is its refusal, whatever its words: %s', async (refusal) => {
    const chain = stalled();
    // It is made again meanwhile, and the wallet knows nothing of that.
    chain.isConnected = false;
    const keyshare = await chain.connect();
    // As wallets are: of a class, with fields of its own, and frozen.
    class Wallet {
      readonly #refusal = refusal;
      signPayload(): Promise<never> {
        return Promise.reject(this.#refusal);
      }
    }
    const signer = { address: account, signer: Object.freeze(new Wallet()) };
    const error = await failure(keyshare.register({ ...input, signer }));
    expect([error.name, error.message]).toEqual(['Rejected', `not signed: ${refusal.message}`]);
    // Whose own the method is.
    const frozen = Object.freeze({ signPayload: () => Promise.reject(refusal) });
    const again = { ...input, signer: { address: account, signer: frozen } };
    expect((await failure(keyshare.register(again))).name).toBe('Rejected');
  });

  it('since the pair is locked, is wrong input', async () => {
    const chain = stalled();
    chain.readError = new Error('Cannot sign with a locked key pair');
    const pair = { address: account, sign: () => new Uint8Array() } as unknown as Account;
    const locked = (await chain.connect()).register({ ...input, signer: pair });
    expect((await failure(locked)).name).toBe('Input');
  });
});

describe('an address alone', () => {
  const alone: readonly [string, Account][] = [
    ['an address', account],
    ['a signer that is missing', { address: account, signer: undefined as unknown as Signer }],
    ['an account', { toString: () => account } as unknown as Account],
  ];

  it.each(alone)('signs nothing, and nobody is told that it does: %s', async (_, signer) => {
    const { onProgress, types } = listener();
    let deals = 0;
    const counted: Dealer = {
      scheme: 'ed25519',
      deal: (parameters, attempt) => {
        deals += 1;
        return dealer('ed25519', key).deal(parameters, attempt);
      },
    };
    const fresh = await stalled().connect();
    const error = await failure(fresh.register({ dealer: counted, signer, onProgress }));
    expect([error.name, error.message]).toEqual([
      'Input',
      'an address alone cannot sign: pass { address, signer }',
    ]);
    expect(deals).toBe(0);
    const owned = await stalled(made(1, 'registered')).connect();
    const busy = await stalled(made(1, 'registering')).connect();
    const other = { key: keyOf('2'), scheme: 'ed25519', signer, onProgress } as const;
    const change = { account, signer, onProgress };
    const rules = { ...NO_CONSTRAINTS, messages: 'any' } as const;
    for (const call of [
      () => owned.swapKey(other),
      () => owned.reshare({ ...other, key }),
      () => owned.deregister({ signer, onProgress }),
      () => busy.cancel({ signer, onProgress }),
      () => owned.setConstraints({ ...change, constraints: rules }),
      () => owned.changeConstraintAccount({ ...change, to: address('Eve') }),
    ]) {
      expect((await failure(call())).message).toBe(error.message);
    }
    expect(types()).toEqual([]);
  });

  it.each(alone)('is enough for what needs no signature: %s', async (_, signer) => {
    const fresh = await stalled().connect();
    expect((await fresh.cost({ ...input, signer })).fee).toBe(1n);
    const resumed = (keyshare: Keyshare) =>
      keyshare.register({ ...input, signer, onlyResume: true });
    const done = await stalled(made(1, 'registered')).connect();
    expect((await resumed(done)).status).toBe('registered');
    expect((await failure(resumed(fresh))).name).toBe('AttemptGone');
  });
});
