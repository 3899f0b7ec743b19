/** What is made of a private key on the way, and overwritten. */

import { describe, expect, it, vi } from 'vitest';
import { dealer, publicKey, splitKey, toHex } from '../src/index.js';

/** The hashes that were made, by what of. */
const made = vi.hoisted(() => [] as { readonly of: string; readonly hash: Uint8Array }[]);

vi.mock('@noble/hashes/sha2.js', async (original) => {
  const real = await original<typeof import('@noble/hashes/sha2.js')>();
  const sha512 = (message: Uint8Array) => {
    const hash = real.sha512(message);
    made.push({ of: Buffer.from(message).toString('hex'), hash });
    return hash;
  };
  return { ...real, sha512: Object.assign(sha512, real.sha512) };
});

describe('the hash of an Ed25519 seed', () => {
  const key = new Uint8Array(32).fill(7);
  const attempt = { genesis: new Uint8Array(32), account: new Uint8Array(32), generation: 1 };

  it.each([
    ['a public key', () => publicKey('ed25519', key)],
    ['a split', () => splitKey('ed25519', key, { threshold: 2, subgroups: 3 }, attempt)],
  ])('is overwritten after %s', (_, work) => {
    made.length = 0;
    work();
    const ofTheSeed = made.filter(({ of }) => of === toHex(key).slice(2));
    expect(ofTheSeed).toHaveLength(1);
    // And the seed of the dealer's coefficients, of which shares could be made.
    for (const { hash } of made) expect(hash.every((byte) => byte === 0)).toBe(true);
  });
});

it('shares that were overwritten are not sealed any more', async () => {
  const attempt = { genesis: new Uint8Array(32), account: new Uint8Array(32), generation: 1 };
  const source = dealer('ed25519', new Uint8Array(32).fill(7));
  const dealt = await source.deal({ threshold: 2, subgroups: 3 }, attempt);
  const place = { id: new Uint8Array(32), server: new Uint8Array(32), subgroup: 0 };
  const encryptionKey = Uint8Array.of(9, ...new Uint8Array(31));
  expect((await dealt.seal(encryptionKey, place)).ciphertext).toHaveLength(48);
  dealt.wipe();
  await expect(dealt.seal(encryptionKey, place)).rejects.toThrow('overwritten');
});
