/** The SDK’s connection to its node, and to the servers that this names, against the real ones. */

import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import type { KeyringPair } from '@polkadot/keyring/types';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { generateKey, Keyshare, rpc, toHex } from '../src/index.js';
import { failure } from './failure.js';
import { type DevNode, freePort, startDevNode } from './network.js';

let node: DevNode;
let api: ApiPromise;
let keyshare: Keyshare;
let keyring: Keyring;
const user = (name: string): KeyringPair => keyring.addFromUri(`//${name}`);

beforeAll(async () => {
  node = await startDevNode();
  api = await ApiPromise.create({ provider: new WsProvider(node.url), rpc, noInitWarn: true });
  keyshare = await Keyshare.connect(api);
  keyring = new Keyring({ type: 'sr25519' });
}, 120_000);

afterAll(async () => {
  await api.disconnect();
  await node.stop();
});

it('goes on when the connection to the chain is lost meanwhile', async () => {
  const own = await ApiPromise.create({ provider: new WsProvider(node.url), noInitWarn: true });
  const input = { key: generateKey('ed25519'), scheme: 'ed25519', signer: user('Ferdie') } as const;
  own.once('disconnected', () => void own.connect());
  const done = await (
    await Keyshare.connect(own)
  ).register({
    ...input,
    onProgress: ({ type }) => {
      // Before the chain is asked which servers get a share.
      if (type === 'open') void own.disconnect();
    },
  });
  expect(done.status).toBe('registered');
  await own.disconnect();
}, 60_000);

it('says when the chain was lost while the wallet was asked', async () => {
  const own = await ApiPromise.create({ provider: new WsProvider(node.url), noInitWarn: true });
  const pair = user('Nobody');
  const signRaw = async ({ data }: { data: string }) => {
    const gone = new Promise<void>((resolve) => own.once('disconnected', resolve));
    await own.disconnect();
    await gone;
    return { id: 1, signature: toHex(pair.sign(data, { withType: true })) };
  };
  const signer = { address: pair.address, signer: { signRaw } };
  const input = { key: generateKey('ed25519'), scheme: 'ed25519', signer } as const;
  const unsent = await failure((await Keyshare.connect(own)).register(input));
  expect(unsent.name).toBe('ChainUnreachable');
});

it('waits for a node no longer than it may', async () => {
  const provider = new WsProvider(`ws://127.0.0.1:${await freePort()}`, 100);
  const nowhere = new ApiPromise({ provider, noInitWarn: true });
  // polkadot.js's own complaint, which nobody else hears.
  nowhere.isReadyOrError.catch(() => undefined);
  const late = await failure(Keyshare.connect(nowhere, { deadlineMs: 500 }));
  expect(late.name).toBe('DeadlinePassed');
  const abort = AbortSignal.abort();
  expect((await failure(Keyshare.connect(nowhere, { signal: abort }))).name).toBe('Aborted');
  expect((await failure(keyshare.tryServers({ signal: abort }))).name).toBe('Aborted');
  await nowhere.disconnect();
});

it('refuses another chain, and another version of the protocol', async () => {
  const wearing = (mask: object) =>
    new Proxy(api, {
      get: (target, name): unknown =>
        name in mask ? Reflect.get(mask, name) : Reflect.get(target, name, target),
    });
  const other = wearing({ runtimeVersion: { specName: 'polkadot' } });
  expect((await failure(Keyshare.connect(other))).name).toBe('WrongChain');
  const parameters = { ...keyshare.parameters, protocolVersion: 3 };
  const newer = wearing({
    call: { keyshareApi: { parameters: () => Promise.resolve({ toJSON: () => parameters }) } },
  });
  expect((await failure(Keyshare.connect(newer))).name).toBe('WrongChain');
});

it('makes the node RPC known to polkadot.js', async () => {
  const methods = api.rpc as unknown as Record<
    string,
    Record<string, () => Promise<{ toJSON(): unknown }>>
  >;
  const servers = await methods['keyshare']?.['servers']?.();
  expect(servers?.toJSON()).toMatchObject({
    protocolVersion: 2,
    genesisHash: api.genesisHash.toHex(),
  });
});

it('names the server whose answer is none, and tries the others', async () => {
  const hosted = (protocolVersion: number, genesisHash: string, servers: string) =>
    `{"result":{"protocolVersion":${protocolVersion},"genesisHash":"${genesisHash}","servers":${servers}}}`;
  const genesis = api.genesisHash.toHex();
  const answers = [
    ['nothing', 'UnexpectedAnswer', 'not JSON'],
    ['null', 'UnexpectedAnswer', 'no object'],
    ['{"jsonrpc":"2.0","id":1,"error":null}', 'UnexpectedAnswer', 'no object'],
    ['{"error":{"code":9007,"message":"full","data":"in words"}}', 'Busy', 'full'],
    ['{"error":{"code":1,"message":"\\u001b[2Jgone"}}', 'UnexpectedAnswer', 'error 1, [2Jgone'],
    ['{"error":{"code":-32603,"message":"broken"}}', 'ServerFailed', 'broken'],
    [hosted(2, genesis, '[null]'), 'UnexpectedAnswer', 'no object'],
    [hosted(2, genesis, '[]'), 'UnknownServer', 'does not host'],
    [hosted(2, `0x${'00'.repeat(32)}`, '[]'), 'WrongChain', 'another chain'],
    [hosted(3, genesis, '[]'), 'WrongChain', 'version 3 of the protocol'],
    [' '.repeat(70_000) + hosted(2, genesis, '[]'), 'UnexpectedAnswer', 'too long'],
  ] as const;
  const real = globalThis.fetch;
  for (const [answer, name, words] of answers) {
    let first = true;
    const fetching = vi.spyOn(globalThis, 'fetch').mockImplementation((url, init) => {
      if (!first) return real(url, init);
      first = false;
      return Promise.resolve(new Response(answer));
    });
    const tried = await keyshare.tryServers();
    fetching.mockRestore();
    expect(tried.map(({ error }) => error?.name)).toEqual([name, undefined, undefined]);
    expect(tried[0]?.error?.message).toContain(words);
  }
}, 30_000);

it('follows no server to another address', async () => {
  const pointing = createServer((_, response) => {
    response.writeHead(307, { location: node.endpoint }).end();
  });
  await new Promise<void>((resolve) => pointing.listen(0, '127.0.0.1', resolve));
  const { port } = pointing.address() as AddressInfo;
  const real = globalThis.fetch;
  const fetching = vi
    .spyOn(globalThis, 'fetch')
    .mockImplementation((_, init) => real(`http://127.0.0.1:${port}`, init));
  const tried = await keyshare.tryServers();
  fetching.mockRestore();
  pointing.close();
  expect(tried.map(({ error }) => error?.name)).toEqual(Array(3).fill('ServerUnreachable'));
});

it('shows the subgroups, and tries every server', async () => {
  const subgroups = await keyshare.subgroups();
  expect(subgroups.map((one) => [one.subgroup, one.quorum, one.members.length])).toEqual([
    [0, 1, 1],
    [1, 1, 1],
    [2, 1, 1],
  ]);
  expect(
    subgroups.map(({ members: [member], operators }) => [
      member?.operator?.name,
      member?.ready,
      member?.kept,
      operators.length,
    ]),
  ).toEqual([
    ['Alice', true, false, 1],
    ['Bob', true, false, 1],
    ['Charlie', true, false, 1],
  ]);
  for (const { error } of await keyshare.tryServers()) expect(error).toBeUndefined();
  const fetching = vi.spyOn(globalThis, 'fetch').mockRejectedValue(new TypeError('refused'));
  for (const { error } of await keyshare.tryServers()) {
    expect(error?.name).toBe('ServerUnreachable');
    expect(error?.hint).toContain('--share-rpc-cors');
  }
  fetching.mockRestore();
});
