/** A private key as people keep it. */

import { fromHex, type Scheme } from '@keyshare/sdk';

/** Reads 64 hex digits, optionally after `ed25519:` or `secp256k1:`. */
export function parseKey(text: string): { scheme: Scheme | undefined; key: Uint8Array } {
  const [, scheme, digits] =
    /^(?:(ed25519|secp256k1):)?(?:0x)?([0-9a-fA-F]{64})$/.exec(text.trim()) ?? [];
  if (digits === undefined) {
    throw new Error('A private key is 64 hex digits; ed25519: or secp256k1: may stand before them');
  }
  return { scheme: scheme as Scheme | undefined, key: fromHex(`0x${digits}`, 32) };
}
