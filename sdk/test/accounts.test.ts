/** Accounts that others act for, with `@polkadot/api`'s own signing, against the real node. */

import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import type { KeyringPair } from '@polkadot/keyring/types';
import type { Codec } from '@polkadot/types/types';
import { blake2AsHex, createKeyMulti, encodeAddress, sortAddresses } from '@polkadot/util-crypto';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Call, calls } from '../src/calls.js';
import { encodeConstraints } from '../src/constraints/codec.js';
import { readConstraints } from '../src/constraints/shape.js';
import {
  type Constraints,
  generateKey,
  type Hex,
  Keyshare,
  rpc,
  signedExtensions,
  splitKey,
  toHex,
} from '../src/index.js';
import { included } from './included.js';
import { type DevNode, startDevNode } from './network.js';

let node: DevNode;
let api: ApiPromise;
let keyshare: Keyshare;
const keyring = new Keyring({ type: 'sr25519' });
const user = (name: string): KeyringPair => keyring.addFromUri(`//${name}`);

const warned: string[] = [];

beforeAll(async () => {
  node = await startDevNode();
  const warnings = vi.spyOn(console, 'warn').mockImplementation((...words: unknown[]) => {
    warned.push(words.join(' '));
  });
  const provider = new WsProvider(node.url);
  api = await ApiPromise.create({ provider, rpc, signedExtensions });
  warnings.mockRestore();
  keyshare = await Keyshare.connect(api);
}, 120_000);

afterAll(async () => {
  await api.disconnect();
  await node.stop();
});

function call(pallet: string, name: string, ...parameters: unknown[]): Call {
  const made = api.tx[pallet]?.[name]?.(...parameters);
  if (made === undefined) throw new Error(`the chain has no ${pallet}.${name}`);
  return made;
}

function encoded(constraints: Constraints): Hex {
  return toHex(encodeConstraints(readConstraints(constraints, { scheme: 'ed25519' })));
}

it('knows every extension of a transaction, and every method that is Keyshare’s own', () => {
  // Of methods that are newer than polkadot.js it warns on other chains too.
  const ours = /signed extensions|keyshare_|WithOwner/;
  expect(warned.filter((words) => ours.test(words))).toEqual([]);
});

it('registers a key for a multisig', async () => {
  const signatories = ['Alice', 'Bob', 'Charlie'].map(user);
  const multisig = encodeAddress(
    createKeyMulti(
      signatories.map(({ address }) => address),
      2,
    ),
  );
  const others = (of: KeyringPair) =>
    sortAddresses(signatories.map(({ address }) => address).filter((one) => one !== of.address));
  await included(call('balances', 'transferKeepAlive', multisig, 10n ** 14n), user('Alice'));

  // What any of them can make of the key, and all of them check.
  const key = generateKey('ed25519');
  const { subgroups, threshold } = keyshare.parameters;
  const { commitments } = splitKey(
    'ed25519',
    key,
    { subgroups, threshold },
    {
      genesis: api.genesisHash.toU8a(),
      account: createKeyMulti(
        signatories.map(({ address }) => address),
        2,
      ),
      generation: 1,
    },
  );
  const none = { rules: [], fees: [], messages: 'never' } as const;
  const register = calls.register(api, multisig, encoded(none), commitments);
  const weight = { refTime: 10n ** 11n, proofSize: 10n ** 6n };
  const [first, second] = signatories as [KeyringPair, KeyringPair];
  await included(call('multisig', 'asMulti', 2, others(first), null, register, weight), first);
  const waiting = await api.query['multisig']?.['multisigs']?.entries(multisig);
  const began = (waiting?.[0]?.[1].toJSON() as { when: object }).when;
  await included(call('multisig', 'asMulti', 2, others(second), began, register, weight), second);

  const registration = await keyshare.register({ key, scheme: 'ed25519', signer: multisig });
  expect(registration.status).toBe('registered');
  expect((await keyshare.status(multisig)).constraintAccount).toBe(multisig);
}, 120_000);

it('lets a proxy change constraints, and hand them over to nobody', async () => {
  const owner = user('Dave');
  const proxy = user('Eve');
  await keyshare.register({ key: generateKey('ed25519'), scheme: 'ed25519', signer: owner });
  await included(call('proxy', 'addProxy', proxy.address, 'Constraints', 0), owner);

  const wanted = { rules: ['1: solana memo'], fees: ['solana=10000'], messages: 'never' } as const;
  const change = calls.updateConstraints(api, owner.address, encoded(wanted));
  await included(call('proxy', 'proxy', owner.address, null, change), proxy);
  expect((await keyshare.status(owner.address)).constraints).toEqual(wanted);

  const hand = calls.changeConstraintAccount(api, owner.address, proxy.address);
  await included(call('proxy', 'proxy', owner.address, null, hand), proxy);
  expect((await keyshare.status(owner.address)).constraintAccount).toBe(owner.address);
}, 120_000);

// The last one: sudo is gone afterwards.
it('without sudo, two of three of the council authorize an upgrade and a stranger brings the code', async () => {
  const [alice, bob, charlie, dave] = ['Alice', 'Bob', 'Charlie', 'Dave'].map(user);
  if (!alice || !bob || !charlie || !dave) throw new Error('all of them are well known');
  // The same code again: its version is the same too, so that nothing is migrated.
  const key = '0x3a636f6465';
  const code = await api.rpc.state.getStorage<Codec>(key);
  const codeHash = blake2AsHex(code.toHex());
  expect((await api.rpc.state.getStorageHash(key)).toHex()).toBe(codeHash);
  await included(call('sudo', 'removeKey'), alice);
  const asRoot = call('sudo', 'sudo', call('system', 'remark', '0x'));
  await expect(included(asRoot, alice)).rejects.toThrow('sudo.RequireSudo');

  const authorize = call('system', 'authorizeUpgradeWithoutChecks', codeHash);
  const named = call('whitelist', 'whitelistCall', blake2AsHex(authorize.method.toU8a()));
  const [proposal, length] = [blake2AsHex(named.method.toU8a()), named.method.encodedLength];
  await included(call('council', 'propose', 2, named, length), alice);
  for (const member of [alice, bob]) {
    await included(call('council', 'vote', proposal, 0, true), member);
  }
  const weight = { refTime: 10n ** 11n, proofSize: 10n ** 6n };
  const closed = await included(call('council', 'close', proposal, 0, weight, length), bob);
  expect(closed).toContain('whitelist.CallWhitelisted');

  const carryOut = call('whitelist', 'dispatchWhitelistedCallWithPreimage', authorize);
  await expect(included(carryOut, dave)).rejects.toThrow('whitelist.DeferredDispatchNotFound');
  const apply = call('system', 'applyAuthorizedUpgrade', code.toHex());
  await expect(included(apply, dave)).rejects.toThrow('system.NothingAuthorized');
  expect(await included(carryOut, charlie)).toContain('system.UpgradeAuthorized');
  expect(await included(apply, dave)).toContain('system.CodeUpdated');
  // The chain goes on with it.
  await included(call('system', 'remark', '0x'), dave);
}, 120_000);
