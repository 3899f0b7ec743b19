/**
 * A chain in this process that says what a test wants: members that are syncing or kept, operators
 * that are pending, nobody ready. A development network has none of these. What it says has the
 * shape in which polkadot.js gives the runtime's answers.
 */

import { Keyring, type ApiPromise } from '@polkadot/api';
import type { Signer } from '@polkadot/api/types';
import { TypeRegistry } from '@polkadot/types';
import type { SignerPayloadJSON } from '@polkadot/types/types';
import {
  type ConnectOptions,
  fromHex,
  Keyshare,
  type Scheme,
  splitKey,
  toHex,
  verifyingShares,
} from '../src/index.js';
import { registrationId } from '../src/messages.js';

const keyring = new Keyring();

/** The address of an account that is called so. */
export const address = (name: string): string =>
  keyring.encodeAddress(new TextEncoder().encode(name.padEnd(32)));

/** The bytes of an address. */
export const idOf = (address: string): Uint8Array => keyring.decodeAddress(address);

const GENESIS = new Uint8Array(32).fill(7);
const SUBGROUPS = 3;
const ascii = (text: string) => `0x${Buffer.from(text).toString('hex')}`;

/** A member by its name: its server is `NAME/server`. */
export const member = (name: string, readiness: 'Ready' | 'Syncing', operator: string | null) => ({
  validator: address(name),
  readiness,
  operator: operator && address(operator),
  server: {
    account: address(`${name}/server`),
    encryptionKey: { x25519: `0x${'09'.padEnd(64, '0')}` },
    endpoint: ascii(`http://${name.toLowerCase()}.example`),
  },
});

/** An operator by its name. */
export const operator = (name: string, subgroup: number, standing: object) => ({
  account: address(name),
  name: ascii(name),
  subgroup,
  standing,
  seats: 4,
  nextSeats: null,
  validators: [address(name)],
  assigned: [],
});

/** The three members of a development network, one a subgroup. */
const development = (['Alice', 'Bob', 'Charlie'] as const).map((name, id) => ({
  id,
  quorum: 1,
  members: [member(name, 'Ready', name)],
}));

/** Who of a subgroup is what, by server names. */
export interface Covered {
  readonly members: readonly string[];
  readonly ready: readonly string[];
  readonly confirmed: readonly string[];
}

/** What a key makes when it is dealt, as the chain shows it. */
export function dealt(
  scheme: Scheme,
  key: Uint8Array,
  {
    account,
    generation,
    threshold,
    signedFor = generation,
  }: {
    account: string;
    generation: number;
    threshold: number;
    /** The generation that was next when the call was made; others may have come first. */
    signedFor?: number;
  },
  status: object,
  covered: readonly Covered[] = [],
) {
  const of = idOf(account);
  const parameters = { threshold: Math.max(threshold, 2), subgroups: SUBGROUPS };
  const attempt = { genesis: GENESIS, account: of, generation: signedFor };
  const { elements } = splitKey(scheme, key, parameters, attempt).commitments;
  // Nobody deals with a threshold of one: each share is the key.
  const commitments = { scheme, elements: elements.slice(0, threshold) };
  const servers = (names: readonly string[]) => names.map((name) => address(`${name}/server`));
  return {
    key: {
      id: toHex(registrationId(GENESIS, of, generation, commitments)),
      generation,
      commitments: { [scheme]: commitments.elements.map(toHex) },
      verifyingShares: { [scheme]: verifyingShares(commitments, SUBGROUPS).map(toHex) },
    },
    status,
    coverage: covered.map(({ members, ready, confirmed }, subgroup) => ({
      subgroup,
      members: servers(members),
      ready: servers(ready),
      quorum: ready.length === 0 ? null : Math.max(1, Math.ceil((2 * ready.length) / 3)),
      confirmed: servers(confirmed),
    })),
  };
}

/** What the chain has of an account, as the runtime answers it. */
export interface Account {
  generation: number;
  /** Whose they are to change, and their bytes. */
  constraints: [string, Uint8Array] | null;
  registered: object | null;
  registering: object | null;
}

/** What the node says of a call that was sent. */
export interface Heard {
  readonly status: string;
  /** Why the block's state refused it. */
  readonly refused?: string;
  /** Whether the block's runtime has no words for that. */
  readonly isUnknown?: boolean;
  /** Why polkadot.js cannot read what became of it in the block. */
  readonly unread?: string;
}

/** The digits of a hash that are the block's number; those before them say which of several it is. */
const NUMBER = 32;
const hashOf = (block: number, which = 0) =>
  `0x${which.toString(16).padStart(64 - NUMBER, '0')}${block.toString(16).padStart(NUMBER, '0')}`;
const numberOf = (hash: string) => Number(`0x${hash.slice(-NUMBER)}`);

/** What is held for an account's record, which stays: an entry of 86 bytes. */
export const RECORD = 1_086n;

/** What a deposit is, at 1000 an entry and 1 a byte. */
function priceOf(scheme: string, threshold: number, constraints: string | null): number {
  const key = 50 + (threshold + SUBGROUPS) * (scheme === 'Ed25519' ? 32 : 33);
  if (constraints === null) return key;
  return Number(RECORD) + key + 1_000 + 80 + 32 + (constraints.length - 2) / 2;
}

/** What the chain says; a test changes it. */
export class Chain {
  subgroups: { id: number; quorum: number | null; members: ReturnType<typeof member>[] }[] =
    development;
  /** Those of the last final block, if they are others. */
  finalSubgroups: Chain['subgroups'] | undefined;
  operators = ['Alice', 'Bob', 'Charlie'].map((name, subgroup) =>
    operator(name, subgroup, { admitted: { since: 0 } }),
  );
  /** The connection: one that tells the address of its node, or is not connected yet, or never does. */
  provider: object = { endpoint: 'wss://node.example' };
  /** When it is connected. */
  ready: Promise<unknown> = Promise.resolve();
  /** Names of validators. */
  kept: string[] = [];
  /** In the best block, from the next one on. */
  account: Account = { generation: 0, constraints: null, registered: null, registering: null };
  /** In the last final block, if that is another one. */
  final: { readonly block: number; readonly account: Account } | undefined;
  /** The number of the best block. */
  block = 0;
  /** Whether there are no new blocks; otherwise there is one whenever the node is asked. */
  isStill = false;
  /** Blocks of which another one with the same number became final. */
  readonly left = new Set<number>();
  /** Whether polkadot.js says that it is connected now, whatever was before. */
  isConnected = true;
  /** Why it does not tell what a signature is for. */
  readError: Error | undefined;
  /** What happens while a call is signed. */
  onSigned: () => void = () => undefined;
  /** What happens when the node gets a call. */
  onSent: () => void = () => undefined;
  /** Whether it does not say that it has it. */
  isMute = false;
  /** Why it does not get it. */
  sendError: Error | undefined;
  /** What happens when there is a new block. */
  onBlock: () => void = () => undefined;
  /** What happens when the node has told its best block. */
  onTold: () => void = () => undefined;
  /** What is held from the account. */
  held = 0;
  /** The thresholds that deposits were asked for. */
  readonly priced: number[] = [];
  /** The constraints that were passed with calls, and to ask for deposits. */
  readonly given: unknown[] = [];
  /** Whom the node tells of the call that was sent. */
  #listener: ((result: object) => void) | undefined;
  /** Who hears that the connection is lost. */
  readonly #losers = new Set<() => void>();
  /** What blocks show, by their hashes. */
  readonly #states = new Map<string, Account>();
  /** Which of several blocks is the final one. */
  readonly #which = new Map<object, number>();

  /** Has the last final block stay what it is now, whatever comes in later ones. */
  stall(): void {
    this.final = { block: this.block, account: { ...this.account } };
  }

  /** Has the node say something of the call that was sent, and the best block. */
  tell(heard: Heard): void {
    this.tellIn(this.block, heard);
  }

  /** Has the node say something of the call that was sent, and a block. */
  tellIn(block: number, { status, refused, isUnknown = false, unread }: Heard): void {
    const registry = {
      findMetaError: () => {
        throw new Error('Unable to find Error');
      },
    };
    const dispatchError = refused && {
      isModule: isUnknown,
      isToken: false,
      registry,
      toString: () => refused,
    };
    const isError = ['Dropped', 'FinalityTimeout', 'Invalid', 'Usurped'].includes(status);
    const told = this.#kept(hashOf(block), this.account);
    const hash = { toHex: () => told };
    this.#listener?.({
      status: { type: status, [`is${status}`]: true, [`as${status}`]: hash },
      dispatchError,
      internalError: unread && new Error(unread),
      isError,
      // What cannot be read has no number either.
      blockNumber: unread === undefined ? { toNumber: () => block } : undefined,
    });
  }

  /** Has the connection be lost, and made again. Nothing more is heard of a call. */
  lose(): void {
    this.#listener = undefined;
    for (const hear of this.#losers) hear();
  }

  /** Whether anybody listens to what becomes of a call. */
  get isHeard(): boolean {
    return this.#listener !== undefined;
  }

  /** The hash of the best block, after another one unless there is none. */
  #nextBest(): string {
    if (!this.isStill) {
      this.block += 1;
      this.onBlock();
    }
    return this.#kept(hashOf(this.block), this.account);
  }

  /** The hash of the last final block. */
  #lastFinal(best: string): string {
    if (this.final === undefined) return best;
    const which = this.#which.get(this.final) ?? this.#which.size + 1;
    this.#which.set(this.final, which);
    return this.#kept(hashOf(this.final.block, which), this.final.account);
  }

  /** What a block shows, it shows for ever. */
  #kept(hash: string, account: Account): string {
    if (!this.#states.has(hash)) this.#states.set(hash, { ...account });
    return hash;
  }

  /** A connection to it. */
  connect(options: ConnectOptions = {}): Promise<Keyshare> {
    const registry = new TypeRegistry();
    const says = (value: unknown) => Promise.resolve({ toJSON: () => value });
    const hash = (text: string) => ({ toHex: () => text });
    const registration = (account: Account) => {
      const { constraints } = account;
      const shown = {
        isSome: constraints !== null,
        unwrap: () => constraints?.map((part) => ({ toU8a: () => part })),
      };
      return Promise.resolve({ toJSON: () => account, get: () => shown });
    };
    const parameters = {
      protocolVersion: 2,
      subgroups: SUBGROUPS,
      threshold: 2,
      registrationTimeout: 300,
      admissionDelay: 0,
    };
    const signed = {
      send: (listener: (result: object) => void) => {
        if (this.sendError) return Promise.reject(this.sendError);
        this.#listener = listener;
        this.onSent();
        if (this.isMute) return new Promise(() => undefined);
        return Promise.resolve(() => (this.#listener = undefined));
      },
    };
    const call = {
      paymentInfo: () => Promise.resolve({ partialFee: { toBigInt: () => 1n } }),
      // The chain is read first, and then a wallet is asked.
      signAsync: async (_: unknown, options?: { readonly signer?: Signer }) => {
        if (this.readError) throw this.readError;
        await options?.signer?.signPayload?.({} as SignerPayloadJSON);
        this.onSigned();
        return signed;
      },
    };
    // Throws polkadot.js's own words, which repeat what is no address.
    const encoded = (account: string) => registry.createType('AccountId32', account);
    const connection = {
      get: () => this.provider,
    };
    const api = {
      _rpcCore: Object.defineProperty({}, 'provider', connection),
      on: (_: string, hear: () => void) => this.#losers.add(hear),
      off: (_: string, hear: () => void) => this.#losers.delete(hear),
      isConnected: this.isConnected,
      isReady: this.ready,
      runtimeVersion: { specName: 'keyshare' },
      genesisHash: { toU8a: () => GENESIS, toHex: () => toHex(GENESIS) },
      createType: registry.createType.bind(registry),
      at: (block: string) => {
        const account = this.#states.get(block);
        if (account === undefined) return Promise.reject(new Error(`there is no block ${block}`));
        const isFinal = this.final === undefined || this.#which.has(this.final);
        const isLast = isFinal && block === this.#lastFinal(hashOf(this.block));
        const subgroups = (isLast && this.finalSubgroups) || this.subgroups;
        const keyshareApi = {
          ...api.call.keyshareApi,
          registration: () => registration(account),
          subgroups: () => says(subgroups),
        };
        return Promise.resolve({ ...api, call: { keyshareApi } });
      },
      rpc: {
        chain: {
          getFinalizedHead: () => Promise.resolve(hash(this.#lastFinal(this.#nextBest()))),
          getHeader: (of?: string) => {
            const told = of ?? hashOf(this.block);
            if (of === undefined) this.onTold();
            return Promise.resolve({
              hash: hash(told),
              number: { toNumber: () => numberOf(told) },
            });
          },
          getBlockHash: (block: number) =>
            Promise.resolve(hash(hashOf(block, this.left.has(block) ? 99 : 0))),
        },
      },
      call: {
        keyshareApi: {
          parameters: () => says(parameters),
          subgroups: () => says(this.subgroups),
          operators: () => says(this.operators),
          registration: () => registration(this.account),
          deposit: (scheme: string, threshold: number, constraints: string | null) => {
            this.priced.push(threshold);
            this.given.push(constraints);
            return says(priceOf(scheme, threshold, constraints));
          },
          // polkadot.js writes what is large in hex.
          confirmationFee: () => says('0x03'),
          recordDeposit: () => says(`0x${RECORD.toString(16)}`),
        },
      },
      query: {
        subgroups: {
          kept: {
            keys: () => Promise.resolve(this.kept.map((name) => ({ args: [address(name)] }))),
          },
        },
        balances: {
          holds: () =>
            says([
              { id: { session: 'Keys' }, amount: 7 },
              // polkadot.js writes what is large in hex.
              { id: { registration: 'Deposit' }, amount: `0x${this.held.toString(16)}` },
            ]),
        },
        system: { account: () => Promise.resolve({ data: { free: { toBigInt: () => 10_001n } } }) },
      },
      consts: { balances: { existentialDeposit: { toBigInt: () => 1n } } },
      tx: {
        registration: {
          register: (_: string, constraints: unknown) => (this.given.push(constraints), call),
          updateConstraints: (account: string, constraints: unknown) => {
            encoded(account);
            this.given.push(constraints);
            return call;
          },
          swapKey: () => call,
          changeConstraintAccount: (account: string, to: string) => {
            encoded(account);
            encoded(to);
            return call;
          },
          cancel: () => call,
          deregister: () => call,
        },
      },
    };
    return Keyshare.connect(api as unknown as ApiPromise, options);
  }
}

/** The bytes of a key in hex. */
export const keyOf = (digit: string): Uint8Array => fromHex(`0x${digit.repeat(64)}`, 32);
