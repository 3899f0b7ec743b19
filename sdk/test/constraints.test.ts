/** Constraints against the vectors that the Rust crates pass too, and against whatever may come. */

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../src/bytes.js';
import { constraintsRefusal } from '../src/constraints/check.js';
import {
  decodeConstraints,
  encodeConstraints,
  fee as feeCodec,
  numberedRule,
} from '../src/constraints/codec.js';
import {
  parseBitcoin,
  parseEvm,
  parseSolana,
  showBitcoin,
  showEvm,
  showSolana,
} from '../src/constraints/recipient.js';
import { readConstraints, showConstraints } from '../src/constraints/shape.js';
import {
  type BitcoinNetwork,
  checkConstraints,
  type Constraints,
  type Fee,
  KeyshareError,
  type NumberedRule,
  parseConstraints,
  parseFee,
  parseRule,
  type Rule,
  type Scheme,
  showFee,
  showRule,
  warnings,
} from '../src/index.js';

function vectors(name: string): unknown {
  const path = new URL(`../../primitives/vectors/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** What a call throws, which is about constraints. */
function thrown(work: () => unknown): KeyshareError {
  try {
    work();
  } catch (error) {
    if (error instanceof KeyshareError && error.name === 'Input') return error;
    throw error;
  }
  throw new Error('it throws nothing');
}

/** Cases that are taken, and cases that are refused; there are both. */
function sorted<Case>(cases: Case[], isBad: (one: Case) => boolean): { good: Case[]; bad: Case[] } {
  const [good, bad] = [cases.filter((one) => !isBad(one)), cases.filter(isBad)];
  expect([good.length, bad.length]).not.toContain(0);
  return { good, bad };
}

interface RecipientCase {
  kind: 'evm' | 'bitcoin' | 'solana';
  name: string;
  address: string;
  chain?: number;
  bitcoinNetwork?: BitcoinNetwork;
  bytes?: string;
  shown?: string;
  error?: string;
}

describe('recipients.json', () => {
  const { good, bad } = sorted(vectors('recipients') as RecipientCase[], (one) => 'error' in one);
  const parse = ({ kind, address, chain = 0, bitcoinNetwork = 'mainnet' }: RecipientCase) => {
    if (kind === 'evm') return parseEvm(address, BigInt(chain));
    return kind === 'bitcoin' ? parseBitcoin(address, bitcoinNetwork) : parseSolana(address);
  };

  it.each(good)('$kind: $name, $address', (known) => {
    const { kind, bytes, shown = '', bitcoinNetwork = 'mainnet' } = known;
    const read = parse(known);
    expect(toHex(read)).toBe(bytes);
    const show = { evm: showEvm, bitcoin: showBitcoin, solana: showSolana }[kind];
    expect(show(read, bitcoinNetwork)).toBe(shown);
    expect(parse({ ...known, address: shown })).toEqual(read);
  });

  it.each(bad)('refuses $kind: $name', (known) => {
    expect(thrown(() => parse(known)).reason).toBe(known.error);
  });
});

interface TextCase {
  name?: string;
  text: string;
  scheme?: Scheme;
  bitcoinNetwork?: BitcoinNetwork;
  encoded?: string;
  shown?: string;
  warnings?: string[];
  error?: string;
}

describe('rules.json', () => {
  const all = vectors('rules') as { rules: TextCase[]; fees: TextCase[] };
  const rules = sorted(all.rules, (one) => 'error' in one);
  const fees = sorted(all.fees, (one) => 'error' in one);
  const options = ({ bitcoinNetwork = 'mainnet' }: TextCase) => ({ bitcoinNetwork });

  it.each(rules.good)('$text', (known) => {
    const rule = parseRule(known.text, options(known));
    const encoded = numberedRule.enc(rule);
    expect(toHex(encoded)).toBe(known.encoded);
    expect(numberedRule.dec(toHex(encoded))).toEqual(rule);
    const shown = showRule(rule, options(known));
    expect(shown).toBe(known.shown ?? known.text);
    expect(parseRule(shown, options(known))).toEqual(rule);
    const constraints = { rules: [known.text], fees: [], messages: 'never' } as const;
    const warned = warnings(constraints, known.scheme, options(known));
    expect(warned.map(({ name }) => name)).toEqual(known.warnings);
    expect(new Set(warned.map((one) => one.rule)).size).toBeLessThanOrEqual(1);
    const other = known.scheme === 'ed25519' ? 'secp256k1' : 'ed25519';
    const value = { ...readConstraints(NOTHING, {}), rules: [rule] };
    expect(constraintsRefusal(value, known.scheme)).toBeUndefined();
    expect(constraintsRefusal(value, undefined)).toBeUndefined();
    expect(constraintsRefusal(value, other)?.reason).toBe('SchemeMismatch');
  });

  it.each(rules.bad)('refuses $name: $text', (known) => {
    expect(thrown(() => parseRule(known.text, options(known))).reason).toBe(known.error);
  });

  it.each(fees.good)('fee $text', ({ text, encoded, shown = text }) => {
    const fee = parseFee(text);
    expect(toHex(feeCodec.enc(fee))).toBe(encoded);
    expect(feeCodec.dec(encoded ?? '')).toEqual(fee);
    expect(showFee(fee)).toBe(shown);
    expect(parseFee(shown)).toEqual(fee);
  });

  it.each(fees.bad)('refuses a fee with $name: $text', ({ text, error }) => {
    expect(thrown(() => parseFee(text)).reason).toBe(error);
  });
});

const NOTHING: Constraints = { rules: [], fees: [], messages: 'never' };

interface FileCase {
  name: string;
  scheme: Scheme;
  text?: string;
  bytes?: string;
  encoded?: string;
  error?: string;
  line?: number;
  place?: string;
}

describe('constraint-files.json', () => {
  const { good, bad } = sorted(vectors('constraint-files') as FileCase[], (one) => 'error' in one);
  const read = ({ text, bytes, scheme }: FileCase) =>
    parseConstraints(text ?? fromHex(bytes ?? ''), { scheme });

  it.each(good)('$name', (known) => {
    const constraints = read(known);
    expect(toHex(encodeConstraints(readConstraints(constraints, {})))).toBe(known.encoded);
    // As it is shown it is a file of its own.
    expect(parseConstraints(JSON.stringify(constraints))).toEqual(constraints);
    expect(checkConstraints(constraints, { scheme: known.scheme })).toEqual(constraints);
  });

  it.each(bad)('refuses $name', (known) => {
    const error = thrown(() => read(known));
    expect(error.reason).toBe(known.error);
    const place = known.place ?? (known.line === undefined ? undefined : `line ${known.line}`);
    if (place !== undefined) expect(error.place).toBe(place);
    if (known.error === 'Json') expect(error.place).toMatch(/^line \d+$/);
    expect(error.message.length).toBeLessThan(400);
  });

  it('says a line also where the file ends too early, or goes on', () => {
    for (const [text, line] of [
      ['{"rules":\n[],\n"fees":[', 3],
      ['{"rules":\n[],\n"fees', 3],
      ['{"rules":\n\n', 1],
      ['{"rules":["a\\ud800"]}', 1],
      ['{"rules":[],"fees":[],"messages":"never"}\n\n]', 3],
      [`[`.repeat(100_000), 1],
    ] as const) {
      const error = thrown(() => parseConstraints(text));
      expect([error.reason, error.place]).toEqual(['Json', `line ${line}`]);
    }
  });
});

interface RefusalCase {
  name: string;
  scheme: Scheme;
  encoded: string;
  error: string | null;
}

describe('refusals.json', () => {
  const cases = vectors('refusals') as RefusalCase[];
  sorted(cases, ({ error }) => error !== null);

  it.each(cases)('$name: $error', ({ scheme, encoded, error }) => {
    const constraints = decodeConstraints(fromHex(encoded));
    expect(toHex(encodeConstraints(constraints))).toBe(encoded);
    expect(constraintsRefusal(constraints, scheme)?.reason ?? null).toBe(error);
  });
});

describe('what is not theirs', () => {
  it('is not decoded', () => {
    const good = '0x0204010002020402090000000000000000000000000000000000';
    expect(showConstraints(decodeConstraints(fromHex(good)), {})).toEqual({
      rules: ['1: solana memo'],
      fees: ['solana=9'],
      messages: 'never',
    });
    for (const bad of [
      '0x',
      '0x0000000000',
      '0x0100000000',
      '0x0300000000',
      '0x02000000',
      '0x020000000000',
      // An unknown rule, message and clause.
      '0x0204010003020402090000000000000000000000000000000000',
      '0x0200000300',
      '0x020000000401',
      // A length in a longer form than it needs.
      '0x02010000000000',
    ]) {
      expect(() => decodeConstraints(fromHex(bad))).toThrow(TypeError);
    }
    // The bytes may be a part of others.
    const part = fromHex(`0xffff${good.slice(2)}`).subarray(2);
    expect(decodeConstraints(part).rules).toHaveLength(1);
  });

  it('is refused, whatever callers without types pass', () => {
    for (const [given, words] of [
      [undefined, 'an object with rules'],
      [null, 'an object with rules'],
      [{}, 'rules is an array'],
      [{ ...NOTHING, rules: '1: solana memo' }, 'rules is an array'],
      [{ ...NOTHING, fees: [9] }, 'fees is an array'],
      [{ ...NOTHING, messages: 'Never' }, 'messages is'],
      [{ ...NOTHING, messages: undefined }, 'messages is'],
      // What would be left out may be what matters.
      [{ ...NOTHING, evmAcl: null }, 'no “evmAcl”'],
    ] as const) {
      const error = thrown(() => checkConstraints(given as Constraints));
      expect([error.reason, error.message]).toEqual(['Malformed', expect.stringContaining(words)]);
    }
    const bitcoinNetwork = 'signet' as BitcoinNetwork;
    expect(thrown(() => parseRule('1: bitcoin data', { bitcoinNetwork })).message).toContain(
      'bitcoinNetwork is',
    );
  });
});

describe('a message', () => {
  it('says what to do, and quotes only what is fit to be shown', () => {
    const missing = { ...NOTHING, rules: ['1: evm:1 pay to anyone up to 1', '2: bitcoin data'] };
    expect(thrown(() => checkConstraints(missing)).message).toContain(
      'evm:1=AMOUNT and bitcoin=AMOUNT',
    );
    const testnet = 'tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7';
    expect(thrown(() => parseBitcoin(testnet, 'mainnet')).message).toContain(
      'an address of testnet, and one of mainnet',
    );
    const strange = `1: evm:1 pay to \u001b[2J\u202e${'x'.repeat(500)} up to 1`;
    const { message } = thrown(() => parseRule(strange));
    expect(message).toContain(`“[2J${'x'.repeat(77)}…”`);
    expect(message).toMatch(/^\P{C}*$/u);
  });
});

describe('warnings', () => {
  it('tell that any message may be signed, by the key’s scheme', () => {
    const any = { ...NOTHING, rules: ['7: solana memo'], messages: 'any' } as const;
    const of = (scheme?: Scheme) => warnings(any, scheme);
    expect(of('ed25519').map(({ name, rule }) => [name, rule])).toEqual([
      ['DataChoosesRecipient', 7],
      ['AnyMessage', undefined],
    ]);
    expect(of('ed25519')[1]?.message).toContain('lifts every rule of an Ed25519 key');
    expect(of('secp256k1')[1]?.message).toContain('as an order to pay');
    expect(of()[1]?.message).toContain('Ed25519');
    expect(warnings({ ...any, messages: 'prefixed' }, 'ed25519')).toHaveLength(1);
  });
});

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const bits = (count: bigint) => fc.bigInt({ min: 0n, max: 2n ** count - 1n });
const unit = <Tag extends string>(tag: Tag) => fc.constant({ tag, value: undefined });
const tagged = <Tag extends string, T>(tag: Tag, value: fc.Arbitrary<T>) =>
  fc.record({ tag: fc.constant(tag), value });
const amount = (count: bigint) => fc.oneof(tagged('UpTo', bits(count)), unit('Any'));
const who = (address: fc.Arbitrary<Uint8Array>) =>
  fc.oneof(tagged('Only', address), unit('Anyone'));
const chain = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n });
const script = fc.oneof(
  bytes(20).map((hash) => Uint8Array.of(0x76, 0xa9, 20, ...hash, 0x88, 0xac)),
  bytes(20).map((hash) => Uint8Array.of(0xa9, 20, ...hash, 0x87)),
  fc
    .constantFrom(20, 32)
    .chain(bytes)
    .map((program) => Uint8Array.of(0, program.length, ...program)),
  fc
    .tuple(fc.integer({ min: 0x51, max: 0x60 }), fc.integer({ min: 2, max: 40 }).chain(bytes))
    .map(([version, program]) => Uint8Array.of(version, program.length, ...program)),
);
const largest = (count: bigint) => ({ largest: amount(count) });
const onEvm = fc.oneof(
  tagged('Pay', fc.record({ to: who(bytes(20)), ...largest(128n) })),
  tagged('Token', fc.record({ token: bytes(20), to: who(bytes(20)), ...largest(128n) })),
  tagged('Approve', fc.record({ token: bytes(20), spender: bytes(20), ...largest(128n) })),
  tagged(
    'Call',
    fc.record({
      to: bytes(20),
      selector: fc.oneof(tagged('Only', bytes(4)), unit('Any')),
      largest: bits(128n),
    }),
  ),
);
const onBitcoin = fc.oneof(
  tagged('Pay', fc.record({ to: who(script), ...largest(64n) })),
  unit('Data'),
);
const tokenRecipient = fc.oneof(
  tagged('Wallet', bytes(32)),
  tagged('Account', bytes(32)),
  unit('Anyone'),
);
const onSolana = fc.oneof(
  tagged('Pay', fc.record({ to: who(bytes(32)), ...largest(64n) })),
  tagged('Token', fc.record({ mint: bytes(32), to: tokenRecipient, ...largest(64n) })),
  unit('Memo'),
  tagged('Call', fc.record({ program: bytes(32) })),
);
const anyRule: fc.Arbitrary<Rule> = fc.oneof(
  tagged('Evm', fc.record({ chain, allow: onEvm })),
  tagged('Bitcoin', fc.record({ allow: onBitcoin })),
  tagged('Solana', fc.record({ allow: onSolana })),
);
const numbered: fc.Arbitrary<NumberedRule> = fc.tuple(fc.integer({ min: 0, max: 65535 }), anyRule);
const anyFee: fc.Arbitrary<Fee> = fc.tuple(
  fc.oneof(tagged('Evm', chain), unit('Bitcoin'), unit('Solana')),
  bits(128n),
);
const bitcoinNetwork = fc.constantFrom<BitcoinNetwork>('mainnet', 'testnet', 'regtest');

describe('whatever they are', () => {
  it('rules and fees survive being shown and read', () => {
    fc.assert(
      fc.property(numbered, anyFee, bitcoinNetwork, (rule, fee, network) => {
        const options = { bitcoinNetwork: network };
        expect(parseRule(showRule(rule, options), options)).toEqual(rule);
        expect(parseFee(showFee(fee))).toEqual(fee);
      }),
    );
  });

  it('constraints survive being encoded and decoded', () => {
    const messages = fc.oneof(unit('Never'), unit('Prefixed'), unit('Any'));
    const [rules, fees] = [fc.array(numbered), fc.array(anyFee)];
    const clauses = fc.array(unit('Reserved'));
    fc.assert(
      fc.property(fc.record({ rules, fees, messages, clauses }), (constraints) => {
        expect(decodeConstraints(encodeConstraints(constraints))).toEqual(constraints);
      }),
    );
  });

  it('no text makes anything else than an error with a reason', () => {
    const words = '0: 7: evm:1 bitcoin solana pay token approve call data memo to up any anyone 7';
    const text = fc
      .array(fc.oneof(fc.constantFrom(...words.split(' ')), fc.string()), { maxLength: 9 })
      .map((all) => all.join(' '));
    fc.assert(
      fc.property(text, (one) => {
        for (const read of [parseRule, parseFee, parseConstraints]) {
          try {
            read(one);
          } catch (error) {
            expect(error).toBeInstanceOf(KeyshareError);
            expect((error as KeyshareError).reason).toBeDefined();
          }
        }
      }),
    );
  });
});
