/** Everything a user does with a Keyshare network, over the caller's own `ApiPromise`. */

import type { ApiPromise } from '@polkadot/api';
import { equal } from './bytes.js';
import {
  type Account,
  addressOf,
  type Call,
  type CallName,
  calls,
  encodable,
  refusal,
  requireConstraints,
  requirePossible,
  submit,
} from './calls.js';
import {
  answer,
  type ChainParameters,
  type Constraints,
  readParameters,
  readSpendable,
  readStatus,
  readSubgroups,
  requireConsistent,
  requireVersion,
  type Registration,
  type Status,
  type Subgroup,
} from './chain.js';
import { type Dealer, dealer, type Dealt } from './dealer.js';
import { KeyshareError } from './errors.js';
import { deliver, follow, isOf, type OnProgress, shownAs, type Waiting } from './register.js';
import { type Bounds, Patience } from './patience.js';
import type { Commitments, Scheme } from './scheme.js';
import { callLimit, hostedServers, proveCustody, type Server } from './servers.js';

/** A private key: its bytes, or whoever has it and deals it. */
export type KeySource =
  | {
      /** The 32-byte seed (Ed25519) or big-endian scalar (secp256k1). It stays the caller's. */
      readonly key: Uint8Array;
      readonly scheme: Scheme;
    }
  | { readonly dealer: Dealer };

/** A private key, and who signs for it. */
export type KeyInput = KeySource &
  Waiting & {
    /** A `KeyringPair`, or an address with the wallet's `Signer`. */
    readonly signer: Account;
    /** Signs nothing: takes up what is under way, or throws `AttemptGone`. */
    readonly onlyResume?: boolean;
  };

/** What `register` needs. */
export type RegisterInput = KeyInput & {
  /** By default both architectures are switched off. */
  readonly constraints?: Constraints;
  /** Who may change the constraints later, SS58; by default the account itself. */
  readonly constraintAccount?: string;
};

/** A call by one account about another's constraints. */
export interface ConstraintsInput extends Waiting {
  /** The user, SS58. */
  readonly account: string;
  /** The constraint-modification account. */
  readonly signer: Account;
}

/** What an account pays. */
export interface Cost {
  /** Held while the entry exists, and given back with it; in the smallest unit (10⁻¹² KEY). */
  readonly deposit: bigint;
  /** Paid for the transaction. */
  readonly fee: bigint;
  /** What the account has for both now; with less than their sum the chain refuses the call. */
  readonly spendable: bigint;
}

/** What a server answered when it was tried. */
export interface Reachability {
  readonly server: Server;
  /** Why it cannot be reached from here, or will refuse. */
  readonly error?: KeyshareError;
}

/** What a member answered to a fresh challenge. */
export interface Custody {
  readonly server: Server;
  /** Why it proves nothing; absent if it proved that it holds the share now. */
  readonly error?: KeyshareError;
}

/** How many earlier generations of an attempt are tried, as with the tool. */
const GENERATIONS_TRIED = 64;
const ANSWERED = 'the chain answered';
const DEALT = 'the key was dealt';
const NO_CONSTRAINTS: Constraints = { evmAcl: null, btcAcl: null };

/** A Keyshare network. */
export class Keyshare {
  readonly api: ApiPromise;
  readonly parameters: ChainParameters;

  private constructor(api: ApiPromise, parameters: ChainParameters) {
    this.api = api;
    this.parameters = parameters;
  }

  /** Waits for the chain, and checks its name and the protocol's version. Throws `WrongChain`. */
  static async connect(api: ApiPromise, waiting: Bounds = {}): Promise<Keyshare> {
    const patience = new Patience(waiting);
    await patience.race(api.isReady, ANSWERED);
    const name = api.runtimeVersion.specName.toString();
    if (name !== 'keyshare') {
      throw new KeyshareError('WrongChain', `the node follows the chain ${name}, not keyshare`);
    }
    return new Keyshare(api, await patience.race(readParameters(api), ANSWERED));
  }

  /** Every subgroup with its members. */
  subgroups(): Promise<Subgroup[]> {
    return readSubgroups(this.api);
  }

  /** What the chain holds for an account, SS58. */
  async status(account: string): Promise<Status> {
    this.#accountId(account);
    return readStatus(this.api, account);
  }

  /** The same at each new best block, until the signal is aborted or the deadline passes. */
  watch(account: string, waiting: Bounds = {}): AsyncGenerator<Status> {
    this.#accountId(account);
    return follow(this.api, account, new Patience(waiting), 'the watch ended');
  }

  /**
   * Registers a key: publishes its commitments, brings every server its share, and waits until
   * every subgroup has its quorum.
   *
   * An attempt of the same key that is under way is taken up without a signature, so calling this
   * again after an interruption, with nothing but the key, goes on.
   */
  async register(input: RegisterInput): Promise<Registration> {
    return this.#attempt(input, 'register', this.#registerCall(input));
  }

  /** Replaces the key in force; it stays in force until every subgroup has its quorum. */
  async swapKey(input: KeyInput): Promise<Registration> {
    const begin = (commitments: Commitments) => calls.swapKey(this.api, commitments);
    return this.#attempt(input, 'swapKey', begin);
  }

  /** What `register` would cost. Signs and sends nothing. */
  async cost(input: RegisterInput): Promise<Cost> {
    const { constraints = NO_CONSTRAINTS } = input;
    const costs = this.#cost(input, this.#registerCall(input), encodable(constraints));
    return new Patience(input).race(costs, ANSWERED);
  }

  /** What `swapKey` would cost; the old key's deposit comes back when the new one is in force. */
  swapCost(input: KeyInput): Promise<Cost> {
    const begin = (commitments: Commitments) => calls.swapKey(this.api, commitments);
    return new Patience(input).race(this.#cost(input, begin, null), ANSWERED);
  }

  /** Gives up the attempt under way; the deposit comes back. */
  async cancel(input: Waiting & { readonly signer: Account }): Promise<Status> {
    const account = addressOf(input.signer);
    const isDone = ({ registering }: Status) => registering === null;
    return this.#make('cancel', calls.cancel(this.api), account, input, isDone);
  }

  /** Removes the key in force and what belongs to it; the deposit comes back. */
  async deregister(input: Waiting & { readonly signer: Account }): Promise<Status> {
    const account = addressOf(input.signer);
    const isDone = ({ registered, registering }: Status) => !registered && !registering;
    return this.#make('deregister', calls.deregister(this.api), account, input, isDone);
  }

  /** Replaces a user's constraints; signed by the constraint-modification account. */
  async setConstraints(
    input: ConstraintsInput & { readonly constraints: Constraints },
  ): Promise<Status> {
    requireConstraints(input.constraints, this.parameters.maxAclAddresses);
    const wanted = normal(input.constraints);
    const call = this.#call(() =>
      calls.updateConstraints(this.api, input.account, input.constraints),
    );
    return this.#make(
      'updateConstraints',
      call,
      input.account,
      input,
      ({ constraints }) => constraints !== null && normal(constraints) === wanted,
    );
  }

  /** Hands a user's constraints over to another constraint-modification account. */
  async changeConstraintAccount(
    input: ConstraintsInput & { readonly to: string },
  ): Promise<Status> {
    const to = this.#address(input.to);
    const call = this.#call(() => calls.changeConstraintAccount(this.api, input.account, to));
    const isDone = ({ constraintAccount }: Status) => constraintAccount === to;
    return this.#make('changeConstraintAccount', call, input.account, input, isDone);
  }

  /** Tries every member's endpoint, before anything is signed: what will not work, and why. */
  tryServers(waiting: Bounds = {}): Promise<Reachability[]> {
    const patience = new Patience(waiting);
    return patience.race(this.#tryServers(patience.signal), 'every server answered');
  }

  async #tryServers(signal: AbortSignal): Promise<Reachability[]> {
    const members = (await this.subgroups()).flatMap((subgroup) => subgroup.members);
    const genesis = this.api.genesisHash.toHex();
    const limit = callLimit();
    return Promise.all(
      members.map(async (server): Promise<Reachability> => {
        try {
          const hosted = await limit(() => hostedServers(server.endpoint, signal));
          requireVersion(hosted.protocolVersion, server.endpoint);
          if (hosted.genesisHash !== genesis) {
            throw new KeyshareError('WrongChain', `${server.endpoint} serves another chain`);
          }
          if (!hosted.servers.some(({ account }) => account === server.account)) {
            throw new KeyshareError(
              'UnknownServer',
              `${server.endpoint} does not host this server`,
            );
          }
          return { server };
        } catch (error) {
          if (error instanceof KeyshareError) return { server, error };
          throw error;
        }
      }),
    );
  }

  /**
   * Checks that what the chain shows follows from the key's commitments, and challenges every
   * member with fresh randomness to prove that it holds its share now.
   */
  challenge(account: string, waiting: Bounds = {}): Promise<Custody[]> {
    const patience = new Patience(waiting);
    return patience.race(this.#challenge(account, patience.signal), 'every server answered');
  }

  async #challenge(account: string, signal: AbortSignal): Promise<Custody[]> {
    const { registered } = await this.status(account);
    if (registered === null) {
      throw new KeyshareError('NotRegistering', 'the account has no key in force');
    }
    const { subgroups } = this.parameters;
    const genesis = this.api.genesisHash.toU8a();
    requireConsistent(registered, this.#accountId(account), genesis, subgroups);
    const subject = { ...registered, account };
    const members = (await this.subgroups()).flatMap((subgroup) => subgroup.members);
    const limit = callLimit();
    return Promise.all(
      members.map(async (server): Promise<Custody> => {
        try {
          await limit(() => proveCustody(server, subject, signal));
          return { server };
        } catch (error) {
          if (error instanceof KeyshareError) return { server, error };
          throw error;
        }
      }),
    );
  }

  async #deal(input: KeyInput, generation: number): Promise<Dealt> {
    // Before anything is signed: without it nothing could be sealed afterwards.
    if ((globalThis.crypto as Partial<Crypto>).subtle === undefined) {
      throw new KeyshareError('InsecureContext', 'this page is not secure: it has no Web Crypto');
    }
    const source = 'dealer' in input ? input.dealer : dealer(input.scheme, input.key);
    const account = this.#accountId(addressOf(input.signer));
    const genesis = this.api.genesisHash.toU8a();
    try {
      return await source.deal(this.parameters, { genesis, account, generation });
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : 'not a private key';
      throw new KeyshareError('Input', reason, { cause });
    }
  }

  /** Begins an attempt, or takes up the one of this key, and completes it. */
  async #attempt(
    input: KeyInput,
    name: 'register' | 'swapKey',
    begin: (commitments: Commitments) => Call,
  ): Promise<Registration> {
    const patience = new Patience(input);
    const onProgress = input.onProgress ?? (() => {});
    const address = addressOf(input.signer);
    const account = { address, id: this.#accountId(address) };
    const before = await patience.race(this.status(address), ANSWERED);
    const { registering, registered } = before;
    // A key in force may lack some servers still. To swap it for itself is another attempt.
    const withRegistered = name === 'register' || input.onlyResume === true;
    const resumable = withRegistered ? [registering, registered] : [registering];
    const resumed = await patience.race(this.#underWay(input, resumable), DEALT);
    if (resumed === undefined) {
      if (input.onlyResume) {
        throw new KeyshareError('AttemptGone', 'no attempt of this key is under way');
      }
      requirePossible(name, before, this.#address(address));
      await patience.race(this.#requireMembers(), ANSWERED);
    }
    const dealt =
      resumed?.dealt ?? (await patience.race(this.#deal(input, before.generation + 1), DEALT));
    try {
      let generation = resumed?.generation;
      if (generation === undefined) {
        onProgress({ type: 'signing' });
        await submit(this.api, begin(dealt.commitments), input.signer, patience);
        onProgress({ type: 'submitted' });
        const waitingFor = 'the chain showed the attempt';
        for await (const status of follow(this.api, address, patience, waitingFor)) {
          generation = shownAs(status, dealt.commitments)?.generation;
          if (generation !== undefined) break;
        }
      }
      const { subgroups } = this.parameters;
      const seen = generation ?? before.generation + 1;
      return await deliver(this.api, account, subgroups, dealt, seen, patience, onProgress);
    } finally {
      dealt.wipe();
    }
  }

  /** The shares of what the chain shows, if it is what this very key makes. */
  async #underWay(
    input: KeyInput,
    shown: (Registration | null)[],
  ): Promise<{ dealt: Dealt; generation: number } | undefined> {
    const { scheme } = 'dealer' in input ? input.dealer : input;
    for (const one of shown) {
      if (one?.scheme !== scheme) continue;
      const { generation, publicKey } = one;
      // A call made for one generation gets a later one when others come first.
      for (let tried = generation; tried > Math.max(0, generation - GENERATIONS_TRIED); tried--) {
        const dealt = await this.#deal(input, tried);
        if (isOf(one, dealt.commitments)) return { dealt, generation };
        dealt.wipe();
        // Another key's: the public key is the same for every generation.
        if (!equal(dealt.commitments.elements[0] ?? publicKey, publicKey)) break;
      }
    }
    return undefined;
  }

  /** Throws `Refused` if a subgroup is empty. */
  async #requireMembers(): Promise<void> {
    const empty = (await this.subgroups()).find(({ quorum }) => quorum === null);
    if (empty) throw refusal('EmptySubgroup', `subgroup ${empty.subgroup} has no members`);
  }

  async #make(
    name: CallName,
    call: Call,
    subject: string,
    input: Waiting & { readonly signer: Account },
    isDone: (status: Status) => boolean,
  ): Promise<Status> {
    const patience = new Patience(input);
    const before = await patience.race(this.status(subject), ANSWERED);
    if (isDone(before)) return before;
    requirePossible(name, before, this.#address(addressOf(input.signer)));
    const onProgress: OnProgress = input.onProgress ?? (() => {});
    onProgress({ type: 'signing' });
    await submit(this.api, call, input.signer, patience);
    onProgress({ type: 'submitted' });
    for await (const status of follow(this.api, subject, patience, 'the chain showed the change')) {
      if (isDone(status)) return status;
    }
    throw new KeyshareError('ChainUnreachable', 'the chain ended');
  }

  async #cost(
    input: KeyInput,
    begin: (commitments: Commitments) => Call,
    constraints: object | null,
  ): Promise<Cost> {
    const deposit = this.api.call['keyshareApi']?.['deposit'];
    if (deposit === undefined) {
      throw new KeyshareError('WrongChain', 'the chain has no KeyshareApi.deposit');
    }
    const address = addressOf(input.signer);
    const dealt = await this.#deal(input, (await this.status(address)).generation + 1);
    dealt.wipe();
    const call = begin(dealt.commitments);
    const scheme = dealt.commitments.scheme === 'ed25519' ? 'Ed25519' : 'Secp256k1';
    const [held, { partialFee }, spendable] = await Promise.all([
      answer(deposit(scheme, constraints)),
      answer(call.paymentInfo(address)),
      readSpendable(this.api, address),
    ]);
    return { deposit: BigInt(held.toString()), fee: partialFee.toBigInt(), spendable };
  }

  /** `register` with everything but the commitments. */
  #registerCall(input: RegisterInput): (commitments: Commitments) => Call {
    const { constraintAccount = addressOf(input.signer), constraints = NO_CONSTRAINTS } = input;
    this.#accountId(constraintAccount);
    requireConstraints(constraints, this.parameters.maxAclAddresses);
    return (commitments) =>
      this.#call(() => calls.register(this.api, constraintAccount, constraints, commitments));
  }

  /** Makes a call of the caller's input, which may not be encodable. */
  #call(make: () => Call): Call {
    try {
      return make();
    } catch (cause) {
      if (cause instanceof KeyshareError) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new KeyshareError('Input', `the call cannot be encoded: ${reason}`, { cause });
    }
  }

  #accountId(address: string): Uint8Array {
    const decoded = (type: 'AccountId32' | 'AccountId33') => {
      try {
        return this.api.createType(type, address).toU8a();
      } catch {
        return undefined;
      }
    };
    const account = decoded('AccountId32');
    // polkadot.js cuts what is longer, and takes nothing for the zero account, which nobody has.
    if (account === undefined || decoded('AccountId33') !== undefined) {
      throw new KeyshareError('Input', `“${address}” is no address`);
    }
    return account;
  }

  /** As the chain writes it, whatever network's prefix it was given with. */
  #address(address: string): string {
    return this.api.createType('AccountId32', this.#accountId(address)).toString();
  }
}

/** One text for equal constraints. */
function normal({ evmAcl, btcAcl }: Constraints): string {
  const acl = (list: Constraints['evmAcl']) =>
    list && [
      list.kind,
      list.addresses.map((address) => address.toLowerCase()),
      list.allowNullRecipient,
    ];
  return JSON.stringify([acl(evmAcl), acl(btcAcl)]);
}
