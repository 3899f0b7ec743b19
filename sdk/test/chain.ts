/**
 * A chain in this process that says what a test wants: members that are syncing or kept, operators
 * that are pending, nobody ready. A development network has none of these. What it says has the
 * shape in which polkadot.js gives the runtime's answers.
 */

import { Keyring, type ApiPromise } from '@polkadot/api';
import { TypeRegistry } from '@polkadot/types';
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
  const of = keyring.decodeAddress(account);
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
}

/** The number of a block, in its hash. */
const hashOf = (block: number) => `0x${block.toString(16).padStart(64, '0')}`;

/** What the chain says; a test changes it. */
export class Chain {
  subgroups: { id: number; quorum: number | null; members: ReturnType<typeof member>[] }[] =
    development;
  operators = ['Alice', 'Bob', 'Charlie'].map((name, subgroup) =>
    operator(name, subgroup, { admitted: { since: 0 } }),
  );
  /** What the provider says when it is asked for its address. */
  readonly endpoints: (string | undefined)[] = [];
  /** Names of validators. */
  kept: string[] = [];
  /** In the best block. */
  account: Account = { generation: 0, constraints: null, registered: null, registering: null };
  /** In the last final block, if that is another one. */
  final: { readonly block: number; readonly account: Account } | undefined;
  /** The number of the best block. */
  block = 0;
  /** What happens when the node gets a call. */
  onSent: () => void = () => undefined;
  /** What happens when there is a new block. */
  onBlock: () => void = () => undefined;
  /** The thresholds that deposits were asked for. */
  readonly priced: number[] = [];
  /** The constraints that were passed with calls, and to ask for deposits. */
  readonly given: unknown[] = [];
  /** Whom the node tells of the call that was sent. */
  #listener: ((result: object) => void) | undefined;

  /** Has the last final block stay what it is now, whatever comes in later ones. */
  stall(): void {
    this.final = { block: this.block, account: { ...this.account } };
  }

  /** Has the node say something of the call that was sent. */
  tell({ status, refused }: Heard): void {
    const dispatchError = refused && { isModule: false, isToken: false, toString: () => refused };
    const isError = ['Dropped', 'FinalityTimeout', 'Invalid', 'Usurped'].includes(status);
    this.#listener?.({ status: { type: status, [`is${status}`]: true }, dispatchError, isError });
  }

  /** Whether anybody listens to what becomes of a call. */
  get isHeard(): boolean {
    return this.#listener !== undefined;
  }

  /** A connection to it. */
  connect(options: ConnectOptions = {}): Promise<Keyshare> {
    const registry = new TypeRegistry();
    const says = (value: unknown) => Promise.resolve({ toJSON: () => value });
    const hash = (block: number) => ({ toHex: () => hashOf(block) });
    const registration = (account: () => Account) => () => {
      const { constraints } = account();
      const shown = {
        isSome: constraints !== null,
        unwrap: () => constraints?.map((part) => ({ toU8a: () => part })),
      };
      return Promise.resolve({ toJSON: account, get: () => shown });
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
        this.#listener = listener;
        this.onSent();
        return Promise.resolve(() => (this.#listener = undefined));
      },
    };
    const call = {
      paymentInfo: () => Promise.resolve({ partialFee: { toBigInt: () => 1n } }),
      signAsync: () => Promise.resolve(signed),
    };
    const { endpoints } = this;
    const provider = {
      get endpoint() {
        return endpoints.shift();
      },
    };
    const api = {
      _rpcCore: { provider },
      isConnected: true,
      on: () => undefined,
      off: () => undefined,
      isReady: Promise.resolve(),
      runtimeVersion: { specName: 'keyshare' },
      genesisHash: { toU8a: () => GENESIS, toHex: () => toHex(GENESIS) },
      createType: registry.createType.bind(registry),
      // Only what is final is asked for by its block.
      at: () => {
        const account = () => this.final?.account ?? this.account;
        const keyshareApi = { ...api.call.keyshareApi, registration: registration(account) };
        return Promise.resolve({ ...api, call: { keyshareApi } });
      },
      rpc: {
        chain: {
          // A new block whenever it is asked.
          getFinalizedHead: () => {
            this.block += 1;
            this.onBlock();
            return Promise.resolve(hash(this.final?.block ?? this.block));
          },
          getHeader: (of?: string) => {
            const block = of === undefined ? this.block : Number(of);
            return Promise.resolve({ hash: hash(block), number: { toNumber: () => block } });
          },
        },
      },
      call: {
        keyshareApi: {
          parameters: () => says(parameters),
          subgroups: () => says(this.subgroups),
          operators: () => says(this.operators),
          registration: registration(() => this.account),
          deposit: (_: string, threshold: number, constraints: unknown) => {
            this.priced.push(threshold);
            this.given.push(constraints);
            return Promise.resolve(10);
          },
          // polkadot.js writes what is large in hex.
          confirmationFee: () => says('0x03'),
        },
      },
      query: {
        subgroups: {
          kept: {
            keys: () => Promise.resolve(this.kept.map((name) => ({ args: [address(name)] }))),
          },
        },
        system: { account: () => Promise.resolve({ data: { free: { toBigInt: () => 100n } } }) },
      },
      consts: { balances: { existentialDeposit: { toBigInt: () => 1n } } },
      tx: {
        registration: {
          register: (_: string, constraints: unknown) => (this.given.push(constraints), call),
          updateConstraints: (_: string, constraints: unknown) => (
            this.given.push(constraints),
            call
          ),
          swapKey: () => call,
          changeConstraintAccount: () => call,
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
