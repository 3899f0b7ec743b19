/** The SDK against the real node, and across with the Rust tool. */

import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import type { KeyringPair } from '@polkadot/keyring/types';
import type { u128 } from '@polkadot/types';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  type Constraints,
  generateKey,
  Keyshare,
  type Progress,
  publicKey,
  type RegisterInput,
  rpc,
  type Scheme,
  toHex,
} from '../src/index.js';
import { type Call, calls } from '../src/calls.js';
import { requireConsistent } from '../src/chain.js';
import { encodeConstraints } from '../src/constraints/codec.js';
import { readConstraints } from '../src/constraints/shape.js';
import { Patience } from '../src/patience.js';
import { submit } from '../src/submit.js';
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
  api = await ApiPromise.create({ provider: new WsProvider(node.url), rpc, noInitWarn: true });
  keyshare = await Keyshare.connect(api);
  keyring = new Keyring({ type: 'sr25519' });
}, 120_000);

afterAll(async () => {
  await api.disconnect();
  await node.stop();
});

/** Sends money, and waits until a block has it. */
async function transfer(from: KeyringPair, to: string, amount: bigint): Promise<void> {
  const call = api.tx['balances']?.['transferKeepAlive']?.(to, amount);
  await included(call as Call, from);
}

/** What is held from an account, and what else it has. */
async function balance(address: string): Promise<{ held: bigint; free: bigint }> {
  const account = await api.query['system']?.['account']?.(address);
  const { data } = account?.toJSON() as { data: Record<'free' | 'reserved', number | string> };
  return { held: BigInt(data.reserved), free: BigInt(data.free) };
}

/** What is held from an account. */
async function reserved(address: string): Promise<bigint> {
  return (await balance(address)).held;
}

const PAY = '1: evm:1 pay to 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed up to 1000000';

/** Rules that fit a key, and others. */
const rules: Readonly<Record<Scheme, Constraints>> = {
  ed25519: {
    rules: [
      '1: solana pay to So11111111111111111111111111111111111111112 up to 1000000000',
      '2: solana token EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v to anyone up to 5',
      '3: solana memo',
    ],
    fees: ['solana=5000'],
    messages: 'prefixed',
  },
  secp256k1: {
    rules: [
      PAY,
      '2: evm:1 call 0xa9059cbb to 0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359 up to 0',
      '300: bitcoin pay to bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4 up to any',
    ],
    fees: ['evm:1=2000000000000000', 'bitcoin=50000'],
    messages: 'never',
  },
};

/** The same as somebody else may write them. */
const asTyped = ({ rules, fees, messages }: Constraints): Constraints => ({
  rules: rules
    .map((rule) => rule.replace(/0x\w{40}/, (address) => address.toLowerCase()))
    .reverse(),
  fees: [...fees].reverse(),
  messages,
});

describe.each([
  ['ed25519', 'Dave'],
  ['secp256k1', 'Eve'],
] as const)('%s', (scheme, name) => {
  it('registers a key, from signing to the last confirmation', async () => {
    const key = generateKey(scheme);
    const signer = user(name);
    const constraints = asTyped(rules[scheme]);
    const cost = await keyshare.cost({ key, scheme, signer, constraints });
    expect(cost.fee).toBeGreaterThan(0n);
    expect(cost.confirmationFee).toBeGreaterThan(0n);

    const seen: Progress[] = [];
    const before = await balance(signer.address);
    let open: Promise<{ held: bigint; free: bigint }> | undefined;
    const registration = await keyshare.register({
      key,
      scheme,
      signer,
      constraints,
      onProgress: (progress) => {
        seen.push(progress);
        if (progress.type === 'open') open = balance(signer.address);
      },
    });
    expect(registration.status).toBe('registered');
    expect(registration.threshold).toBe(2);
    expect(toHex(registration.publicKey)).toBe(toHex(publicKey(scheme, key)));
    for (let subgroup = 0; subgroup < 3; subgroup += 1) {
      const states = seen.flatMap((one) =>
        one.type === 'server' && one.server.subgroup === subgroup ? [one.state] : [],
      );
      expect(states.slice(0, 2)).toEqual(['sealed', 'sent']);
      expect(states.at(-1)).toBe('confirmed');
    }
    const status = await keyshare.status(signer.address);
    expect(status.constraints).toEqual(rules[scheme]);
    expect(status.constraintAccount).toBe(signer.address);
    const { held, free } = (await open) ?? before;
    expect(held).toBe(cost.deposit);
    // Both fees are gone; that of the transaction is told at its most.
    const paid = before.free - free - held;
    expect(paid).toBeGreaterThan(cost.confirmationFee);
    expect(paid).toBeLessThanOrEqual(cost.fee + cost.confirmationFee);
    // The same stays held for the key.
    expect(await reserved(signer.address)).toBe(cost.deposit);
    expect(status.registered?.coverage.every((one) => one.reached)).toBe(true);

    for (const { error } of await keyshare.challenge(signer.address)) expect(error).toBeUndefined();
    // What was split in JavaScript verifies in Rust.
    expect(await node.tool('verify', signer.address)).toMatchObject({ holds: true });
  }, 120_000);

  it('verifies a key that was split in Rust', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'keyshare-key-')), 'key');
    const key = generateKey(scheme);
    writeFileSync(file, `${scheme}:${toHex(key).slice(2)}\n`, { mode: 0o600 });
    const name = scheme === 'ed25519' ? 'Bob' : 'Charlie';
    const { address, publicKey: account } = user(name);
    await node.tool('register', '--key-file', file, '--dev-account', name.toLowerCase());
    const { registered } = await keyshare.status(address);
    if (registered === null) throw new Error('it is registered');
    const genesis = api.genesisHash.toU8a();
    requireConsistent(registered, account, genesis, keyshare.parameters);
    const { commitments, verifyingShares } = registered;
    for (const altered of [
      { generation: registered.generation + 1 },
      { verifyingShares: [...verifyingShares].reverse() },
      { commitments: { ...commitments, elements: [new Uint8Array(33).fill(255)] } },
    ]) {
      expect(() => {
        requireConsistent({ ...registered, ...altered }, account, genesis, keyshare.parameters);
      }).toThrow(expect.objectContaining({ name: 'OtherKey' }));
    }
    for (const { error } of await keyshare.challenge(address)) expect(error).toBeUndefined();
    // And the same key deals the same shares here: nothing is left to sign or send.
    const again = await keyshare.register({ key, scheme, signer: address });
    expect(toHex(again.id)).toBe(toHex(registered.id));
  }, 120_000);
});

describe('a listener', () => {
  // Were it not caught, the test runner would count each of these as an error of its own.
  it.each(['throws', 'is rejected'])(
    'that %s stops nothing, and no server is blamed',
    async (how) => {
      const complaints = vi.spyOn(console, 'error').mockImplementation(() => undefined);
      const input = {
        key: generateKey('ed25519'),
        scheme: 'ed25519',
        signer: user('One'),
      } as const;
      await transfer(user('Alice'), input.signer.address, 10n ** 13n);
      const broken = new Error('the listener broke');
      const listener = (): unknown => {
        if (how === 'throws') throw broken;
        return Promise.reject(broken);
      };
      const registered = await keyshare.register({ ...input, onProgress: listener });
      expect(registered.status).toBe('registered');
      const blamed = complaints.mock.calls.filter(([text]) => text === 'onProgress failed:');
      complaints.mockRestore();
      expect(blamed.length).toBeGreaterThan(3);
      await keyshare.deregister({ signer: input.signer });
    },
    120_000,
  );
});

describe('an attempt', () => {
  const key = generateKey('ed25519');

  it('goes on after an interruption with nothing but the key', async () => {
    const abort = new AbortController();
    const signer = user('Ferdie');
    // No server answers, as if the page were closed right after signing.
    const fetching = vi.spyOn(globalThis, 'fetch').mockRejectedValue(new TypeError('offline'));
    const interrupted = await failure(
      keyshare.register({
        key,
        scheme: 'ed25519',
        signer,
        signal: abort.signal,
        onProgress: (progress) => {
          if (progress.type === 'server' && progress.state === 'retrying') abort.abort();
        },
      }),
    );
    fetching.mockRestore();
    expect(interrupted.name).toBe('Aborted');
    expect((await keyshare.status(signer.address)).registering).not.toBeNull();

    // An address alone cannot sign: none of this asks for a signature.
    const registration = await keyshare.register({
      key,
      scheme: 'ed25519',
      signer: signer.address,
    });
    expect(registration.generation).toBe(1);
    const other = { key: generateKey('ed25519'), scheme: 'ed25519', signer } as const;
    expect((await failure(keyshare.register({ ...other, onlyResume: true }))).name).toBe(
      'AttemptGone',
    );
    // The key in force is not swapped for itself.
    const same = await keyshare.swapKey({ ...other, key, onlyResume: true });
    expect(same.generation).toBe(1);
  }, 120_000);

  it('lets the constraint-modification account change the constraints, and nobody else', async () => {
    const account = user('Ferdie').address;
    const wrong = await failure(
      keyshare.setConstraints({ account, signer: user('Alice'), constraints: rules.ed25519 }),
    );
    expect([wrong.name, wrong.chainError]).toEqual([
      'Refused',
      'registration.NotConstraintAccount',
    ]);
    expect(wrong.hint).toContain('constraint-modification account');
    const set = await keyshare.setConstraints({
      account,
      signer: user('Ferdie'),
      constraints: asTyped(rules.ed25519),
    });
    expect(set.constraints).toEqual(rules.ed25519);
    // Once more nothing is to be signed.
    const same = { account, signer: account, constraints: asTyped(rules.ed25519) };
    expect((await keyshare.setConstraints(same)).constraints).toEqual(rules.ed25519);
    // The bytes that go to the chain are these.
    const bytes = await api.query['registration']?.['constraints']?.(account);
    expect(bytes?.toHex()).toContain(
      toHex(encodeConstraints(readConstraints(rules.ed25519, {}))).slice(2),
    );
    const to = user('Alice').address;
    const handed = await keyshare.changeConstraintAccount({ account, signer: user('Ferdie'), to });
    expect(handed.constraintAccount).toBe(to);
  }, 60_000);

  it('swaps the key, survives servers in trouble, and finds a lying one out', async () => {
    const next = generateKey('ed25519');
    const signer = user('Ferdie');
    const other = { key: generateKey('secp256k1'), scheme: 'secp256k1', signer } as const;
    const refused = await failure(keyshare.swapKey(other));
    expect([refused.chainError, refused.hint]).toEqual([
      'registration.SchemeChanged',
      expect.stringContaining('Deregister'),
    ]);
    const real = globalThis.fetch;
    const troubles = [
      () => Response.json({ error: { code: 9007, message: '', data: { retryAfterMs: 10 } } }),
      () => Response.json({ error: { code: -32007, message: 'too many requests' } }),
      // As a proxy answers while its server starts.
      () => new Response('<html>Bad Gateway</html>', { status: 502 }),
    ];
    let heldMeanwhile: Promise<bigint> | undefined;
    const fetching = vi.spyOn(globalThis, 'fetch').mockImplementation(async (url, init) => {
      await (heldMeanwhile ??= reserved(signer.address));
      return troubles.pop()?.() ?? real(url, init);
    });
    const errors: string[] = [];
    const input = { key: next, scheme: 'ed25519', signer } as const;
    const cost = await keyshare.swapCost(input);
    const held = await reserved(signer.address);
    const registration = await keyshare.swapKey({
      ...input,
      onProgress: (progress) => {
        if (progress.type === 'server' && progress.error) errors.push(progress.error.name);
      },
    });
    fetching.mockRestore();
    expect(((await heldMeanwhile) ?? 0n) - held).toBe(cost.deposit);
    expect(errors.sort()).toEqual(['Busy', 'ServerFailed', 'ServerUnreachable']);
    expect(registration.generation).toBe(2);

    const lying = vi.spyOn(globalThis, 'fetch').mockImplementation(async (url, init) => {
      const answer = (await (await real(url, init)).json()) as { result: { custodyProof: string } };
      answer.result.custodyProof = `0x${'11'.repeat(64)}00`;
      return Response.json(answer);
    });
    for (const { error } of await keyshare.challenge(signer.address)) {
      expect(error?.name).toBe('WrongProof');
    }
    lying.mockRestore();
  }, 120_000);

  it('is cancelled, and a key is deregistered, with what belongs to it', async () => {
    const signer = user('Ferdie');
    const fetching = vi.spyOn(globalThis, 'fetch').mockRejectedValue(new TypeError('offline'));
    const abort = new AbortController();
    const input = { key: generateKey('ed25519'), scheme: 'ed25519', signer } as const;
    const given = await failure(
      keyshare.swapKey({
        ...input,
        signal: abort.signal,
        onProgress: ({ type }) => {
          if (type === 'open') abort.abort();
        },
      }),
    );
    // Taken up again, it waits as long as it may.
    const late = await failure(keyshare.swapKey({ ...input, deadlineMs: 1_000 }));
    fetching.mockRestore();
    expect(given.name).toBe('Aborted');
    expect(late.name).toBe('DeadlinePassed');
    expect((await keyshare.status(signer.address)).registering).not.toBeNull();
    const cancelled = await keyshare.cancel({ signer });
    expect(cancelled.registering).toBeNull();
    expect(cancelled.registered?.generation).toBe(2);
    const again = await failure(keyshare.cancel({ signer }));
    expect(again.chainError).toBe('registration.NotRegistering');
    const gone = await keyshare.deregister({ signer });
    expect([gone.registered, gone.constraints]).toEqual([null, null]);
    // What stays held is what never comes back; whoever returns has it held already.
    const kept = await reserved(signer.address);
    const first = await keyshare.cost({ ...input, signer: user('Nobody') });
    expect(first.deposit - first.comesBack).toBe(kept);
    const [scheme, constraints] = ['secp256k1', rules.secp256k1] as const;
    const other = { key: generateKey(scheme), scheme, signer: user('Nobody'), constraints };
    const longer = await keyshare.cost(other);
    expect(longer.deposit - longer.comesBack).toBe(kept);
    const { deposit, comesBack } = await keyshare.cost(input);
    expect([deposit, comesBack]).toEqual([first.comesBack, first.comesBack]);
    const refused = await failure(keyshare.challenge(signer.address));
    expect(refused.name).toBe('NotRegistering');
    const left = await failure(keyshare.deregister({ signer }));
    expect(left.chainError).toBe('registration.NotRegistered');
    const nothing = await failure(keyshare.swapKey(input));
    expect(nothing.chainError).toBe('registration.NotRegistered');
  }, 120_000);
});

it('asks for no signature where the chain would refuse the call', async () => {
  const signer = user('Charlie').address;
  const { registered } = await keyshare.status(signer);
  expect(registered).not.toBeNull();
  const key = generateKey('ed25519');
  const account = user('Nobody').address;
  const refused: [() => Promise<unknown>, string][] = [
    [() => keyshare.register({ key, scheme: 'ed25519', signer }), 'AlreadyRegistered'],
    [() => keyshare.swapKey({ key, scheme: 'ed25519', signer: account }), 'NotRegistered'],
    [
      () => keyshare.setConstraints({ account, signer, constraints: rules.ed25519 }),
      'NoConstraints',
    ],
  ];
  // An address alone cannot sign, and nobody has asked it to.
  for (const [call, name] of refused) {
    expect((await failure(call())).chainError).toBe(`registration.${name}`);
  }
  // The same by the chain itself.
  const bob = user('Bob');
  const connected = { api, requireSafe: () => undefined };
  const sent = await submit(connected, calls.cancel(api), bob, new Patience({}));
  const byChain = await sent.trouble;
  sent.stop();
  expect([byChain.name, byChain.chainError]).toEqual(['Refused', 'registration.NotRegistering']);
  expect(byChain.message).toContain('attempt');
}, 30_000);

it('needs Web Crypto before anything is signed', async () => {
  const input = { key: generateKey('ed25519'), scheme: 'ed25519', signer: user('Alice') } as const;
  vi.stubGlobal('crypto', {});
  const errors = [await failure(keyshare.cost(input)), await failure(keyshare.register(input))];
  vi.unstubAllGlobals();
  expect(errors.map(({ name }) => name)).toEqual(['InsecureContext', 'InsecureContext']);
});

it('ends when nobody of a subgroup takes its share, and goes on when they do', async () => {
  const signer = user('Alice');
  const key = generateKey('ed25519');
  const refusing = vi.spyOn(globalThis, 'fetch').mockImplementation(() => {
    const error = { code: 9005, message: 'DecryptionFailed' };
    return Promise.resolve(Response.json({ jsonrpc: '2.0', id: 1, error }));
  });
  const error = await failure(keyshare.register({ key, scheme: 'ed25519', signer }));
  refusing.mockRestore();
  expect(error.name).toBe('Incomplete');
  expect(error.message).toContain('DecryptionFailed');
  const done = await keyshare.register({ key, scheme: 'ed25519', signer });
  expect(done.status).toBe('registered');
}, 60_000);

it('refuses what is no address before anything is signed', async () => {
  const signer = user('Alice');
  const key = generateKey('ed25519');
  const input = { key, scheme: 'ed25519', signer, constraintAccount: 'somebody' } as const;
  expect((await failure(keyshare.register(input))).name).toBe('Input');
  expect((await failure(keyshare.cost(input))).name).toBe('Input');
  const account = signer.address;
  // Nothing, too short, a public key of another kind, and a mistyped address.
  for (const wrong of ['', '0x', `0x${'02'.repeat(33)}`, account.replace('G', 'H')]) {
    expect((await failure(keyshare.status(wrong))).name).toBe('Input');
    expect((await failure(keyshare.register({ ...input, constraintAccount: wrong }))).name).toBe(
      'Input',
    );
  }
  for (const [constraints, reason] of [
    [{ ...rules.ed25519, rules: ['1: solana pay'] }, 'Malformed'],
    [{ ...rules.ed25519, fees: [] }, 'MissingFee'],
    [rules.secp256k1, 'SchemeMismatch'],
    [{ evmAcl: null, btcAcl: null } as unknown as Constraints, 'Malformed'],
  ] as const) {
    for (const call of [
      () => keyshare.setConstraints({ account, signer, constraints }),
      () => keyshare.register({ key, scheme: 'ed25519', signer, constraints }),
      () => keyshare.cost({ key, scheme: 'ed25519', signer, constraints }),
    ]) {
      const error = await failure(call());
      expect([error.name, error.reason]).toEqual(['Input', reason]);
    }
  }
  for (const [wrong, words] of [
    [{ scheme: 'Ed25519' }, 'one of ed25519, secp256k1'],
    [{ key: undefined }, '32 bytes'],
    [{ signer: undefined }, 'signer is missing'],
    [{ signer: user('Nobody').address }, 'alone cannot sign'],
  ] as const) {
    const given: object = Object.assign({ key, scheme: 'ed25519', signer: user('Nobody') }, wrong);
    const error = await failure(keyshare.register(given as RegisterInput));
    expect([error.name, error.message]).toEqual(['Input', expect.stringContaining(words)]);
  }
});

it('says who cannot pay the fees, or the deposit', async () => {
  const poor = user('Nobody');
  const input = { key: generateKey('ed25519'), scheme: 'ed25519', signer: poor } as const;
  expect((await keyshare.cost(input)).spendable).toBe(0n);
  const fee = await failure(keyshare.register(input));
  expect([fee.name, fee.chainError]).toEqual(['Refused', 'Payment']);

  const { deposit, fee: most, confirmationFee } = await keyshare.cost(input);
  const least = (api.consts['balances']?.['existentialDeposit'] as u128).toBigInt();
  // Enough for the fee, and one too little for the deposit if the fee were nothing.
  await transfer(user('Bob'), poor.address, deposit + least - 1n);
  const short = await keyshare.cost(input);
  expect(short.spendable).toBe(deposit - 1n);
  expect(short.spendable).toBeGreaterThan(most);
  const held = await failure(keyshare.register(input));
  expect([held.name, held.chainError]).toEqual(['Refused', 'Token.FundsUnavailable']);
  expect(held.hint).toBe(fee.hint);

  // Enough for the deposit and the transaction, and too little for the confirmations.
  const { spendable: left } = await keyshare.cost(input);
  await transfer(user('Bob'), poor.address, deposit + most + confirmationFee / 2n - left);
  const almost = await keyshare.cost(input);
  expect(almost.spendable).toBeGreaterThanOrEqual(almost.deposit + almost.fee);
  expect(almost.spendable).toBeLessThan(almost.deposit + almost.fee + almost.confirmationFee);
  const unpaid = await failure(keyshare.register(input));
  expect([unpaid.name, unpaid.chainError]).toEqual(['Refused', 'Token.FundsUnavailable']);

  // What is spendable is enough for as much: the fee of the refused call is gone, so once more.
  await transfer(user('Bob'), poor.address, most + confirmationFee);
  const enough = await keyshare.cost(input);
  const sum = enough.deposit + enough.fee + enough.confirmationFee;
  expect(enough.spendable).toBeGreaterThanOrEqual(sum);
  expect((await keyshare.register(input)).status).toBe('registered');
}, 90_000);
