/** Recipients in constraints: what people type, checked, and as the chain has it. */

import { keccak_256 } from '@noble/hashes/sha3.js';
import { bech32, bech32m } from '@scure/base';
import { toHex } from '@keyshare/sdk';

/** An EVM address: 20 bytes, and if letters are mixed, EIP-55's checksum must hold. */
export function parseEvm(text: string): string {
  const digits = text.replace(/^0x/, '');
  if (!/^[0-9a-fA-F]{40}$/.test(digits)) {
    throw new Error(`${text} is no EVM address: it has 0x and 40 hex digits`);
  }
  const lower = digits.toLowerCase();
  const isMixed = digits !== lower && digits !== digits.toUpperCase();
  if (isMixed && `0x${digits}` !== showEvm(`0x${lower}`)) {
    throw new Error(`${text} is mistyped: its checksum (EIP-55) does not hold`);
  }
  return `0x${lower}`;
}

/** An EVM address as people know it, with its checksum. */
export function showEvm(address: string): string {
  const lower = address.slice(2).toLowerCase();
  const hash = toHex(keccak_256(new TextEncoder().encode(lower))).slice(2);
  const digits = Array.from(lower, (digit, index) =>
    parseInt(hash.charAt(index), 16) >= 8 ? digit.toUpperCase() : digit,
  );
  return `0x${digits.join('')}`;
}

/**
 * A recipient on Bitcoin, the 32 bytes of a script hash or taproot key: their hex digits, or the
 * address of either (BIP 173 and BIP 350).
 */
export function parseBtc(text: string): string {
  const digits = text.replace(/^0x/, '');
  if (/^[0-9a-fA-F]{64}$/.test(digits)) return `0x${digits.toLowerCase()}`;
  const program = witnessProgram(text);
  if (program === undefined) {
    throw new Error(
      `${text} is no recipient, or mistyped: give an address that starts with bc1, or the 64 hex digits of a script hash or taproot key`,
    );
  }
  if (program.length !== 32) {
    throw new Error(
      `${text} is the address of a public key hash; constraints are for script hashes (P2WSH) and taproot keys`,
    );
  }
  return toHex(program);
}

/** What a segwit address of version 0 or 1 pays to. */
function witnessProgram(address: string): Uint8Array | undefined {
  for (const [version, code] of [bech32, bech32m].entries()) {
    const decoded = code.decodeUnsafe(address);
    if (decoded === undefined || !/^(bc|tb|bcrt)$/.test(decoded.prefix)) continue;
    const [first, ...rest] = decoded.words;
    if (first === version) return code.fromWordsUnsafe(rest) ?? undefined;
  }
  return undefined;
}

/** A list, one a line or with commas between. */
export function parseList(
  text: string,
  parse: (one: string) => string,
  most: number,
): { addresses: string[]; problems: string[] } {
  const addresses = new Set<string>();
  const problems: string[] = [];
  for (const one of text.split(/[\s,]+/).filter(Boolean)) {
    try {
      const address = parse(one);
      if (addresses.has(address)) problems.push(`${one} is there twice`);
      addresses.add(address);
    } catch (error) {
      problems.push(error instanceof Error ? error.message : 'not an address');
    }
  }
  if (addresses.size > most) problems.push(`At most ${most} addresses fit into one list`);
  return { addresses: [...addresses], problems };
}
