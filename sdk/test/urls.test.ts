/** Which node is believed over which way. */

import { ApiPromise, HttpProvider, WsProvider } from '@polkadot/api';
import type { Signer } from '@polkadot/api/types';
import { describe, expect, it, vi } from 'vitest';
import { Keyshare, type Progress, requireSafeNode } from '../src/index.js';
import { address, Chain, keyOf } from './chain.js';
import { failure } from './failure.js';
import { made } from './following.js';
import { freePort } from './network.js';

const check = (url: string, allowPlaintextNode?: boolean) =>
  failure(
    Promise.resolve().then(() => {
      requireSafeNode(url, allowPlaintextNode === undefined ? {} : { allowPlaintextNode });
    }),
  );

describe('a node on another machine', () => {
  it.each([
    'ws://node.example:9944',
    'http://192.168.1.7:9944',
    'ws://127.0.0.1.node.example',
    'ws://localhost.example',
    'ws://localhost@node.example',
    'ws://[::2]:9944',
    'ws://0.0.0.0:9944',
  ])('over %s has to be allowed by name', async (url) => {
    const error = await check(url);
    expect([error.name, error.message]).toEqual(['InsecureNode', expect.stringContaining(url)]);
    expect(error.hint).toContain('wss');
    expect((await check(url, false)).name).toBe('InsecureNode');
    expect(() => {
      requireSafeNode(url, { allowPlaintextNode: true });
    }).not.toThrow();
  });

  it.each(['wss://node.example', 'https://node.example/rpc'])('over %s is taken', (url) => {
    expect(() => {
      requireSafeNode(url);
    }).not.toThrow();
  });
});

it.each(['ws://127.0.0.1:9944', 'http://localhost:9944', 'ws://[::1]:9944', 'ws://127.9.9.9'])(
  'this machine itself is taken: %s',
  (url) => {
    expect(() => {
      requireSafeNode(url);
    }).not.toThrow();
  },
);

it('what is no address of a node is none', async () => {
  for (const url of ['', 'node.example', 'ftp://node.example']) {
    expect((await check(url, true)).name).toBe('Input');
  }
});

it('the SDK reads the address of a WsProvider', async () => {
  const url = `ws://0.0.0.0:${await freePort()}`;
  const api = new ApiPromise({ provider: new WsProvider(url, 100), noInitWarn: true });
  // polkadot.js's own complaint, which nobody else hears.
  api.isReadyOrError.catch(() => undefined);
  const error = await failure(Keyshare.connect(api));
  expect([error.name, error.message]).toEqual(['InsecureNode', expect.stringContaining(url)]);
  const late = await failure(Keyshare.connect(api, { allowPlaintextNode: true, deadlineMs: 100 }));
  expect(late.name).toBe('DeadlinePassed');
  await api.disconnect();
});

it('the SDK looks again once the provider is connected', async () => {
  const chain = new Chain();
  const told = [undefined, 'ws://node.example', undefined, 'wss://node.example'];
  chain.provider = {
    get endpoint() {
      return told.shift();
    },
  };
  expect((await failure(chain.connect())).name).toBe('InsecureNode');
  await chain.connect();
});

it('a provider that does not tell where its node is has to be allowed by name', async () => {
  const chain = new Chain();
  for (const provider of [new HttpProvider('http://10.0.0.5:9944'), { endpoint: undefined }, {}]) {
    chain.provider = provider;
    const error = await failure(chain.connect());
    expect([error.name, error.message]).toEqual([
      'InsecureNode',
      expect.stringContaining('does not tell the address'),
    ]);
    await chain.connect({ allowPlaintextNode: true });
  }
  // One that never will is not waited for.
  chain.ready = new Promise(() => undefined);
  chain.provider = new HttpProvider('http://10.0.0.5:9944');
  expect((await failure(chain.connect({ deadlineMs: 1_000 }))).name).toBe('InsecureNode');
});

describe('a provider that goes to another address', () => {
  const signer = { address: address('Ferdie'), signer: {} as Signer };
  const input = { key: keyOf('1'), scheme: 'ed25519', signer, deadlineMs: 4_000 } as const;
  const other = { endpoint: 'ws://other.example' };

  it('gets nothing signed', async () => {
    const chain = new Chain();
    const keyshare = await chain.connect();
    let isSent = false;
    chain.onSent = () => (isSent = true);
    chain.provider = other;
    const waiting = { signer, deadlineMs: 4_000 };
    const change = { ...waiting, account: signer.address, to: address('Eve') };
    for (const call of [
      () => keyshare.register(input),
      () => keyshare.swapKey(input),
      () => keyshare.reshare(input),
      () => keyshare.cancel(waiting),
      () => keyshare.deregister(waiting),
      () => keyshare.changeConstraintAccount(change),
    ]) {
      expect((await failure(call())).name).toBe('InsecureNode');
    }
    expect(isSent).toBe(false);
  });

  it.each(['it is dealt', 'it is signed'])(
    'while %s, gets nothing signed, or at least nothing sent',
    async (when) => {
      const chain = new Chain();
      const keyshare = await chain.connect();
      let [isSigned, isSent] = [false, false];
      chain.onSigned = () => {
        isSigned = true;
        chain.provider = other;
      };
      chain.onSent = () => (isSent = true);
      const onProgress = ({ type }: Progress) => {
        if (type === 'signing' && when === 'it is dealt') chain.provider = other;
      };
      const registering = keyshare.register({ ...input, onProgress });
      expect((await failure(registering)).name).toBe('InsecureNode');
      expect([isSigned, isSent]).toEqual([when === 'it is signed', false]);
      // The same for every other call.
      chain.provider = { endpoint: 'wss://node.example' };
      chain.account = made(1, 'registered');
      isSigned = false;
      const removing = keyshare.deregister({ signer, deadlineMs: 4_000, onProgress });
      expect((await failure(removing)).name).toBe('InsecureNode');
      expect([isSigned, isSent]).toEqual([when === 'it is signed', false]);
    },
  );

  it('is not believed what an account has', async () => {
    const chain = new Chain();
    chain.account = made(1, 'registered');
    const keyshare = await chain.connect();
    chain.provider = other;
    for (const read of [
      () => keyshare.status(signer.address),
      () => keyshare.watch(signer.address).next(),
      () => keyshare.challenge(signer.address),
    ]) {
      expect((await failure(read())).name).toBe('InsecureNode');
    }
  });

  it('names no servers that get a share', async () => {
    for (const allowPlaintextNode of [false, true]) {
      const asked = new AbortController();
      const fetching = vi.spyOn(globalThis, 'fetch').mockImplementation(() => {
        asked.abort();
        return Promise.reject(new TypeError('offline'));
      });
      const chain = new Chain();
      chain.account = made(1, 'registering');
      const keyshare = await chain.connect({ allowPlaintextNode });
      // After it was looked at for the attempt.
      chain.onBlock = () => (chain.provider = other);
      const error = await failure(keyshare.register({ ...input, signal: asked.signal }));
      fetching.mockRestore();
      expect(error.name).toBe(allowPlaintextNode ? 'Aborted' : 'InsecureNode');
      expect(asked.signal.aborted).toBe(allowPlaintextNode);
    }
  });
});

it('a node that a browser does not reach from this page is told as that', async () => {
  vi.stubGlobal('location', { protocol: 'https:' });
  try {
    expect((await check('ws://node.example:9944')).name).toBe('MixedContent');
    expect((await check('ws://node.example:9944', true)).name).toBe('MixedContent');
    expect(() => {
      requireSafeNode('ws://127.0.0.1:9944');
    }).not.toThrow();
  } finally {
    vi.unstubAllGlobals();
  }
});
