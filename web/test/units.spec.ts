/** What needs no browser: addresses, keys and amounts as people write them. */

import { expect, test } from '@playwright/test';
import { type Acl, type Member, type Operator, toHex } from '@keyshare/sdk';
import { parseBtc, parseEvm, parseList, showEvm } from '../src/addresses.js';
import { inWords } from '../src/constraints-editor.js';
import { amount, duration } from '../src/format.js';
import { parseKey } from '../src/keytext.js';
import { coverageInWords } from '../src/my-key.js';
import { quorumInWords, standingInWords } from '../src/network.js';
import { isTooMuch, sumOf } from '../src/review.js';
import { hasConfirmed } from '../src/share-counts.js';

test('reads EVM addresses with the checksum of EIP-55', () => {
  // The EIP's own.
  for (const address of [
    '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
    '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359',
    '0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB',
    '0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb',
  ]) {
    expect(parseEvm(address)).toBe(address.toLowerCase());
    expect(parseEvm(address.toLowerCase())).toBe(address.toLowerCase());
    expect(showEvm(address.toLowerCase())).toBe(address);
    expect(() => parseEvm(address.replace('d', 'D').replace('c', 'C'))).toThrow('mistyped');
    expect(() => parseEvm(address.slice(0, -1))).toThrow('40 hex digits');
  }
});

test('reads recipients on Bitcoin as BIP 173 and BIP 350 have them', () => {
  const script = '0x1863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262';
  const taproot = '0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798';
  for (const [text, program] of [
    ['bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3', script],
    ['tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7', script],
    ['bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0', taproot],
    ['BC1P0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQZK5JJ0', taproot],
    [taproot, taproot],
    [taproot.slice(2).toUpperCase(), taproot],
  ] as const) {
    expect(parseBtc(text)).toBe(program);
  }
  expect(() => parseBtc('BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4')).toThrow('public key hash');
  for (const wrong of [
    // The checksum of the other version, a character that is none, a changed one, no address.
    'tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf',
    'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh',
    'bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4',
    'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj1',
    '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa',
  ]) {
    expect(() => parseBtc(wrong)).toThrow('no recipient');
  }
});

test('reads lists', () => {
  const [one, two] = [`0x${'11'.repeat(20)}`, `0x${'22'.repeat(20)}`];
  expect(parseList(` ${one},\n${two} `, parseEvm, 2)).toEqual({
    addresses: [one, two],
    problems: [],
  });
  expect(parseList(`${one} ${one}`, parseEvm, 2).problems).toEqual([`${one} is there twice`]);
  expect(parseList(`${one} ${two}`, parseEvm, 1).problems).toEqual([
    'At most 1 addresses fit into one list',
  ]);
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
  const acl = (kind: 'allow' | 'deny', count: number) => ({
    kind,
    addresses: Array<string>(count).fill('0x'),
    allowNullRecipient: count === 2,
  });
  const inWordsOf = (evmAcl: Acl | null) => inWords({ evmAcl, btcAcl: null }).split('. ')[0];
  expect(inWordsOf(null)).toBe('EVM chains: switched off, nothing can be signed');
  expect(inWordsOf(acl('allow', 0))).toBe('EVM chains: no recipient at all');
  expect(inWordsOf(acl('allow', 1))).toBe('EVM chains: only 1 recipient');
  expect(inWordsOf(acl('deny', 0))).toBe('EVM chains: every recipient');
  expect(inWordsOf(acl('deny', 2))).toBe(
    'EVM chains: all but 2 recipients, and transactions without one',
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
