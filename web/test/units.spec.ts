/** What needs no browser: rules, keys and amounts as people write them. */

import { expect, test } from '@playwright/test';
import {
  checkConstraints,
  type Constraints,
  type Member,
  type Operator,
  toHex,
} from '@keyshare/sdk';
import { kindsFor, ruleOf } from '../src/add-rule.js';
import { constraintsDraft, readDraft, withRule } from '../src/constraints-draft.js';
import { inWords } from '../src/constraints-shown.js';
import { amount, duration } from '../src/format.js';
import { parseKey } from '../src/keytext.js';
import { coverageInWords } from '../src/my-key.js';
import { quorumInWords, standingInWords } from '../src/network.js';
import { isTooMuch, sumOf } from '../src/review.js';
import { hasConfirmed } from '../src/share-counts.js';

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
  const cost = { deposit: 500n, fee: 20n, confirmationFee: 3n, spendable: 523n };
  expect(sumOf(cost)).toBe(523n);
  expect(isTooMuch(cost)).toBe(false);
  expect(isTooMuch({ ...cost, spendable: 522n })).toBe(true);
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
