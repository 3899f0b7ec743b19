/** What needs no browser: rules, keys and amounts as people write them. */

import { expect, test } from '@playwright/test';
import {
  checkConstraints,
  type Constraints,
  type Member,
  type Operator,
  type Progress,
  type Registration,
  toHex,
} from '@keyshare/sdk';
import { kindsFor, ruleOf } from '../src/add-rule.js';
import { EMPTY, observe } from '../src/board.js';
import {
  beginEditing,
  constraintsDraft,
  isUntouched,
  keepUp,
  readDraft,
  withRule,
} from '../src/constraints-draft.js';
import { inWords } from '../src/constraints-shown.js';
import { amount, duration } from '../src/format.js';
import { countRunning, stageOf, stillShown } from '../src/hooks.js';
import { parseKey } from '../src/keytext.js';
import { coverageInWords } from '../src/my-key.js';
import { quorumInWords, standingInWords } from '../src/network.js';
import { depositInWords, isTooMuch, namedAddresses } from '../src/review.js';
import { hasConfirmed } from '../src/share-counts.js';
import { Vault } from '../src/vault.js';

const PAY = 'evm:1 pay to 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed up to 7';

test('reads rules and fees a line each, and says what is wrong with which', () => {
  const draft = {
    rules: `9: ${PAY.toLowerCase()}\n\n 1: bitcoin data \r\n`,
    fees: 'bitcoin=9\nevm:1=9',
    messages: 'prefixed',
  } as const;
  const { constraints, ...none } = readDraft(draft, 'secp256k1');
  expect(constraints).toEqual({
    rules: ['1: bitcoin data', `9: ${PAY}`],
    fees: ['evm:1=9', 'bitcoin=9'],
    messages: 'prefixed',
  });
  expect([none.rules, none.fees, none.together]).toEqual([[], [], undefined]);
  expect(none.warnings.map(({ name, rule }) => [name, rule])).toEqual([
    ['DataChoosesRecipient', 1],
  ]);
  // It is shown as it is, and so is nothing.
  if (constraints === undefined) throw new Error('it is right');
  expect(readDraft(constraintsDraft(constraints), 'secp256k1').constraints).toEqual(constraints);
  expect(readDraft(constraintsDraft(), undefined).constraints).toEqual({
    rules: [],
    fees: [],
    messages: 'never',
  });

  const twoWrong = readDraft(
    { ...draft, rules: `1: ${PAY}0x\n\ndeny\n2: bitcoin data` },
    undefined,
  );
  expect(twoWrong.rules.map(({ line }) => line)).toEqual([1, 3]);
  expect(twoWrong.warnings).toHaveLength(1);
  const [wrongFee] = readDraft({ ...draft, fees: '\nevm' }, undefined).fees;
  expect(wrongFee?.line).toBe(2);
  expect(wrongFee?.message).toContain('is no fee');
  const repeated = readDraft({ ...draft, rules: `\n1: ${PAY}\n1: bitcoin data` }, undefined);
  expect(repeated.rules).toEqual([
    { line: 3, message: 'another rule has the id 1: choose a free one' },
  ]);
});

test('takes no spaces for none that the tool and the SDK refuse', () => {
  for (const space of ['\u00a0', '\u3000', '\ufeff', '\v']) {
    const draft = { ...constraintsDraft(), rules: '1: bitcoin data', fees: 'bitcoin=9' };
    for (const text of [`${space}1: bitcoin data`, `1: bitcoin data${space}`]) {
      const read = readDraft({ ...draft, rules: text }, 'secp256k1');
      expect([read.constraints, read.rules.length]).toEqual([undefined, 1]);
    }
    const fees = readDraft({ ...draft, fees: `bitcoin=9${space}` }, 'secp256k1');
    expect([fees.constraints, fees.fees.length]).toEqual([undefined, 1]);
    // A line of them is one that somebody has typed.
    expect(readDraft({ ...draft, rules: space }, 'secp256k1').rules).toHaveLength(1);
    expect(isUntouched({ ...constraintsDraft(), rules: space })).toBe(false);
    expect(withRule({ ...draft, rules: `1: bitcoin data${space}` }, PAY).rules).toBe(
      `1: bitcoin data${space}\n2: ${PAY}`,
    );
  }
});

test('keeps what was typed when the best block shows other constraints, until they are final', () => {
  const chain = { rules: ['1: bitcoin data'], fees: ['bitcoin=9'], messages: 'never' } as const;
  const other = { ...chain, fees: ['bitcoin=8'] };
  const begun = beginEditing(chain);
  expect(keepUp(begun, { ...chain }, true)).toBe(begun);
  // Untouched, it follows every block.
  expect(keepUp(begun, other, false)).toEqual(beginEditing(other));
  const typed = { ...begun, draft: { ...begun.draft, rules: '2: bitcoin data' } };
  expect(keepUp(typed, other, false)).toBe(typed);
  expect(keepUp(typed, chain, true)).toBe(typed);
  expect(keepUp(typed, other, true)).toEqual(beginEditing(other));
});

test('keeps showing what the best block lacks, until it is final that it is gone', () => {
  expect(stillShown('new', 'old', false)).toBe('new');
  expect(stillShown(null, 'old', false)).toBe('old');
  expect(stillShown(null, 'old', true)).toBeNull();
  expect(stillShown(null, null, false)).toBeNull();
});

test('checks rules together once they can be read, and for the key once it is known', () => {
  const draft = { ...constraintsDraft(), rules: `1: ${PAY}`, fees: 'evm:1=9' };
  expect(readDraft({ ...draft, fees: '' }, undefined).together).toContain('add evm:1=AMOUNT');
  expect(readDraft(draft, undefined).constraints).toBeDefined();
  const other = readDraft(draft, 'ed25519');
  expect(other.constraints).toBeUndefined();
  expect(other.together).toContain('this one’s is ed25519');
  const any = readDraft({ ...constraintsDraft(), messages: 'any' }, 'ed25519');
  expect(any.warnings[0]?.message).toContain('lifts every rule');
  expect(any.constraints).toBeDefined();
});

test('adds rules from fields, under the first free id', () => {
  const evm = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed';
  const solana = 'So11111111111111111111111111111111111111112';
  const values = {
    chain: '1',
    who: ' anyone ',
    amount: 'any',
    selector: 'any',
    value: '0',
    mint: solana,
    holder: `wallet ${solana}`,
    program: solana,
    ...Object.fromEntries(['token', 'spender', 'contract'].map((field) => [field, evm])),
  };
  // Every form makes a rule, which fits the scheme that it is offered for.
  for (const scheme of ['ed25519', 'secp256k1'] as const) {
    const rules = kindsFor(scheme).map(({ form }, id) => `${id}: ${ruleOf(form, values)}`);
    const fees = scheme === 'ed25519' ? ['solana=1'] : ['evm:1=1', 'bitcoin=1'];
    const constraints = { rules, fees, messages: 'never' } as const;
    expect(checkConstraints(constraints, { scheme }).rules).toHaveLength(rules.length);
  }
  expect(kindsFor(undefined)).toHaveLength(
    kindsFor('ed25519').length + kindsFor('secp256k1').length,
  );
  const [form = ''] = kindsFor('secp256k1').map((kind) => kind.form);
  expect(() => ruleOf(form, { ...values, who: ' ' })).toThrow('Fill in “Recipient');
  expect(() => ruleOf(form, { ...values, who: '0x12' })).toThrow('“0x12” is no address');
  const one = withRule(constraintsDraft(), 'bitcoin data');
  expect(one.rules).toBe('1: bitcoin data');
  expect(withRule({ ...one, rules: '3: solana memo\n1: bitcoin data\n\n' }, PAY).rules).toBe(
    `3: solana memo\n1: bitcoin data\n2: ${PAY}`,
  );
});

test('reads keys as the tool writes them, and without their scheme', () => {
  const digits = 'Ab'.repeat(32);
  for (const [text, scheme] of [
    [digits, undefined],
    [`0x${digits}`, undefined],
    [`secp256k1:${digits}\n`, 'secp256k1'],
    [`ed25519:${digits}`, 'ed25519'],
  ] as const) {
    const parsed = parseKey(text);
    expect(parsed.scheme).toBe(scheme);
    expect(toHex(parsed.key)).toBe(`0x${digits.toLowerCase()}`);
  }
  for (const wrong of ['', digits.slice(1), `sr25519:${digits}`, `${digits}0`]) {
    expect(() => parseKey(wrong)).toThrow('64 hex digits');
  }
});

test('says what constraints mean', () => {
  const of = (count: number, messages: Constraints['messages']) =>
    inWords({ rules: Array<string>(count).fill('1: bitcoin data'), fees: [], messages });
  expect(of(0, 'never')).toBe('The key is kept and never used.');
  expect(of(0, 'any')).toBe('No transactions are allowed; any message may be signed.');
  expect(of(1, 'never')).toBe('Transactions within 1 rule are allowed; no messages may be signed.');
  expect(of(2, 'prefixed')).toBe(
    'Transactions within 2 rules are allowed; messages that cannot be taken for a transaction may be signed.',
  );
});

test('writes amounts and times', () => {
  expect(amount(0n)).toBe('0 KEY');
  expect(amount(1n)).toBe('0.000000000001 KEY');
  expect(amount(546_800_000_000n)).toBe('0.5468 KEY');
  expect(amount(12_000_000_000_000n)).toBe('12 KEY');
  expect(duration(89)).toBe('89 s');
  expect(duration(595)).toBe('10 min');
});

test('has the fee for the confirmations paid as well', () => {
  const parts = { deposit: 500n, comesBack: 400n, fee: 20n, confirmationFee: 3n };
  const cost = { ...parts, total: 523n, spendable: 523n };
  expect(isTooMuch(cost)).toBe(false);
  expect(isTooMuch({ ...cost, spendable: 522n })).toBe(true);
});

test('says what of the deposit comes back, also to an account that returns', () => {
  const cost = { fee: 0n, confirmationFee: 0n, total: 0n, spendable: 0n };
  const of = (deposit: bigint, comesBack: bigint, isSwap = false) =>
    depositInWords({ ...cost, deposit, comesBack }, isSwap);
  expect(of(242_400_000_000n, 133_800_000_000n)).toBe(
    'Deposit 0.2424 KEY, of which 0.1338 KEY comes back when the key is removed. The rest is for the account’s own record, and stays held for ever.',
  );
  expect(of(133_800_000_000n, 133_800_000_000n)).toBe(
    'Deposit 0.1338 KEY, which comes back when the key is removed. What is held already for the account’s own record stays held.',
  );
  expect(of(1n, 1n, true)).toContain('that of the old key when it is replaced');
});

test('says who answers for a subgroup, and since when', () => {
  const operator = { standing: 'admitted', since: 88, blocksLeft: null } as Operator;
  expect(standingInWords(operator)).toBe('since block 88');
  const pending = { ...operator, standing: 'pending', since: 900, blocksLeft: 12 } as const;
  expect(standingInWords(pending)).toBe('in force in 12 blocks, from block 900 on');
  const dismissed = { ...operator, standing: 'dismissed' } as const;
  expect(standingInWords(dismissed)).toBe('dismissed in block 88');
});

test('counts ready members and their confirmations, and names the others', () => {
  const members = [true, true, false].map((ready) => ({ ready }) as Member);
  expect(quorumInWords({ quorum: 2, members })).toBe('2 of 2 ready members must confirm a key.');
  expect(quorumInWords({ quorum: null, members: members.slice(2) })).toContain('is ready: nothing');
  expect(quorumInWords({ quorum: null, members: [] })).toContain('no members');
  const coverage = {
    subgroup: 0,
    members: ['a', 'b', 'c'],
    ready: ['a', 'b'],
    quorum: 2,
    confirmed: ['a', 'c'],
    counted: 1,
    reached: false,
  };
  expect(coverageInWords(coverage)).toBe(
    '1 of 2 ready members confirmed, and 1 that is syncing; 2 needed',
  );
  expect(coverageInWords({ ...coverage, ready: [], quorum: null, counted: 0 })).toBe(
    '0 of 0 ready members confirmed, and 2 that are syncing; nobody is ready',
  );
});

test('counts a share for whoever had the seat when it was confirmed', () => {
  const masks = { subgroups: [{ taken: [1, 5] }, { taken: [2] }] };
  const seat = (subgroup: number, number: number) => ({ subgroup, number });
  const confirmed = { asOf: 4, seats: [0b11, 0] };
  expect(hasConfirmed(confirmed, masks, seat(0, 0))).toBe(true);
  // Another server took that seat afterwards.
  expect(hasConfirmed(confirmed, masks, seat(0, 1))).toBe(false);
  expect(hasConfirmed(confirmed, masks, seat(1, 0))).toBe(false);
  expect(hasConfirmed(confirmed, masks, seat(7, 0))).toBe(false);
  const taken = Array<number>(32).fill(0);
  const last = { asOf: 4, seats: [0xffff_ffff] };
  expect(hasConfirmed(last, { subgroups: [{ taken }] }, seat(0, 31))).toBe(true);
});

test('says registered only of what is final, and goes back when it is taken back', () => {
  const shown = (status: Registration['status']) =>
    ({ status, coverage: [], expiresAt: null }) as unknown as Registration;
  const coverage = (status: Registration['status'], block: number): Progress => ({
    type: 'coverage',
    registration: shown(status),
    block,
  });
  const steps: [Progress, string][] = [
    [{ type: 'open', registration: shown('registering'), block: 4 }, 'On chain'],
    [coverage('registering', 4), 'On chain'],
    [coverage('registered', 5), 'Registered in block 5, not final yet'],
    // Which block it was stays.
    [coverage('registered', 6), 'Registered in block 5, not final yet'],
    [coverage('registering', 7), 'On chain'],
    [coverage('registered', 8), 'Registered in block 8, not final yet'],
    [{ type: 'retracted', block: 9 }, 'The chain has left the block'],
    [{ type: 'open', registration: shown('registered'), block: 10 }, 'On chain'],
    [{ type: 'registered', registration: shown('registered') }, 'Registered: every subgroup'],
  ];
  let state = EMPTY;
  for (const [progress, words] of steps) {
    state = observe(state, progress);
    expect(state.stage).toContain(words);
    expect(state.registration === undefined).toBe(progress.type === 'retracted');
  }
  expect(stageOf({ type: 'inBlock', block: 7 })).toBe('In block 7, not final yet');
  expect(stageOf({ type: 'retracted', block: 8 })).toContain('has left the block');
});

test('stays locked under an attempt when something else ends first', () => {
  const begun = [true, true].reduce(countRunning, 0);
  const ended = countRunning(begun, false);
  expect(ended).toBe(1);
  expect(countRunning(ended, false)).toBe(0);
});

test('takes constraints for nobody’s wish as long as nothing was typed', () => {
  const draft = constraintsDraft();
  expect(isUntouched(draft)).toBe(true);
  expect(isUntouched({ ...draft, rules: ' \n' })).toBe(true);
  for (const typed of [{ rules: 'x' }, { fees: 'x' }, { messages: 'any' as const }]) {
    expect(isUntouched({ ...draft, ...typed })).toBe(false);
  }
});

/** The two sides of the key's thread, in this one. */
class SameThread {
  static ended = 0;
  static isStuck = false;
  static last: SameThread | undefined;
  onmessage: ((event: { data: unknown }) => void) | undefined;
  onerror: ((event: { message?: string }) => void) | undefined;
  static #handle: (event: { data: unknown }) => void;

  constructor() {
    SameThread.last = this;
    Object.assign(globalThis, {
      postMessage: (data: unknown) => this.onmessage?.({ data }),
    });
  }
  static async load(): Promise<void> {
    Object.assign(globalThis, {
      Worker: SameThread,
      addEventListener: (_: string, handle: (event: { data: unknown }) => void) => {
        SameThread.#handle = handle;
      },
    });
    await import('../src/worker.js');
  }
  postMessage(data: unknown): void {
    if (SameThread.isStuck) return;
    // Each message has a turn of its own.
    setTimeout(() => {
      SameThread.#handle({ data });
    }, 0);
  }
  terminate(): void {
    SameThread.ended += 1;
  }
}

test('keeps the last deal when an earlier one is wiped too late, and ends with its thread', async () => {
  await SameThread.load();
  SameThread.ended = 0;
  const vault = new Vault();
  const taken = await vault.take('ed25519', new Uint8Array(32).fill(1));
  expect(namedAddresses(taken.addresses)).toEqual([
    ['Solana', 'AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9'],
  ]);
  const attempt = { genesis: new Uint8Array(32), account: new Uint8Array(32), generation: 1 };
  const deal = () => vault.dealer('ed25519').deal({ threshold: 2, subgroups: 3 }, attempt);
  const [first, second] = await Promise.all([deal(), deal()]);
  const place = { id: new Uint8Array(32), server: new Uint8Array(32), subgroup: 0 };
  const recipient = Uint8Array.from([9, ...new Uint8Array(31)]);
  first.wipe();
  await expect(first.seal(recipient, place)).rejects.toThrow('not dealt');
  expect((await second.seal(recipient, place)).ciphertext).toHaveLength(48);
  second.wipe();
  await expect(second.seal(recipient, place)).rejects.toThrow('not dealt');
  const third = await deal();
  const late = third.seal(recipient, place);
  expect(SameThread.ended).toBe(0);
  await vault.close();
  expect(SameThread.ended).toBe(1);
  await Promise.allSettled([late]);
  await expect(third.seal(recipient, place)).rejects.toThrow('has ended');
  await expect(vault.reveal()).rejects.toThrow('has ended');
});

test('ends a thread that answers nothing any more', async () => {
  await SameThread.load();
  SameThread.ended = 0;
  const vault = new Vault();
  await vault.take('ed25519', new Uint8Array(32).fill(1));
  SameThread.isStuck = true;
  try {
    await vault.close();
  } finally {
    SameThread.isStuck = false;
  }
  expect(SameThread.ended).toBe(1);
  await expect(vault.reveal()).rejects.toThrow('has ended');
});

test('ends a thread that failed, and wipes a key that it has failed to take', async () => {
  await SameThread.load();
  SameThread.ended = 0;
  const vault = new Vault();
  SameThread.last?.onerror?.({ message: 'out of memory' });
  expect(SameThread.ended).toBe(1);
  const key = new Uint8Array(32).fill(1);
  await expect(vault.take('ed25519', key)).rejects.toThrow('out of memory');
  expect(key.every((byte) => byte === 0)).toBe(true);
});

test('names the addresses by which people know a key', () => {
  const secp256k1 = { evm: '0x1', p2tr: 'bc1p', p2wpkh: 'bc1q' };
  expect(namedAddresses(secp256k1).map(([name]) => name)).toEqual([
    'EVM chains',
    'Bitcoin, Taproot (P2TR)',
    'Bitcoin, SegWit (P2WPKH)',
  ]);
  expect(namedAddresses(secp256k1).map(([, address]) => address)).toEqual(['0x1', 'bc1p', 'bc1q']);
});
