/** Which node is believed over which way. */

import { ApiPromise, WsProvider } from '@polkadot/api';
import { describe, expect, it } from 'vitest';
import { Keyshare, requireSafeNode } from '../src/index.js';
import { Chain } from './chain.js';
import { failure } from './failure.js';
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
  chain.endpoints.push(undefined, 'ws://node.example');
  expect((await failure(chain.connect())).name).toBe('InsecureNode');
  chain.endpoints.push('wss://node.example', 'wss://node.example');
  await chain.connect();
});
