/** A key's threshold is its owner's; what is under way keeps the one it has. */

import type { Signer } from '@polkadot/api/types';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type Attempt,
  type Dealer,
  dealer,
  type KeyInput,
  type Parameters,
  type Progress,
  type Registration,
  type Scheme,
} from '../src/index.js';
import { address, Chain, type Covered, dealt, keyOf, member, RECORD } from './chain.js';
import { failure } from './failure.js';

const account = address('Ferdie');
const key = keyOf('1');
// An address alone cannot sign, and nothing here asks it to.
const input = { key, scheme: 'ed25519', signer: account } as const;
const underWay = { registering: { expiresAt: 300 } };
const inForce = { registered: null };

const names = ['Alice', 'Bob', 'Charlie'];
const nobody: Covered[] = names.map((name) => ({ members: [name], ready: [name], confirmed: [] }));

afterEach(() => {
  vi.restoreAllMocks();
});

/** A chain that shows this key in force, and perhaps an attempt of it. */
function chainWith(registered: object | null, registering: object | null = null): Chain {
  const chain = new Chain();
  chain.account = { generation: 2, constraints: null, registered, registering };
  return chain;
}

const shown = (threshold: number, status: object, covered: readonly Covered[] = nobody) =>
  dealt('ed25519', key, { account, generation: 2, threshold }, status, covered);

it('refuses what no key can have, before anything is signed', async () => {
  const fresh = await chainWith(null).connect();
  const owned = await chainWith(shown(2, inForce)).connect();
  for (const threshold of [1, 4, 2.5, NaN, '3'] as number[]) {
    for (const call of [
      fresh.register({ ...input, threshold }),
      fresh.cost({ ...input, threshold }),
      owned.swapKey({ ...input, threshold }),
      owned.swapCost({ ...input, threshold }),
      owned.reshare({ ...input, threshold }),
      owned.reshareCost({ ...input, threshold }),
    ]) {
      const error = await failure(call);
      expect([error.name, error.message]).toEqual([
        'Input',
        `threshold is a whole number from 2 to 3, not ${String(threshold)}`,
      ]);
    }
  }
});

it('is the chain’s, the owner’s, or with a swap that of the key in force', async () => {
  const chain = chainWith(shown(3, inForce));
  const keyshare = await chain.connect();
  expect((await keyshare.status(account)).registered?.threshold).toBe(3);
  await keyshare.swapCost({ ...input, key: keyOf('2') });
  await keyshare.swapCost({ ...input, key: keyOf('2'), threshold: 3 });
  await keyshare.reshareCost(input);
  await keyshare.reshareCost({ ...input, threshold: 2 });
  await keyshare.swapCost({ ...input, key: keyOf('2'), threshold: 2 });
  expect(chain.priced).toEqual([3, 3, 3, 2, 2]);
  // A key that the chain would not take any more gives way to its limits.
  const lower = chainWith(shown(1, inForce));
  await (await lower.connect()).swapCost({ ...input, key: keyOf('2') });
  expect(lower.priced).toEqual([2]);
});

it('is told what it costs, part by part, and what there is for it', async () => {
  const fresh = await chainWith(null).connect();
  const owned = await chainWith(shown(2, inForce)).connect();
  const cost = { fee: 1n, confirmationFee: 3n, spendable: 10_000n };
  const first = { deposit: 2_413n, comesBack: 2_413n - RECORD, total: 2_417n };
  expect(await fresh.cost(input)).toEqual({ ...cost, ...first });
  const swap = { ...cost, deposit: 210n, comesBack: 210n, total: 214n };
  expect(await owned.swapCost({ ...input, key: keyOf('2') })).toEqual(swap);
  expect(await owned.reshareCost(input)).toEqual(swap);
});

it('holds from an account that returns what is not held already, and all of that comes back', async () => {
  const chain = chainWith(null);
  chain.held = Number(RECORD);
  const { deposit, comesBack, total } = await (await chain.connect()).cost(input);
  expect([deposit, comesBack, total]).toEqual([2_413n - RECORD, 2_413n - RECORD, 2_417n - RECORD]);
  // Held when things cost more.
  chain.held = 10_000;
  expect((await (await chain.connect()).cost(input)).deposit).toBe(0n);
});

/** What the chain shows as this key’s, when it is taken up without a signature. */
async function takenUp(
  chain: Chain,
  more: Pick<KeyInput, 'threshold'> = {},
): Promise<Registration> {
  vi.spyOn(globalThis, 'fetch').mockRejectedValue(new TypeError('offline'));
  const keyshare = await chain.connect();
  const abort = new AbortController();
  let open: Registration | undefined;
  const error = await failure(
    keyshare.register({
      ...input,
      ...more,
      signal: abort.signal,
      onProgress: (progress) => {
        if (progress.type !== 'open') return;
        open = progress.registration;
        abort.abort();
      },
    }),
  );
  expect(error.name).toBe('Aborted');
  if (open === undefined) throw new Error('it was not taken up');
  return open;
}

describe('an attempt that is taken up', () => {
  it('keeps the threshold that its commitments say', async () => {
    for (const threshold of [2, 3]) {
      const chain = chainWith(null, shown(threshold, underWay));
      expect((await takenUp(chain)).threshold).toBe(threshold);
      expect((await takenUp(chain, { threshold })).threshold).toBe(threshold);
    }
  });

  it('is not the one that is asked for with another threshold', async () => {
    const asked = vi.spyOn(globalThis, 'fetch');
    const swapping = await chainWith(shown(2, inForce), shown(2, underWay)).connect();
    const first = await chainWith(null, shown(2, underWay)).connect();
    const done = await chainWith(shown(2, inForce)).connect();
    const named = { ...input, threshold: 3 };
    for (const call of [
      () => first.register(named),
      () => done.register(named),
      () => done.swapKey({ ...named, onlyResume: true }),
      () => swapping.swapKey(named),
      () => swapping.reshare(named),
    ]) {
      const error = await failure(call());
      expect([error.name, error.message]).toEqual([
        'ThresholdDiffers',
        'the key is there already, with a threshold of 2, not 3',
      ]);
      expect(error.hint).toContain('or none, to go on');
    }
    expect(asked).not.toHaveBeenCalled();
    // To swap the key in force for itself is another attempt.
    expect((await failure(done.swapKey(named))).message).toContain('cannot sign');
  });

  it('is none if a node makes one up in which each share is the key', async () => {
    const asked = vi.spyOn(globalThis, 'fetch');
    const chain = chainWith(null, shown(1, underWay));
    const keyshare = await chain.connect();
    const error = await failure(keyshare.register({ ...input, onlyResume: true }));
    expect(error.name).toBe('AttemptGone');
    chain.account = { ...chain.account, registering: null, registered: shown(1, inForce) };
    expect((await failure(keyshare.challenge(account))).name).toBe('OtherKey');
    expect((await failure(keyshare.reshare(input))).name).toBe('OtherKey');
    expect(asked).not.toHaveBeenCalled();
  });

  it('waits for a member that has confirmed and is not ready yet', async () => {
    const error = { code: 9005, message: 'DecryptionFailed' };
    vi.spyOn(globalThis, 'fetch').mockImplementation(() =>
      Promise.resolve(Response.json({ jsonrpc: '2.0', id: 1, error })),
    );
    const [, ...rest] = nobody.map((one) => ({ ...one, confirmed: one.members }));
    const first = { members: ['Alice', 'Dave'], ready: ['Alice'], confirmed: ['Dave'] };
    const chain = chainWith(null, shown(2, underWay, [first, ...rest]));
    const members = [member('Alice', 'Ready', 'Alice'), member('Dave', 'Syncing', 'Alice')];
    chain.subgroups = chain.subgroups.map((one) => (one.id === 0 ? { ...one, members } : one));
    const keyshare = await chain.connect();
    const late = await failure(keyshare.register({ ...input, deadlineMs: 2_500 }));
    expect(late.name).toBe('DeadlinePassed');
    // Nobody else is left to hear from.
    chain.account.registering = shown(2, underWay, [{ ...first, confirmed: [] }, ...rest]);
    const stuck = await failure(keyshare.register(input));
    expect([stuck.name, stuck.message]).toEqual([
      'Incomplete',
      expect.stringContaining('subgroup 0'),
    ]);
  }, 20_000);
});

describe('a dealer', () => {
  const signer = { address: account, signer: {} as Signer };
  const other = (scheme: Scheme, threshold: number) => (parameters: Parameters, attempt: Attempt) =>
    dealer(scheme, key).deal({ ...parameters, threshold }, attempt);

  it.each([
    ['another threshold', other('ed25519', 3)],
    ['another scheme', other('secp256k1', 2)],
  ])(
    'that deals with %s than it was asked is refused before anything is signed',
    async (_, deal) => {
      let wiped = 0;
      const wrong: Dealer = {
        scheme: 'ed25519',
        deal: async (parameters, attempt) => ({
          ...(await deal(parameters, attempt)),
          wipe: () => (wiped += 1),
        }),
      };
      const seen: string[] = [];
      const onProgress = ({ type }: Progress) => seen.push(type);
      const given = { dealer: wrong, signer, threshold: 2, onProgress };
      const fresh = await chainWith(null).connect();
      const owned = await chainWith(shown(2, inForce)).connect();
      for (const call of [
        () => fresh.register(given),
        () => fresh.cost(given),
        () => owned.swapKey(given),
        () => owned.reshare(given),
      ]) {
        const before = wiped;
        const error = await failure(call());
        expect([error.name, error.message]).toEqual([
          'Input',
          'the dealer was asked for a threshold of 2 with ed25519, and dealt another one',
        ]);
        expect(wiped).toBe(before + 1);
      }
      expect(seen).toEqual([]);
    },
  );

  it('that deals nothing is refused in words', async () => {
    const none = { scheme: 'ed25519', deal: () => Promise.resolve() } as unknown as Dealer;
    const keyshare = await chainWith(null).connect();
    expect((await failure(keyshare.register({ dealer: none, signer }))).name).toBe('Input');
  });
});

describe('a reshare', () => {
  it('is of the key in force and of no other', async () => {
    const keyshare = await chainWith(shown(2, inForce)).connect();
    for (const other of [
      { ...input, key: keyOf('2') },
      { ...input, scheme: 'secp256k1' } as const,
    ]) {
      for (const call of [keyshare.reshare(other), keyshare.reshareCost(other)]) {
        const error = await failure(call);
        expect([error.name, error.message]).toEqual([
          'Input',
          expect.stringContaining('another key is in force'),
        ]);
      }
    }
    const none = await chainWith(null).connect();
    expect((await failure(none.reshare(input))).chainError).toBe('registration.NotRegistered');
  });

  it('asks for a signature, though the key is in force already', async () => {
    const keyshare = await chainWith(shown(2, inForce)).connect();
    const error = await failure(keyshare.reshare(input));
    expect([error.name, error.message]).toEqual(['Input', expect.stringContaining('cannot sign')]);
    const gone = await failure(keyshare.reshare({ ...input, onlyResume: true }));
    expect(gone.name).toBe('AttemptGone');
  });

  it('is not begun beside an attempt of another key', async () => {
    const other = dealt('ed25519', keyOf('2'), { account, generation: 3, threshold: 2 }, underWay);
    const keyshare = await chainWith(shown(2, inForce), other).connect();
    expect((await failure(keyshare.reshare(input))).chainError).toBe(
      'registration.AlreadyRegistering',
    );
  });
});
