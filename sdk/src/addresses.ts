/** The addresses by which people know a key on the networks that it is used on. */

import { ed25519 } from '@noble/curves/ed25519.js';
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import { bytesToNumberBE } from '@noble/curves/utils.js';
import { ripemd160 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes } from './bytes.js';
import { showBitcoin, showEvm, showSolana } from './constraints/recipient.js';
import { bitcoinNetworkOf } from './constraints/text.js';
import type { TextOptions } from './constraints/types.js';
import { KeyshareError } from './errors.js';
import type { Scheme } from './scheme.js';

/** A key's addresses, by its scheme. */
export interface Addresses {
  readonly ed25519: {
    /** Base58 of the public key. */
    readonly solana: string;
  };
  readonly secp256k1: {
    /** The same on every EVM chain, with the checksum of EIP-55. */
    readonly evm: string;
    /** Taproot: the key path alone, with an empty script tree (BIP-341, as BIP-86 has it). */
    readonly p2tr: string;
    /** SegWit version 0 (BIP-141, as BIP-84 has it). */
    readonly p2wpkh: string;
  };
}

/** Opcodes that push what version a witness program has: 0 and 1. */
const OP_0 = 0x00;
const OP_1 = 0x51;

/**
 * The addresses of a public key: what to compare with what a wallet shows for the key. Throws `Input`
 * for what is no public key of the scheme.
 *
 * @param publicKey 32 bytes with Ed25519, 33 (SEC1, compressed) with secp256k1
 */
export function addresses<One extends Scheme>(
  scheme: One,
  publicKey: Uint8Array,
  options: TextOptions = {},
): Addresses[One] {
  const network = bitcoinNetworkOf(options);
  const of: { readonly [Each in Scheme]: () => Addresses[Each] } = {
    ed25519: () => {
      ed25519.Point.fromBytes(publicKey);
      return { solana: showSolana(publicKey) };
    },
    secp256k1: () => {
      if (publicKey.length !== 33) throw new TypeError('it has 33 bytes');
      const point = secp256k1.Point.fromBytes(publicKey);
      const hash = ripemd160(sha256(publicKey));
      return {
        // Of both coordinates, without the byte that says so.
        evm: showEvm(keccak_256(point.toBytes(false).subarray(1)).subarray(-20)),
        p2tr: showBitcoin(concatBytes(Uint8Array.of(OP_1, 32), outputKey(publicKey)), network),
        p2wpkh: showBitcoin(concatBytes(Uint8Array.of(OP_0, 20), hash), network),
      };
    },
  };
  if (!Object.hasOwn(of, scheme)) {
    throw new KeyshareError('Input', `the scheme is one of ${Object.keys(of).join(', ')}`);
  }
  try {
    return of[scheme]();
  } catch (cause) {
    throw new KeyshareError('Input', `that is no public key of ${scheme}`, { cause });
  }
}

/** BIP-341's output key for an internal key, of whichever parity, without scripts: 32 bytes. */
function outputKey(publicKey: Uint8Array): Uint8Array {
  const { lift_x, taggedHash } = schnorr.utils;
  const internal = publicKey.subarray(1);
  // Not below the order once in 2¹²⁸ keys: then the curve's code throws.
  const tweak = bytesToNumberBE(taggedHash('TapTweak', internal));
  const tweaked = lift_x(bytesToNumberBE(internal)).add(secp256k1.Point.BASE.multiply(tweak));
  return tweaked.toBytes(true).subarray(1);
}
