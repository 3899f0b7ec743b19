/** Addresses in rules: what people type, checked, and as the chain has it (protocol §2). */

import { keccak_256 } from '@noble/hashes/sha3.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { base58, bech32, bech32m, createBase58check } from '@scure/base';
import { ascii, concatBytes, fromHex, toHex } from '../bytes.js';
import type { BitcoinNetwork } from './types.js';
import { quoted, wrong } from './wrong.js';

/** Chains whose wallets write the checksum of EIP-1191. */
const EIP_1191_CHAINS = [30n, 31n];

/**
 * Reads an EVM address for a rule on this chain: 20 bytes. Throws `NotEvmAddress`, and if its letters
 * are mixed `WrongChecksum` or `Eip1191Checksum`.
 */
export function parseEvm(address: string, chain: bigint): Uint8Array {
  if (!/^0x[0-9a-fA-F]{40}$/.test(address)) {
    throw wrong(
      'NotEvmAddress',
      `${quoted(address)} is no address on an EVM chain: it has 0x and 40 hex digits`,
    );
  }
  const digits = address.slice(2);
  const lower = digits.toLowerCase();
  const bytes = fromHex(`0x${lower}`);
  const isMixed = digits !== lower && digits !== digits.toUpperCase();
  if (!isMixed || address === showEvm(bytes)) return bytes;
  const other = [...EIP_1191_CHAINS, chain].find(
    (one) => address === withChecksum(lower, `${one}0x`),
  );
  if (other !== undefined) {
    throw wrong(
      'Eip1191Checksum',
      `${address} has the checksum of EIP-1191 for the chain ${other}: give it in lower case, or with that of EIP-55`,
    );
  }
  throw wrong(
    'WrongChecksum',
    `${address} is mistyped: its checksum (EIP-55) does not hold. Copy it again`,
  );
}

/** An EVM address with the checksum of EIP-55. */
export function showEvm(address: Uint8Array): string {
  return withChecksum(toHex(address).slice(2), '');
}

/** The digits with capitals where the hash, of a prefix and them, has high digits. */
function withChecksum(lower: string, prefix: string): string {
  const hash = toHex(keccak_256(ascii(prefix + lower))).slice(2);
  const digits = Array.from(lower, (digit, index) =>
    parseInt(hash.charAt(index), 16) >= 8 ? digit.toUpperCase() : digit,
  );
  return `0x${digits.join('')}`;
}

/** What a `scriptPubKey` that an address stands for pays to. */
type Output =
  | { readonly kind: 'publicKeyHash' | 'scriptHash'; readonly hash: Uint8Array }
  | { readonly kind: 'witness'; readonly version: number; readonly program: Uint8Array };

/** Prefixes of addresses; testnet and regtest have two of them in common. */
const BITCOIN: Readonly<
  Record<BitcoinNetwork, { publicKeyHash: number; scriptHash: number; witness: string }>
> = {
  mainnet: { publicKeyHash: 0x00, scriptHash: 0x05, witness: 'bc' },
  testnet: { publicKeyHash: 0x6f, scriptHash: 0xc4, witness: 'tb' },
  regtest: { publicKeyHash: 0x6f, scriptHash: 0xc4, witness: 'bcrt' },
};
const NETWORKS = Object.keys(BITCOIN) as BitcoinNetwork[];

const base58check = createBase58check(sha256);
/** More than an address of any kind has; to decode Base58 takes the square of its length. */
const MOST_CHARACTERS = 90;

const DUP_HASH160 = [0x76, 0xa9, 20];
const EQUALVERIFY_CHECKSIG = [0x88, 0xac];
const HASH160 = [0xa9, 20];
const EQUAL = [0x87];
/** The opcode that pushes 1; those for 2 to 16 follow. */
const OP_1 = 0x51;

/** Whether the name is one of Bitcoin's networks: callers may be without types. */
export function isBitcoinNetwork(name: string): name is BitcoinNetwork {
  return Object.hasOwn(BITCOIN, name);
}

/**
 * Reads a Bitcoin address: the `scriptPubKey` that it stands for. Throws `NotBitcoinAddress`, and
 * `OtherBitcoinNetwork` for one of another network.
 */
export function parseBitcoin(address: string, network: BitcoinNetwork): Uint8Array {
  const read = address.length > MOST_CHARACTERS ? undefined : (segwit(address) ?? legacy(address));
  if (read === undefined) {
    throw wrong(
      'NotBitcoinAddress',
      `${quoted(address)} is no Bitcoin address, or mistyped: copy it again`,
    );
  }
  if (!read.networks.includes(network)) {
    throw wrong(
      'OtherBitcoinNetwork',
      `${quoted(address)} is an address of ${read.networks.join(' or ')}, and one of ${network} is asked for`,
    );
  }
  return scriptOf(read.output);
}

interface Read {
  readonly output: Output;
  /** Those that it may be of. */
  readonly networks: readonly BitcoinNetwork[];
}

/** BIP-173 and BIP-350. */
function segwit(address: string): Read | undefined {
  for (const code of [bech32, bech32m]) {
    const decoded = code.decodeUnsafe(address);
    const [version, ...words] = decoded?.words ?? [];
    if (decoded === undefined || version === undefined) continue;
    const networks = NETWORKS.filter((one) => BITCOIN[one].witness === decoded.prefix);
    const program = code.fromWordsUnsafe(words);
    const isOfVersion = code === (version === 0 ? bech32 : bech32m);
    if (networks.length === 0 || !program || !isOfVersion) continue;
    if (isWitness(version, program)) {
      return { output: { kind: 'witness', version, program }, networks };
    }
  }
  return undefined;
}

/** Base58Check. */
function legacy(address: string): Read | undefined {
  let payload: Uint8Array;
  try {
    payload = base58check.decode(address);
  } catch {
    return undefined;
  }
  const [version] = payload;
  if (payload.length !== 21) return undefined;
  for (const kind of ['publicKeyHash', 'scriptHash'] as const) {
    const networks = NETWORKS.filter((one) => BITCOIN[one][kind] === version);
    if (networks.length > 0) return { output: { kind, hash: payload.slice(1) }, networks };
  }
  return undefined;
}

function isWitness(version: number, { length }: Uint8Array): boolean {
  if (version === 0) return length === 20 || length === 32;
  return version <= 16 && length >= 2 && length <= 40;
}

function scriptOf(output: Output): Uint8Array {
  switch (output.kind) {
    case 'publicKeyHash':
      return Uint8Array.from([...DUP_HASH160, ...output.hash, ...EQUALVERIFY_CHECKSIG]);
    case 'scriptHash':
      return Uint8Array.from([...HASH160, ...output.hash, ...EQUAL]);
    case 'witness': {
      const { version, program } = output;
      return Uint8Array.from([version === 0 ? 0 : OP_1 + version - 1, program.length, ...program]);
    }
  }
}

function outputOf(script: Uint8Array): Output | undefined {
  const between = (head: readonly number[], tail: readonly number[]) => {
    const hash = script.slice(head.length, script.length - tail.length);
    const isSo =
      head.every((byte, index) => script[index] === byte) &&
      tail.every((byte, index) => script[head.length + 20 + index] === byte);
    return isSo && hash.length === 20 ? hash : undefined;
  };
  const publicKeyHash = between(DUP_HASH160, EQUALVERIFY_CHECKSIG);
  if (publicKeyHash) return { kind: 'publicKeyHash', hash: publicKeyHash };
  const scriptHash = between(HASH160, EQUAL);
  if (scriptHash) return { kind: 'scriptHash', hash: scriptHash };
  const [opcode, length] = script;
  const version = opcode === 0 ? 0 : (opcode ?? 0) - OP_1 + 1;
  const program = script.slice(2);
  // An opcode below that for 1 pushes bytes, and no version.
  if ((opcode !== 0 && version < 1) || length !== program.length) return undefined;
  return isWitness(version, program) ? { kind: 'witness', version, program } : undefined;
}

/** Whether a script is one that an address stands for: P2PKH, P2SH, or a witness program (BIP-141). */
export function hasAddress(script: Uint8Array): boolean {
  return outputOf(script) !== undefined;
}

/** The address of a script on a network. Throws `InvalidScript` if it has none. */
export function showBitcoin(script: Uint8Array, network: BitcoinNetwork): string {
  const output = outputOf(script);
  if (output === undefined) {
    throw wrong('InvalidScript', `no address stands for the script ${toHex(script)}`);
  }
  const prefixes = BITCOIN[network];
  if (output.kind !== 'witness') {
    return base58check.encode(concatBytes(Uint8Array.of(prefixes[output.kind]), output.hash));
  }
  const code = output.version === 0 ? bech32 : bech32m;
  return code.encode(prefixes.witness, [output.version, ...code.toWords(output.program)]);
}

/** The longest Base58 of 32 bytes. */
const MOST_SOLANA_CHARACTERS = 44;

/** Reads a Solana address: 32 bytes. Throws `NotSolanaAddress`. */
export function parseSolana(address: string): Uint8Array {
  let bytes: Uint8Array = new Uint8Array();
  try {
    if (address.length <= MOST_SOLANA_CHARACTERS) bytes = base58.decode(address);
  } catch {
    // Not Base58.
  }
  if (bytes.length === 32) return bytes;
  throw wrong(
    'NotSolanaAddress',
    `${quoted(address)} is no Solana address: it is 32 bytes in Base58. Copy it again`,
  );
}

/** A Solana address. */
export function showSolana(address: Uint8Array): string {
  return base58.encode(address);
}
