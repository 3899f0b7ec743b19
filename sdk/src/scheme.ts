/** The key schemes. What differs between them stands here, and nowhere else in the SDK. */

import { ed25519, ed25519_FROST } from '@noble/curves/ed25519.js';
import { secp256k1, secp256k1_FROST } from '@noble/curves/secp256k1.js';
import { bytesToNumberBE, bytesToNumberLE } from '@noble/curves/utils.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { blake2_256, equal } from './bytes.js';

/** `ed25519` or `secp256k1`. */
export type Scheme = 'ed25519' | 'secp256k1';

/** What is published of a key: element 0 is the public key. */
export interface Commitments {
  readonly scheme: Scheme;
  /** 32 bytes each with Ed25519, 33 (SEC1, compressed) with secp256k1. */
  readonly elements: readonly Uint8Array[];
}

interface SchemeParts {
  /** Its name in the protocol's enums. */
  readonly variant: 'Ed25519' | 'Secp256k1';
  /** Its place in them. */
  readonly index: number;
  /** FROST's ciphersuite, RFC 9591. */
  readonly frost: typeof ed25519_FROST;
  /** The group that the elements are of. */
  readonly Point: typeof ed25519.Point | typeof secp256k1.Point;
  /** Whether the ciphersuite writes its scalars with the least byte first. */
  readonly littleEndian: boolean;
  /** Throws a `TypeError`, with the reason, for 32 bytes that are no private key. */
  readonly requireValid: (key: Uint8Array) => void;
  /** The scalar that is split, in the ciphersuite's encoding. */
  readonly scalar: (key: Uint8Array) => Uint8Array;
  readonly publicKey: (key: Uint8Array) => Uint8Array;
  readonly generate: () => Uint8Array;
  /** A coefficient of the dealer's polynomial, made of the bytes that it draws (protocol §3). */
  readonly coefficient: (draw: (length: number) => Uint8Array) => bigint;
  /** Whether a custody proof holds (protocol §6); may throw for what cannot be one. */
  readonly verify: (signature: Uint8Array, message: Uint8Array, share: Uint8Array) => boolean;
}

const SCHEMES: Readonly<Record<Scheme, SchemeParts>> = {
  ed25519: {
    variant: 'Ed25519',
    index: 0,
    frost: ed25519_FROST,
    Point: ed25519.Point,
    littleEndian: true,
    requireValid: () => undefined,
    scalar: (key) => ed25519.Point.Fn.toBytes(ed25519Scalar(key)),
    publicKey: (key) => ed25519.Point.BASE.multiply(ed25519Scalar(key)).toBytes(),
    generate: () => ed25519.utils.randomSecretKey(),
    coefficient: (draw) => ed25519.Point.Fn.create(bytesToNumberLE(draw(64))),
    // ZIP 215 is what the chain goes by.
    verify: (signature, message, share) =>
      ed25519.verify(signature, message, share, { zip215: true }),
  },
  secp256k1: {
    variant: 'Secp256k1',
    index: 1,
    frost: secp256k1_FROST,
    Point: secp256k1.Point,
    littleEndian: false,
    requireValid: (key) => {
      if (secp256k1.utils.isValidSecretKey(key)) return;
      throw new TypeError('not a secp256k1 private key: zero, or not below the group order');
    },
    // Not `slice`, which with a Buffer is the caller's own memory.
    scalar: (key) => Uint8Array.from(key),
    publicKey: (key) => secp256k1.getPublicKey(key, true),
    generate: () => secp256k1.utils.randomSecretKey(),
    coefficient: (draw) => {
      for (;;) {
        const candidate = bytesToNumberBE(draw(32));
        if (candidate < secp256k1.Point.Fn.ORDER) return candidate;
      }
    },
    verify: (signature, message, share) => {
      const recovery = signature[64];
      if (signature.length !== 65 || recovery === undefined || recovery > 1) return false;
      const compact = secp256k1.Signature.fromBytes(signature.subarray(0, 64), 'compact');
      // One form of a signature only.
      if (compact.hasHighS()) return false;
      const recovered = compact.addRecoveryBit(recovery).recoverPublicKey(blake2_256(message));
      return equal(recovered.toBytes(true), share);
    },
  },
};

/**
 * The scalar of a seed, RFC 8032 §5.1.5. The curve's own code leaves the hash of the seed in memory, from
 * which the scalar follows and the signatures' nonces do.
 */
function ed25519Scalar(seed: Uint8Array): bigint {
  const hash = sha512(seed);
  try {
    const head = hash.subarray(0, 32);
    head[0] = (head[0] ?? 0) & 0b1111_1000;
    head[31] = ((head[31] ?? 0) & 0b0111_1111) | 0b0100_0000;
    const scalar = head.reduceRight((number, byte) => (number << 8n) | BigInt(byte), 0n);
    return ed25519.Point.Fn.create(scalar);
  } finally {
    hash.fill(0);
  }
}

/** What a scheme is made of. Throws a `TypeError` for another one: callers may be without types. */
export function partsOf(scheme: Scheme): SchemeParts {
  if (Object.hasOwn(SCHEMES, scheme)) return SCHEMES[scheme];
  throw new TypeError(`the scheme is one of ${Object.keys(SCHEMES).join(', ')}`);
}

/** Throws a `TypeError` for what is no private key, with the reason. */
export function requireKey(scheme: Scheme, key: Uint8Array): void {
  const { requireValid } = partsOf(scheme);
  if (!(key instanceof Uint8Array) || key.length !== 32) {
    throw new TypeError('a private key is a Uint8Array of 32 bytes');
  }
  requireValid(key);
}

/** The scalar that is split, in the ciphersuite's encoding. Throws if it is no private key. */
export function scalarOf(scheme: Scheme, key: Uint8Array): Uint8Array {
  requireKey(scheme, key);
  return partsOf(scheme).scalar(key);
}

/** The public key of a private key. */
export function publicKey(scheme: Scheme, key: Uint8Array): Uint8Array {
  requireKey(scheme, key);
  return partsOf(scheme).publicKey(key);
}

/** A new private key from the platform's randomness. */
export function generateKey(scheme: Scheme): Uint8Array {
  return partsOf(scheme).generate();
}
