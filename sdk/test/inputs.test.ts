/** Wrong input is told as such, whatever the chain shows; and what is told can be read when it is printed. */

import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { dealer, fromHex, type KeyInput, KeyshareError, NO_CONSTRAINTS } from '../src/index.js';
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
    const longer = '5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ';
    const base58 = 'JEKNVnkbo3jma5nREBBJCDoXFVeKkD56V3xKrvRmWxFG';
    expect(base58).toHaveLength(44);
    const short = ['S4b3N3oGqDqR5jNuxEvDwf', 'SzavMBLoXU6kDrqtUVmffv', 'hunter2', 'anchorage'];
    const joined = 'basketnymphsixchartcoastgravityracehoneyfitwasp';
    expect(joined).toHaveLength(47);
    const typed = [
      seed.slice(2),
      wif,
      longer,
      longer.slice(1),
      base58,
      `1${base58}`,
      joined,
      ...short,
    ];
    const rules = { constraints: NO_CONSTRAINTS, signer };
    const input = { key: keyOf('1'), scheme: 'ed25519', signer } as const;
    for (const secret of [words, ...typed]) {
      for (const call of [
        () => keyshare.cancel({ signer: secret }),
        () => keyshare.status(secret),
        () => keyshare.challenge(secret),
        () => keyshare.register({ ...input, constraintAccount: secret }),
        () => keyshare.setConstraints({ ...rules, account: secret }),
        () => keyshare.changeConstraintAccount({ account: secret, signer, to: account }),
        () => keyshare.changeConstraintAccount({ account, signer, to: secret }),
      ]) {
        const error = await failure(Promise.resolve().then<unknown>(call));
        expect(error.name).toBe('Input');
        expect(inspect(error)).not.toContain(secret);
      }
    }
    // An address by its form.
    const shown = await failure(keyshare.cancel({ signer: seed }));
    expect(inspect(shown)).not.toContain(seed);
    // What is mistyped is.
    for (const mistyped of [account.slice(1), `${account.slice(0, 9)}${account.slice(8)}`]) {
      expect((await failure(keyshare.status(mistyped))).message).toContain(mistyped);
    }
  });

  it('is what a method does not take, since it would look as if it were heeded', async () => {
    const keyshare = await busy().connect();
    const input = { key: keyOf('1'), scheme: 'ed25519', signer } as const;
    const swap = { ...input, constraints: NO_CONSTRAINTS };
    const later = { ...input, constraintAccount: account };
    const mistyped = { treshold: 3 };
    const change = { account, signer };
    for (const [call, name, ...words] of [
      [() => keyshare.register({ ...input, ...mistyped }), 'treshold', 'register', 'threshold'],
      [() => keyshare.cost({ ...input, ...mistyped }), 'treshold', 'register'],
      [() => keyshare.swapKey({ ...input, ...mistyped }), 'treshold', 'swapKey'],
      [() => keyshare.swapCost({ ...input, ...mistyped }), 'treshold', 'swapKey'],
      [() => keyshare.reshare({ ...input, ...mistyped }), 'treshold', 'reshare'],
      [() => keyshare.reshareCost({ ...input, ...mistyped }), 'treshold', 'reshare'],
      // @ts-expect-error A swap leaves the constraints.
      [() => keyshare.swapKey(swap), 'constraints', 'swapKey'],
      // @ts-expect-error A swap leaves them to their account.
      [() => keyshare.reshare(later), 'constraintAccount', 'reshare'],
      // @ts-expect-error A swap leaves them to their account.
      [() => keyshare.swapCost(later), 'constraintAccount', 'swapKey'],
      [() => keyshare.cancel(input), 'key', 'cancel'],
      [() => keyshare.deregister(input), 'key', 'deregister'],
      [
        () => keyshare.setConstraints({ ...change, constraints: NO_CONSTRAINTS, ...mistyped }),
        'treshold',
        'setConstraints',
      ],
      [
        () => keyshare.changeConstraintAccount({ ...change, to: account, ...mistyped }),
        'treshold',
        'changeConstraintAccount',
      ],
      [() => keyshare.watch(account, { deadlineMs: 1, ...mistyped }).next(), 'treshold', 'watch'],
      [() => keyshare.tryServers({ deadlineMs: 1, ...mistyped }), 'treshold', 'tryServers'],
      [() => keyshare.challenge(account, { deadlineMs: 1, ...mistyped }), 'treshold', 'challenge'],
      [() => busy().connect({ deadlineMs: 1_000, ...mistyped }), 'treshold', 'connect'],
    ] as const) {
      const error = await failure(Promise.resolve().then<unknown>(call));
      expect(error.name).toBe('Input');
      for (const word of [name, ...words]) expect(error.message).toContain(word);
    }
    // What is not given at all is not told.
    const none = { ...input, constraints: undefined, onlyResume: true };
    expect((await failure(keyshare.swapKey(none))).name).toBe('AttemptGone');
  });

  it('is a key beside a dealer, which has its own', async () => {
    const keyshare = await busy().connect();
    const both = {
      key: keyOf('1'),
      scheme: 'ed25519',
      dealer: dealer('ed25519', keyOf('1')),
    } as const;
    const { scheme, ...source } = both;
    // @ts-expect-error Either of them.
    const two: KeyInput = { ...both, signer };
    const named = { dealer: source.dealer, scheme, signer } as unknown as KeyInput;
    for (const given of [two, { ...source, signer } as unknown as KeyInput, named]) {
      const error = await failure(keyshare.register(given));
      expect([error.name, error.message]).toEqual(['Input', expect.stringContaining('either')]);
    }
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
