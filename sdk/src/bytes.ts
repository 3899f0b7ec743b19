/** Bytes and their hex form, as the protocol's JSON has it: `0x` and two digits a byte. */

import { blake2b } from '@noble/hashes/blake2.js';
import { bytesToHex, concatBytes, hexToBytes } from '@noble/curves/utils.js';

export { concatBytes };

/** `0x` and two hex digits for each byte. */
export type Hex = `0x${string}`;

/** Writes bytes as hex. */
export function toHex(bytes: Uint8Array): Hex {
  return `0x${bytesToHex(bytes)}`;
}

/** Reads hex, with `0x`, of `length` bytes if one is given. Throws a `TypeError` otherwise. */
export function fromHex(text: string, length?: number): Uint8Array {
  if (!/^0x([0-9a-fA-F]{2})*$/.test(text)) {
    throw new TypeError('expected 0x and two hex digits for each byte');
  }
  const bytes = hexToBytes(text.slice(2));
  if (length !== undefined && bytes.length !== length) {
    throw new TypeError(`expected ${length} bytes, not ${bytes.length}`);
  }
  return bytes;
}

/** ASCII text as bytes, for the protocol's tags. */
export function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** An unsigned 32-bit number, little-endian. */
export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** Whether two byte strings are the same. For public data: the time it takes depends on them. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** `blake2_256`, as Substrate has it. */
export function blake2_256(message: Uint8Array): Uint8Array {
  return blake2b(message, { dkLen: 32 });
}
