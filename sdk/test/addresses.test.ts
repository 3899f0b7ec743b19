/** A key's addresses, against published ones; the tool is held to the same file. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { addresses, fromHex, type Scheme } from '../src/index.js';
import { failure } from './failure.js';

interface Case {
  name: string;
  scheme: Scheme;
  publicKey: string;
  addresses: object;
}

const path = new URL('../../primitives/vectors/addresses.json', import.meta.url);
const cases = JSON.parse(readFileSync(path, 'utf8')) as Case[];
const of = (scheme: Scheme) => cases.filter((known) => known.scheme === scheme);

it.each(cases)('are those that wallets show: $name', (known) => {
  expect(addresses(known.scheme, fromHex(known.publicKey))).toEqual(known.addresses);
});

it('are checked for keys of both schemes, and with even and odd y', () => {
  expect(of('ed25519').length).toBeGreaterThanOrEqual(2);
  for (const prefix of ['0x02', '0x03']) {
    const some = of('secp256k1').filter(({ publicKey }) => publicKey.startsWith(prefix));
    expect(some.length).toBeGreaterThanOrEqual(2);
  }
});

it('tell keys of either y apart, but on Taproot', () => {
  const generator = fromHex(of('secp256k1')[0]?.publicKey ?? '');
  const negated = Uint8Array.from([generator[0] === 2 ? 3 : 2, ...generator.subarray(1)]);
  const [one, other] = [addresses('secp256k1', generator), addresses('secp256k1', negated)];
  expect(other.p2tr).toBe(one.p2tr);
  expect([other.evm, other.p2wpkh]).not.toContain(one.evm);
  expect([other.evm, other.p2wpkh]).not.toContain(one.p2wpkh);
});

it('are of the Bitcoin network that is asked for', () => {
  const generator = fromHex(of('secp256k1')[0]?.publicKey ?? '');
  const { p2wpkh, p2tr } = addresses('secp256k1', generator, { bitcoinNetwork: 'testnet' });
  expect(p2wpkh).toBe('tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx');
  expect(p2tr).toMatch(/^tb1p/);
});

describe('are not made up', () => {
  it.each([
    ['ed25519', 'no point', `0x${'ff'.repeat(32)}`],
    ['ed25519', 'too long', `0x${'01'.repeat(33)}`],
    ['secp256k1', 'an x that no point has', `0x02${'ff'.repeat(32)}`],
    ['secp256k1', 'not compressed', `0x04${'11'.repeat(64)}`],
    ['secp256k1', 'without y', `0x${'79'.repeat(32)}`],
    ['sr25519', 'another scheme', `0x${'01'.repeat(32)}`],
  ])('for %s: %s', async (scheme, _, hex) => {
    const error = await failure(
      Promise.resolve().then(() => addresses(scheme as Scheme, fromHex(hex))),
    );
    expect(error.name).toBe('Input');
  });
});
