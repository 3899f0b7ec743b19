/** The two key schemes, and what each makes of a private key. */

import { ed25519, ed25519_FROST } from '@noble/curves/ed25519.js';
import { secp256k1, secp256k1_FROST } from '@noble/curves/secp256k1.js';

/** `ed25519` or `secp256k1`. */
export type Scheme = 'ed25519' | 'secp256k1';

const SCHEMES: readonly Scheme[] = ['ed25519', 'secp256k1'];

/** What is published of a key: element 0 is the public key. */
export interface Commitments {
  readonly scheme: Scheme;
  /** 32 bytes each with Ed25519, 33 (SEC1, compressed) with secp256k1. */
  readonly elements: readonly Uint8Array[];
}

/** Throws a `TypeError` for what is no private key, with the reason. */
export function requireKey(scheme: Scheme, key: Uint8Array): void {
  // Callers without types, too: another scheme would be taken for this one.
  if (!SCHEMES.includes(scheme)) throw new TypeError(`the scheme is one of ${SCHEMES.join(', ')}`);
  if (!(key instanceof Uint8Array) || key.length !== 32) {
    throw new TypeError('a private key is a Uint8Array of 32 bytes');
  }
  if (scheme === 'secp256k1' && !secp256k1.utils.isValidSecretKey(key)) {
    throw new TypeError('not a secp256k1 private key: zero, or not below the group order');
  }
}

/** FROST's ciphersuite for the scheme, RFC 9591. */
export function frost(scheme: Scheme): typeof ed25519_FROST {
  return scheme === 'ed25519' ? ed25519_FROST : secp256k1_FROST;
}

/** The scalar that is split, in the ciphersuite's encoding. Throws if it is no private key. */
export function scalarOf(scheme: Scheme, key: Uint8Array): Uint8Array {
  requireKey(scheme, key);
  if (scheme === 'ed25519') {
    const { scalar } = ed25519.utils.getExtendedPublicKey(key);
    return ed25519.Point.Fn.toBytes(scalar);
  }
  // Not `slice`, which with a Buffer is the caller's own memory.
  return Uint8Array.from(key);
}

/** The public key of a private key. */
export function publicKey(scheme: Scheme, key: Uint8Array): Uint8Array {
  requireKey(scheme, key);
  return scheme === 'ed25519' ? ed25519.getPublicKey(key) : secp256k1.getPublicKey(key, true);
}

/** A new private key from the platform's randomness. */
export function generateKey(scheme: Scheme): Uint8Array {
  return scheme === 'ed25519' ? ed25519.utils.randomSecretKey() : secp256k1.utils.randomSecretKey();
}

/** The scheme of an element by its length. */
export function schemeOf(element: Uint8Array): Scheme {
  return element.length === 32 ? 'ed25519' : 'secp256k1';
}
