/** What is its owner's to decide, and what owners see of operators, against the real node. */

import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import type { KeyringPair } from '@polkadot/keyring/types';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Call } from '../src/calls.js';
import { generateKey, Keyshare, toHex } from '../src/index.js';
import { failure } from './failure.js';
import { included } from './included.js';
import { type DevNode, startDevNode } from './network.js';

let node: DevNode;
let api: ApiPromise;
let keyshare: Keyshare;
let keyring: Keyring;
const user = (name: string): KeyringPair => keyring.addFromUri(`//${name}`);

beforeAll(async () => {
  node = await startDevNode();
  api = await ApiPromise.create({ provider: new WsProvider(node.url), noInitWarn: true });
  keyshare = await Keyshare.connect(api);
  keyring = new Keyring({ type: 'sr25519' });
}, 120_000);

afterAll(async () => {
  await api.disconnect();
  await node.stop();
});

describe.each([
  ['ed25519', 'Dave'],
  ['secp256k1', 'Eve'],
] as const)('a key of %s with every subgroup for its threshold', (scheme, name) => {
  const key = generateKey(scheme);

  it('is registered, taken up, and proved', async () => {
    const signer = user(name);
    const input = { key, scheme, signer, threshold: 3 } as const;
    const least = await keyshare.cost({ ...input, threshold: 2 });
    expect((await keyshare.cost(input)).deposit).toBeGreaterThan(least.deposit);

    // No server answers, as if the page were closed right after signing.
    const fetching = vi.spyOn(globalThis, 'fetch').mockRejectedValue(new TypeError('offline'));
    const abort = new AbortController();
    const interrupted = await failure(
      keyshare.register({
        ...input,
        signal: abort.signal,
        onProgress: ({ type }) => {
          if (type === 'open') abort.abort();
        },
      }),
    );
    fetching.mockRestore();
    expect(interrupted.name).toBe('Aborted');

    // Its commitments say what the threshold was, so nothing but the key is needed.
    const registration = await keyshare.register({ key, scheme, signer: signer.address });
    expect(registration.threshold).toBe(3);
    expect(registration.commitments.elements).toHaveLength(3);
    for (const { error } of await keyshare.challenge(signer.address)) expect(error).toBeUndefined();
    expect(await node.tool('verify', signer.address)).toMatchObject({ holds: true });
  }, 120_000);

  it('is dealt anew by a reshare, with the threshold that it has', async () => {
    const signer = user(name);
    const other = { key: generateKey(scheme), scheme, signer } as const;
    expect((await failure(keyshare.reshare(other))).name).toBe('Input');
    const { registered: before } = await keyshare.status(signer.address);
    if (before === null) throw new Error('it is registered');

    const after = await keyshare.reshare({ key, scheme, signer });
    expect([after.status, after.generation, after.threshold]).toEqual(['registered', 2, 3]);
    expect(toHex(after.publicKey)).toBe(toHex(before.publicKey));
    const shares = before.verifyingShares.map(toHex);
    for (const share of after.verifyingShares) expect(shares).not.toContain(toHex(share));
    for (const { error } of await keyshare.challenge(signer.address)) expect(error).toBeUndefined();

    const lower = await keyshare.reshare({ key, scheme, signer, threshold: 2 });
    expect([lower.generation, lower.threshold]).toEqual([3, 2]);
  }, 120_000);
});

it('shows an operator that was admitted, and that it was dismissed', async () => {
  const sudo = async (name: string, ...parameters: unknown[]): Promise<void> => {
    const call = api.tx['subgroups']?.[name]?.(...parameters);
    const asRoot = api.tx['sudo']?.['sudo']?.(call) as Call;
    await included(asRoot, user('Alice'));
  };
  const { address } = user('Ferdie');
  const ofFerdie = async () =>
    (await keyshare.operators()).find(({ account }) => account === address);
  expect(await ofFerdie()).toBeUndefined();
  await sudo('admit', address, 'Ferdie & Sons', 1, 2);
  expect(await ofFerdie()).toMatchObject({
    name: 'Ferdie & Sons',
    subgroup: 1,
    standing: 'admitted',
    blocksLeft: null,
    seats: 2,
    validators: [],
  });
  await sudo('dismiss', address, false);
  expect(await ofFerdie()).toMatchObject({ name: 'Ferdie & Sons', standing: 'dismissed' });
  const subgroups = await keyshare.subgroups();
  expect(subgroups[1]?.operators.map(({ name }) => name).sort()).toEqual(['Bob', 'Ferdie & Sons']);
}, 60_000);
