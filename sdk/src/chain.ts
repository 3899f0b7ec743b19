/** What the chain says, through the runtime API, in plain JavaScript values. */

import type { ApiPromise } from '@polkadot/api';
import type { Option, Tuple, u128 } from '@polkadot/types';
import type { Codec } from '@polkadot/types/types';
import { equal, fromHex } from './bytes.js';
import { decodeConstraints } from './constraints/codec.js';
import type { Constraints, ConstraintsV2 } from './constraints/types.js';
import { KeyshareError } from './errors.js';
import { registrationId } from './messages.js';
import { verifyingShares } from './proof.js';
import type { Commitments, Scheme } from './scheme.js';

/** The protocol's version that this SDK speaks. */
export const PROTOCOL_VERSION = 2;

/** Parameters of the chain. */
export interface ChainParameters {
  readonly protocolVersion: number;
  /** `n` */
  readonly subgroups: number;
  /** `t`: the least that a key's threshold can be; the most is `n`. */
  readonly threshold: number;
  /** Blocks after which an attempt expires. */
  readonly registrationTimeout: number;
  /** How many blocks after its admission an operator is in force. */
  readonly admissionDelay: number;
}

/** One subgroup's coverage of an attempt or key. */
export interface Coverage {
  readonly subgroup: number;
  /** Server accounts of the members now, SS58. */
  readonly members: readonly string[];
  /** Those of them that are ready: only their confirmations count. */
  readonly ready: readonly string[];
  /** How many of these must confirm; `null` when nobody is ready. */
  readonly quorum: number | null;
  /** Those of `members` that have confirmed, ready or not. */
  readonly confirmed: readonly string[];
  /** How many confirmations count. */
  readonly counted: number;
  /** Whether the quorum is reached. */
  readonly reached: boolean;
}

/** An attempt or a key in force. */
export interface Registration {
  /** The registration id, 32 bytes. */
  readonly id: Uint8Array;
  readonly generation: number;
  readonly scheme: Scheme;
  /** Commitment 0. */
  readonly publicKey: Uint8Array;
  /** How many subgroups' shares make up the key: the number of its commitments. */
  readonly threshold: number;
  readonly commitments: Commitments;
  readonly verifyingShares: readonly Uint8Array[];
  readonly status: 'registering' | 'registered';
  /** With an attempt: the first block in which it is gone. */
  readonly expiresAt: number | null;
  /** By subgroup. */
  readonly coverage: readonly Coverage[];
}

/** What the chain holds for an account, at its best block. */
export interface Status {
  /** The account, SS58. */
  readonly account: string;
  /** The last generation used; 0 before the first attempt. */
  readonly generation: number;
  readonly constraintAccount: string | null;
  /** As text: rules by id, fees by network. */
  readonly constraints: Constraints | null;
  /** The key in force. */
  readonly registered: Registration | null;
  /** The attempt under way. Both are set while a key is being swapped. */
  readonly registering: Registration | null;
  /** The number of the block. */
  readonly block: number;
  /**
   * Whether the last final block shows the same key, attempt and constraints. What is not final can be
   * taken back: the chain may leave its block.
   */
  readonly isFinal: boolean;
}

/** The same at one block, with its constraints as the chain has them. */
export type AccountState = Omit<Status, 'constraints' | 'block' | 'isFinal'> & {
  readonly constraints: ConstraintsV2 | null;
};

/** A block to read at: its hash, or nothing for the best one. */
type At = string | undefined;

/** A value as polkadot.js writes it for JSON. */
type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** What the node answers to something that is read. Throws `ChainUnreachable` if it does not. */
export async function answer<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    throw new KeyshareError('ChainUnreachable', 'the chain does not answer', { cause });
  }
}

/** What an answer of the chain says. Throws `WrongChain` if it has another form than this SDK knows. */
export function decoded<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof KeyshareError) throw cause;
    throw new KeyshareError('WrongChain', 'the chain answers what this SDK cannot read', { cause });
  }
}

/** Calls a function of `KeyshareApi`. */
async function call(
  api: ApiPromise,
  name: string,
  at: At,
  ...parameters: unknown[]
): Promise<Codec> {
  const calls = at === undefined ? api.call : (await answer(api.at(at))).call;
  const call = calls['keyshareApi']?.[name];
  if (call === undefined) {
    throw new KeyshareError('WrongChain', `the chain has no KeyshareApi.${name}`);
  }
  return answer(call(...parameters));
}

/** Calls a function of `KeyshareApi`, whose answer can be said in JSON. */
export async function ask(
  api: ApiPromise,
  name: string,
  at: At,
  ...parameters: unknown[]
): Promise<Json> {
  return (await call(api, name, at, ...parameters)).toJSON() as Json;
}

/** The hash of the last final block. */
export async function finalizedHead(api: ApiPromise): Promise<string> {
  return (await answer(api.rpc.chain.getFinalizedHead())).toHex();
}

/** The chain's parameters. Throws `WrongChain` if it speaks another version of the protocol. */
export async function readParameters(api: ApiPromise): Promise<ChainParameters> {
  const json = (await ask(api, 'parameters', undefined)) as unknown as ChainParameters;
  requireVersion(
    decoded(() => json.protocolVersion),
    'the chain',
  );
  return json;
}

/** Throws `WrongChain` unless `who` speaks this SDK's version of the protocol. */
export function requireVersion(version: number, who: string): void {
  if (version === PROTOCOL_VERSION) return;
  throw new KeyshareError(
    'WrongChain',
    `${who} speaks version ${version} of the protocol, this SDK version ${PROTOCOL_VERSION}`,
  );
}

/** What an attempt pays for the confirmations that it causes. */
export async function readConfirmationFee(api: ApiPromise): Promise<bigint> {
  return BigInt((await ask(api, 'confirmationFee', undefined)) as number | string);
}

/** What an account can have held or pay: what is free, beyond what keeps it alive. */
export async function readSpendable(api: ApiPromise, account: string): Promise<bigint> {
  const read = api.query['system']?.['account'];
  const least = api.consts['balances']?.['existentialDeposit'] as u128 | undefined;
  if (read === undefined || least === undefined) {
    throw new KeyshareError('WrongChain', 'the chain has no balances');
  }
  interface AccountInfo {
    data: { free: u128 };
  }
  const { data } = (await answer(read(account))) as unknown as AccountInfo;
  const spendable = data.free.toBigInt() - least.toBigInt();
  return spendable > 0n ? spendable : 0n;
}

interface RawRegistration {
  key: {
    id: string;
    generation: number;
    commitments: Record<string, string[]>;
    verifyingShares: Record<string, string[]>;
  };
  status: { registering?: { expiresAt: number }; registered?: null };
  coverage: {
    subgroup: number;
    members: string[];
    ready: string[];
    quorum: number | null;
    confirmed: string[];
  }[];
}

/** What the chain holds for an account. */
export async function readStatus(
  api: ApiPromise,
  account: string,
  at?: string,
): Promise<AccountState> {
  interface Raw {
    generation: number;
    constraints: [string, unknown] | null;
    registered: RawRegistration | null;
    registering: RawRegistration | null;
  }
  interface AccountInfo {
    toJSON(): unknown;
    get(field: 'constraints'): Option<Tuple>;
  }
  const answered = (await call(api, 'registration', at, account)) as unknown as AccountInfo;
  return decoded(() => {
    const raw = answered.toJSON() as Raw;
    return {
      account,
      generation: raw.generation,
      constraintAccount: raw.constraints?.[0] ?? null,
      constraints: constraints(answered.get('constraints')),
      registered: raw.registered && registration(raw.registered),
      registering: raw.registering && registration(raw.registering),
    };
  });
}

/** From their bytes, so that they are read as they are written. */
function constraints(shown: Option<Tuple>): ConstraintsV2 | null {
  const bytes = shown.isSome ? shown.unwrap()[1]?.toU8a() : undefined;
  if (bytes === undefined) return null;
  try {
    return decodeConstraints(bytes);
  } catch (cause) {
    const message = 'the chain has constraints that this SDK does not know';
    throw new KeyshareError('WrongChain', message, { cause });
  }
}

function elements(raw: Record<string, string[]>): Commitments {
  const [name, list] = Object.entries(raw)[0] ?? [];
  if ((name !== 'ed25519' && name !== 'secp256k1') || list === undefined) {
    throw new KeyshareError('WrongChain', `the chain has keys of an unknown scheme, ${name}`);
  }
  return { scheme: name, elements: list.map((hex) => fromHex(hex)) };
}

function registration({ key, status, coverage }: RawRegistration): Registration {
  const commitments = elements(key.commitments);
  const [publicKey] = commitments.elements;
  if (publicKey === undefined) throw new KeyshareError('WrongChain', 'a key without commitments');
  return {
    id: fromHex(key.id, 32),
    generation: key.generation,
    scheme: commitments.scheme,
    publicKey,
    threshold: commitments.elements.length,
    commitments,
    verifyingShares: elements(key.verifyingShares).elements,
    status: status.registering ? 'registering' : 'registered',
    expiresAt: status.registering?.expiresAt ?? null,
    coverage: coverage.map((one) => {
      const counted = one.confirmed.filter((server) => one.ready.includes(server)).length;
      return { ...one, counted, reached: one.quorum !== null && counted >= one.quorum };
    }),
  };
}

/** Whether a key can have this threshold: from the chain's `t` to its `n`. */
export function isThreshold(threshold: number, chain: ChainParameters): boolean {
  const { threshold: least, subgroups: most } = chain;
  return Number.isInteger(threshold) && threshold >= least && threshold <= most;
}

/**
 * Checks that the id and the verifying shares that the chain shows follow from the commitments, and
 * that a key can have as many. Throws `OtherKey`.
 */
export function requireConsistent(
  shown: Registration,
  account: Uint8Array,
  genesis: Uint8Array,
  chain: ChainParameters,
): void {
  let follows: boolean;
  try {
    const expected = verifyingShares(shown.commitments, chain.subgroups);
    follows =
      isThreshold(shown.commitments.elements.length, chain) &&
      equal(registrationId(genesis, account, shown.generation, shown.commitments), shown.id) &&
      expected.length === shown.verifyingShares.length &&
      expected.every((share, index) =>
        equal(share, shown.verifyingShares[index] ?? new Uint8Array()),
      );
  } catch {
    follows = false;
  }
  if (!follows) {
    throw new KeyshareError('OtherKey', 'what the chain shows does not follow from this key');
  }
}
