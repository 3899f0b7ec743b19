/** What a dealer promises, for any key, threshold and number of subgroups. */

import { ed25519 } from '@noble/curves/ed25519.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../src/bytes.js';
import { verifyingShares } from '../src/proof.js';
import { publicKey, type Scheme } from '../src/scheme.js';
import { splitKey } from '../src/split.js';

const curve = (scheme: Scheme) => (scheme === 'ed25519' ? ed25519.Point : secp256k1.Point);

/** The public key of what these subgroups' shares make up: Lagrange's interpolation at 0. */
function reconstructed(scheme: Scheme, shares: Map<number, Uint8Array>): string {
  const { Fn, BASE } = curve(scheme);
  let secret = Fn.ZERO;
  for (const [i, share] of shares) {
    let factor = Fn.ONE;
    for (const j of shares.keys()) {
      if (i === j) continue;
      const [xi, xj] = [BigInt(i + 1), BigInt(j + 1)];
      factor = Fn.mul(factor, Fn.div(xj, Fn.sub(xj, xi)));
    }
    secret = Fn.add(secret, Fn.mul(Fn.fromBytes(share), factor));
  }
  return Fn.is0(secret) ? 'zero' : toHex(BASE.multiply(secret).toBytes());
}

const input = fc
  .record({
    key: fc
      .uint8Array({ minLength: 32, maxLength: 32 })
      .filter((key) => key[0] !== 255 && key.some(Boolean)),
    subgroups: fc.integer({ min: 2, max: 16 }),
    generation: fc.integer({ min: 1, max: 0xffff_ffff }),
    account: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  })
  .chain((one) =>
    fc.record({
      one: fc.constant(one),
      threshold: fc.integer({ min: 2, max: one.subgroups }),
      order: fc.shuffledSubarray(
        Array.from({ length: one.subgroups }, (_, subgroup) => subgroup),
        { minLength: one.subgroups },
      ),
    }),
  );

describe.each(['ed25519', 'secp256k1'] as const)('%s', (scheme) => {
  it('makes the key of any t shares, and of no fewer', () => {
    fc.assert(
      fc.property(input, ({ one, threshold, order }) => {
        const { key, subgroups, account, generation } = one;
        const genesis = new Uint8Array(32);
        const attempt = { genesis, account, generation };
        const { commitments, shares } = splitKey(scheme, key, { threshold, subgroups }, attempt);
        expect(commitments.elements).toHaveLength(threshold);
        expect(shares).toHaveLength(subgroups);
        // Each share by itself is what the commitments promise.
        const { Fn, BASE } = curve(scheme);
        const promised = verifyingShares(commitments, subgroups).map(toHex);
        const points = shares.map((share) => toHex(BASE.multiply(Fn.fromBytes(share)).toBytes()));
        expect(points).toEqual(promised);
        const some = (count: number) =>
          new Map(order.slice(0, count).map((g) => [g, shares[g] ?? new Uint8Array()]));
        const wanted = toHex(publicKey(scheme, key));
        expect(reconstructed(scheme, some(threshold))).toBe(wanted);
        expect(reconstructed(scheme, some(threshold - 1))).not.toBe(wanted);
      }),
      { numRuns: 20 },
    );
  });

  it('deals differently for another generation, account or chain', () => {
    const key = new Uint8Array(32).fill(3);
    const base = { genesis: new Uint8Array(32), account: new Uint8Array(32), generation: 1 };
    const deal = (attempt: typeof base) =>
      toHex(splitKey(scheme, key, { threshold: 2, subgroups: 3 }, attempt).shares[0] ?? key);
    const other = new Uint8Array(32).fill(1);
    const all = [
      base,
      { ...base, generation: 2 },
      { ...base, account: other },
      { ...base, genesis: other },
    ];
    expect(new Set(all.map(deal)).size).toBe(4);
    expect(deal(base)).toBe(deal(base));
  });
});

it('leaves the key to its owner, a Buffer too', () => {
  const attempt = { genesis: new Uint8Array(32), account: new Uint8Array(32), generation: 1 };
  for (const scheme of ['ed25519', 'secp256k1'] as const) {
    const key = Buffer.alloc(32, 7);
    splitKey(scheme, key, { threshold: 2, subgroups: 3 }, attempt);
    expect(key.equals(Buffer.alloc(32, 7))).toBe(true);
  }
});

it('refuses what is no private key', () => {
  const attempt = { genesis: new Uint8Array(32), account: new Uint8Array(32), generation: 1 };
  const split = (scheme: Scheme, key: Uint8Array) => () =>
    splitKey(scheme, key, { threshold: 2, subgroups: 3 }, attempt);
  expect(split('secp256k1', new Uint8Array(32))).toThrow('not a secp256k1 private key');
  expect(split('secp256k1', new Uint8Array(32).fill(255))).toThrow('not a secp256k1 private key');
  expect(split('ed25519', new Uint8Array(31))).toThrow('32 bytes');
  expect(split('Ed25519' as Scheme, new Uint8Array(32))).toThrow('one of ed25519, secp256k1');
  expect(() => publicKey('secp256k1', new Uint8Array(32))).toThrow('not a secp256k1 private key');
});
