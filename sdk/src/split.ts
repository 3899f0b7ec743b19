/** The dealer's side: a private key into one share a subgroup, protocol §3. */

import { chacha20 } from '@noble/ciphers/chacha.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { ascii, concatBytes, u32 } from './bytes.js';
import { type Commitments, partsOf, scalarOf, type Scheme } from './scheme.js';

/** Which attempt a key is split for. */
export interface Attempt {
  /** Hash of the chain's genesis block, 32 bytes. */
  readonly genesis: Uint8Array;
  /** The user's account, 32 bytes. */
  readonly account: Uint8Array;
  /** The attempt's generation. */
  readonly generation: number;
}

/** Into how many shares a key is split, and how many of them make it up. */
export interface Parameters {
  /** The key's own, from the chain's `t` to `n`. */
  readonly threshold: number;
  /** The chain's `n`. */
  readonly subgroups: number;
}

/** A key that has been split. */
export interface SplitKey {
  /** To publish on chain. */
  readonly commitments: Commitments;
  /** One a subgroup, by subgroup id: 32 bytes, in the ciphersuite's encoding. */
  readonly shares: readonly Uint8Array[];
}

/**
 * Splits a private key so that any `threshold` of `subgroups` shares make it up.
 *
 * The same key and attempt give the same shares, here and with the `keyshare` tool, so an
 * interrupted registration is taken up with nothing but the key (protocol, "How a dealer can
 * resume").
 *
 * @param key the 32-byte seed (Ed25519) or big-endian scalar (secp256k1); it stays the caller's
 */
export function splitKey(
  scheme: Scheme,
  key: Uint8Array,
  { threshold, subgroups }: Parameters,
  attempt: Attempt,
): SplitKey {
  const suite = partsOf(scheme).frost;
  const secret = scalarOf(scheme, key);
  let coefficients: DealerCoefficients | undefined;
  try {
    const dealer = (coefficients = new DealerCoefficients(
      scheme,
      key,
      { threshold, subgroups },
      attempt,
    ));
    const dealt = suite.trustedDealer(
      { min: threshold, max: subgroups },
      undefined,
      secret,
      (length) => dealer.next(length),
    );
    const shares = Array.from({ length: subgroups }, (_, subgroup) => {
      const share = dealt.secretShares[suite.Identifier.fromNumber(subgroup + 1)];
      if (share === undefined) throw new Error('the dealer made no share for a subgroup');
      return share.signingShare;
    });
    return { commitments: { scheme, elements: dealt.public.commitments }, shares };
  } finally {
    secret.fill(0);
    coefficients?.wipe();
  }
}

/**
 * The polynomial's coefficients as the protocol draws them, in the shape that noble asks its
 * randomness in: noble makes `1 + (number mod (order - 1))` of what it gets.
 */
class DealerCoefficients {
  readonly #parts;
  /** Far more than 15 coefficients take, even if some are drawn again. */
  readonly #stream: Uint8Array;
  readonly #given: Uint8Array[] = [];
  #at = 0;

  constructor(
    scheme: Scheme,
    key: Uint8Array,
    { threshold, subgroups }: Parameters,
    { genesis, account, generation }: Attempt,
  ) {
    this.#parts = partsOf(scheme);
    const numbers = Uint8Array.of(this.#parts.index, subgroups, threshold);
    const place = [genesis, account, u32(generation), numbers];
    const preimage = concatBytes(ascii('keyshare/dealer/v2'), ...place, key);
    const seed = sha512(preimage);
    this.#stream = chacha20(seed.subarray(0, 32), new Uint8Array(12), new Uint8Array(4096));
    preimage.fill(0);
    seed.fill(0);
  }

  next(length = 48): Uint8Array {
    const coefficient = this.#parts.coefficient((length) => this.#draw(length));
    if (coefficient === 0n) throw new Error('a coefficient is zero: use another key');
    const bytes = numberToBytes(coefficient - 1n, length, this.#parts.littleEndian);
    this.#given.push(bytes);
    return bytes;
  }

  /** Nothing can be drawn any more, and what was drawn is gone. */
  wipe(): void {
    for (const bytes of this.#given) bytes.fill(0);
    this.#stream.fill(0);
    this.#at = this.#stream.length;
  }

  #draw(length: number): Uint8Array {
    if (this.#at + length > this.#stream.length)
      throw new Error('the dealer ran out of randomness');
    return this.#stream.subarray(this.#at, (this.#at += length));
  }
}

function numberToBytes(value: bigint, length: number, littleEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0, rest = value; rest > 0n; index += 1, rest >>= 8n) {
    bytes[littleEndian ? index : length - 1 - index] = Number(rest & 0xffn);
  }
  return bytes;
}
