/** Everything a user does with a Keyshare network, over the caller's own `ApiPromise`. */

import type { ApiPromise } from '@polkadot/api';
import { equal, type Hex, toHex } from './bytes.js';
import {
  type Account,
  addressOf,
  type Call,
  type CallName,
  calls,
  refusal,
  requirePossible,
} from './calls.js';
import {
  type AccountState,
  answer,
  type ChainParameters,
  isThreshold,
  readConfirmationFee,
  readParameters,
  readSpendable,
  readStatus,
  requireConsistent,
  requireVersion,
  type Registration,
  type Status,
} from './chain.js';
import { constraintsRefusal } from './constraints/check.js';
import { encodeConstraints } from './constraints/codec.js';
import { readConstraints, showConstraints } from './constraints/shape.js';
import { bitcoinNetworkOf } from './constraints/text.js';
import type { Constraints, ConstraintsV2, TextOptions } from './constraints/types.js';
import { dealer, type Dealt } from './dealer.js';
import { KeyshareError } from './errors.js';
import { follow, isFinal, readView, settle, type View } from './follow.js';
import {
  type ConnectOptions,
  type ConstraintsInput,
  type Cost,
  type Custody,
  type KeyInput,
  type Reachability,
  type RegisterInput,
  schemeOf,
} from './inputs.js';
import {
  type Operator,
  readOperators,
  readServers,
  readSubgroups,
  readUnready,
  type Subgroup,
} from './membership.js';
import { type Bounds, Patience } from './patience.js';
import { unfailing, type Waiting } from './progress.js';
import { deliver, isOf } from './register.js';
import { requireSame, type Wanted } from './same.js';
import { type Commitments, partsOf } from './scheme.js';
import { callLimit, hostedServers, proveCustody } from './servers.js';
import { submit } from './submit.js';
import { requireSafeNode } from './urls.js';

/** What an attempt is begun for. */
type Attempting = 'register' | 'swapKey' | 'reshare';

/** How many earlier generations of an attempt are tried, as with the tool. */
const GENERATIONS_TRIED = 64;
const ANSWERED = 'the chain answered';
const DEALT = 'the key was dealt';
const EMPTY = new Uint8Array();
const NO_CONSTRAINTS: Constraints = { rules: [], fees: [], messages: 'never' };

/** A Keyshare network. */
export class Keyshare {
  readonly api: ApiPromise;
  readonly parameters: ChainParameters;
  /** How constraints are read and shown. */
  readonly #text: Required<TextOptions>;

  private constructor(api: ApiPromise, parameters: ChainParameters, text: Required<TextOptions>) {
    this.api = api;
    this.parameters = parameters;
    this.#text = text;
  }

  /**
   * Waits for the chain, and checks its name and the protocol's version. Throws `WrongChain`, and
   * `InsecureNode` if the api's `WsProvider` goes over `ws` to another machine.
   */
  static async connect(api: ApiPromise, options: ConnectOptions = {}): Promise<Keyshare> {
    const text = { bitcoinNetwork: bitcoinNetworkOf(options) };
    const requireSafe = () => {
      const endpoint = endpointOf(api);
      if (endpoint !== undefined) requireSafeNode(endpoint, options);
    };
    requireSafe();
    const patience = new Patience(options);
    await patience.race(api.isReady, ANSWERED);
    // Which it is of several is known once it is connected.
    requireSafe();
    const name = api.runtimeVersion.specName.toString();
    if (name !== 'keyshare') {
      throw new KeyshareError('WrongChain', `the node follows the chain ${name}, not keyshare`);
    }
    return new Keyshare(api, await patience.race(readParameters(api), ANSWERED), text);
  }

  /** Every subgroup with its members, and who operates them. */
  subgroups(): Promise<Subgroup[]> {
    return readSubgroups(this.api);
  }

  /** Every operator there ever was, by subgroup. */
  operators(): Promise<Operator[]> {
    return readOperators(this.api);
  }

  /** What the chain holds for an account, SS58, and whether that is final. */
  async status(account: string): Promise<Status> {
    this.#accountId(account);
    return this.#shown(await readView(this.api, account));
  }

  /**
   * The same at each new best or final block, until the signal is aborted or the deadline passes.
   */
  watch(account: string, waiting: Bounds = {}): AsyncGenerator<Status> {
    this.#accountId(account);
    return this.#watch(account, new Patience(waiting));
  }

  async *#watch(account: string, patience: Patience): AsyncGenerator<Status> {
    for await (const view of follow(this.api, account, patience, 'the watch ended')) {
      yield this.#shown(view);
    }
  }

  /**
   * Registers a key: publishes its commitments, brings every server its share, and waits until
   * every subgroup has its quorum in a final block. Only then the key may be wiped.
   *
   * An attempt of the same key that is under way is taken up without a signature, so calling this
   * again after an interruption, with nothing but the key, goes on. Throws `ConstraintsDiffer` if
   * constraints or a constraint account are named that are not those on the chain.
   */
  async register(input: RegisterInput): Promise<Registration> {
    return this.#attempt(input, 'register', this.#registerCall(input), this.#wanted(input));
  }

  /** Replaces the key in force; it stays in force until every subgroup has its quorum. */
  async swapKey(input: KeyInput): Promise<Registration> {
    return this.#attempt(input, 'swapKey', this.#swapCall());
  }

  /**
   * Deals the key in force anew: swaps it for itself. Throws `Input` for another key.
   *
   * Shares of the deal before do not go together with the new ones. So it helps after a first
   * operator was dismissed, but only while fewer subgroups of that deal than its threshold are in
   * such hands: with as many, they have the key.
   */
  async reshare(input: KeyInput): Promise<Registration> {
    return this.#attempt(input, 'reshare', this.#swapCall());
  }

  /** What `register` would cost. Signs and sends nothing. */
  async cost(input: RegisterInput): Promise<Cost> {
    return this.#cost(input, 'register', this.#registerCall(input), this.#encoded(input));
  }

  /** What `swapKey` would cost; the old key's deposit comes back when the new one is in force. */
  async swapCost(input: KeyInput): Promise<Cost> {
    return this.#cost(input, 'swapKey', this.#swapCall(), null);
  }

  /** What `reshare` would cost; the same holds for the deposit of the deal before. */
  async reshareCost(input: KeyInput): Promise<Cost> {
    return this.#cost(input, 'reshare', this.#swapCall(), null);
  }

  /** Gives up the attempt under way; its deposit comes back. Refused if there is none. */
  async cancel(input: Waiting & { readonly signer: Account }): Promise<Status> {
    const account = addressOf(input.signer);
    const isDone = ({ registering }: AccountState) => registering === null;
    return this.#make('cancel', calls.cancel(this.api), account, input, isDone);
  }

  /**
   * Removes the key in force and what belongs to it; the deposit for these comes back. Refused if there
   * is none.
   */
  async deregister(input: Waiting & { readonly signer: Account }): Promise<Status> {
    const account = addressOf(input.signer);
    const isDone = ({ registered, registering }: AccountState) => !registered && !registering;
    return this.#make('deregister', calls.deregister(this.api), account, input, isDone);
  }

  /** Replaces a user's constraints; signed by the constraint-modification account. */
  async setConstraints(
    input: ConstraintsInput & { readonly constraints: Constraints },
  ): Promise<Status> {
    // Which scheme they are for, only the chain knows.
    const wanted = readConstraints(input.constraints, this.#text);
    const encoded = toHex(encodeConstraints(wanted));
    const call = this.#call(() => calls.updateConstraints(this.api, input.account, encoded));
    const isDone = ({ constraints }: AccountState) =>
      constraints !== null && toHex(encodeConstraints(constraints)) === encoded;
    return this.#make('updateConstraints', call, input.account, input, isDone, wanted);
  }

  /** Hands a user's constraints over to another constraint-modification account. */
  async changeConstraintAccount(
    input: ConstraintsInput & { readonly to: string },
  ): Promise<Status> {
    const to = this.#address(input.to);
    const call = this.#call(() => calls.changeConstraintAccount(this.api, input.account, to));
    const isDone = ({ constraintAccount }: AccountState) => constraintAccount === to;
    return this.#make('changeConstraintAccount', call, input.account, input, isDone);
  }

  /** Tries every member's endpoint, before anything is signed: what will not work, and why. */
  tryServers(waiting: Bounds = {}): Promise<Reachability[]> {
    const patience = new Patience(waiting);
    return patience.race(this.#tryServers(patience.signal), 'every server answered');
  }

  async #tryServers(signal: AbortSignal): Promise<Reachability[]> {
    const members = await readServers(this.api);
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
    const { registered } = await this.#state(account);
    if (registered === null) {
      throw new KeyshareError('NotRegistering', 'the account has no key in force');
    }
    const genesis = this.api.genesisHash.toU8a();
    requireConsistent(registered, this.#accountId(account), genesis, this.parameters);
    const subject = { ...registered, account };
    const members = await readServers(this.api);
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

  async #deal(input: KeyInput, generation: number, threshold: number): Promise<Dealt> {
    // Before anything is signed: without it nothing could be sealed afterwards.
    if ((globalThis.crypto as Partial<Crypto>).subtle === undefined) {
      throw new KeyshareError('InsecureContext', 'this page is not secure: it has no Web Crypto');
    }
    const source = 'dealer' in input ? input.dealer : dealer(input.scheme, input.key);
    const account = this.#accountId(addressOf(input.signer));
    const genesis = this.api.genesisHash.toU8a();
    try {
      const { subgroups } = this.parameters;
      return await source.deal({ threshold, subgroups }, { genesis, account, generation });
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : 'not a private key';
      throw new KeyshareError('Input', reason, { cause });
    }
  }

  /**
   * The threshold of a new attempt. Throws `Input` if no key can have it, and with `reshare` for
   * another key than the one in force, whose threshold is then the default.
   */
  async #threshold(
    input: KeyInput,
    name: Attempting,
    { registered }: AccountState,
  ): Promise<number> {
    const { threshold: least, subgroups: most } = this.parameters;
    const { threshold = least } = input;
    if (!isThreshold(threshold, this.parameters)) {
      throw new KeyshareError(
        'Input',
        `threshold is a whole number from ${least} to ${most}, not ${String(threshold)}`,
      );
    }
    if (name !== 'reshare') return threshold;
    if (registered === null) throw refusal('NotRegistered', 'the account has no key in force');
    const account = this.#accountId(addressOf(input.signer));
    requireConsistent(registered, account, this.api.genesisHash.toU8a(), this.parameters);
    const dealt = await this.#deal(input, registered.generation, registered.threshold);
    dealt.wipe();
    const { scheme, elements } = dealt.commitments;
    if (scheme !== registered.scheme || !equal(elements[0] ?? EMPTY, registered.publicKey)) {
      throw new KeyshareError(
        'Input',
        'another key is in force: reshare takes that one, swapKey takes another',
      );
    }
    return input.threshold ?? registered.threshold;
  }

  /** Begins an attempt, or takes up the one of this key, and completes it. */
  async #attempt(
    input: KeyInput,
    name: Attempting,
    begin: (commitments: Commitments) => Call,
    wanted: Wanted = {},
  ): Promise<Registration> {
    const { api, parameters: chain } = this;
    const patience = new Patience(input);
    const onProgress = unfailing(input.onProgress);
    const address = addressOf(input.signer);
    const account = { address, id: this.#accountId(address) };
    const before = await patience.race(this.#state(address), ANSWERED);
    const { registering, registered } = before;
    const threshold = await patience.race(this.#threshold(input, name, before), DEALT);
    // A key in force may lack some servers still. To swap it for itself is another attempt.
    const withRegistered = name === 'register' || (name === 'swapKey' && input.onlyResume === true);
    const resumable = withRegistered ? [registering, registered] : [registering];
    const late = (resumed: { dealt: Dealt } | undefined) => resumed?.dealt.wipe();
    const resumed = await patience.race(this.#underWay(input, resumable), DEALT, late);
    if (resumed !== undefined) {
      const { dealt, generation } = resumed;
      try {
        requireSame(wanted, before, this.#text);
        const sent = undefined;
        const taken = { api, chain, account, dealt, generation, sent, patience, onProgress };
        return await deliver(taken);
      } finally {
        dealt.wipe();
      }
    }
    if (input.onlyResume) {
      throw new KeyshareError('AttemptGone', 'no attempt of this key is under way');
    }
    const call = name === 'register' ? name : 'swapKey';
    requirePossible(call, before, this.#address(address), schemeOf(input));
    await patience.race(this.#requireReady(), ANSWERED);
    const dealing = this.#deal(input, before.generation + 1, threshold);
    const dealt = await patience.race(dealing, DEALT, (dealt) => {
      dealt.wipe();
    });
    try {
      onProgress({ type: 'signing' });
      const sent = await submit(api, begin(dealt.commitments), input.signer, patience);
      try {
        onProgress({ type: 'submitted' });
        const generation = undefined;
        const begun = { api, chain, account, dealt, generation, sent, patience, onProgress };
        return await deliver(begun);
      } finally {
        sent.stop();
      }
    } finally {
      dealt.wipe();
    }
  }

  /** The shares of what the chain shows, if it is what this very key makes. */
  async #underWay(
    input: KeyInput,
    shown: (Registration | null)[],
  ): Promise<{ dealt: Dealt; generation: number } | undefined> {
    const scheme = schemeOf(input);
    for (const one of shown) {
      if (one?.scheme !== scheme) continue;
      const { generation, publicKey, threshold } = one;
      // No deal that the chain takes: with a lower threshold fewer servers would have the key.
      if (!isThreshold(threshold, this.parameters)) continue;
      // A call made for one generation gets a later one when others come first.
      for (let tried = generation; tried > Math.max(0, generation - GENERATIONS_TRIED); tried--) {
        const dealt = await this.#deal(input, tried, threshold);
        if (isOf(one, dealt.commitments)) return { dealt, generation };
        dealt.wipe();
        // Another key's: the public key is the same for every generation.
        if (!equal(dealt.commitments.elements[0] ?? EMPTY, publicKey)) break;
      }
    }
    return undefined;
  }

  /** Throws `Refused` if no member of a subgroup is ready. */
  async #requireReady(): Promise<void> {
    const unready = await readUnready(this.api);
    if (unready !== undefined) {
      throw refusal('NoReadyMember', `no member of subgroup ${unready} is ready`);
    }
  }

  async #make(
    name: CallName,
    call: Call,
    subject: string,
    input: Waiting & { readonly signer: Account },
    isDone: (state: AccountState) => boolean,
    wanted?: ConstraintsV2,
  ): Promise<Status> {
    const { api } = this;
    const patience = new Patience(input);
    const onProgress = unfailing(input.onProgress);
    const before = await patience.race(this.#state(subject), ANSWERED);
    // To remove what is not there is refused, as the chain and the tool do: perhaps it is another account.
    const removes = name === 'cancel' || name === 'deregister';
    if (!removes && isDone(before)) {
      const there = await settle(api, subject, isDone, undefined, patience, onProgress);
      return this.#shown(asSettled(there));
    }
    requirePossible(name, before, this.#address(addressOf(input.signer)));
    const refused =
      wanted && constraintsRefusal(wanted, (before.registered ?? before.registering)?.scheme);
    if (refused !== undefined) throw refused;
    onProgress({ type: 'signing' });
    const sent = await submit(api, call, input.signer, patience);
    try {
      onProgress({ type: 'submitted' });
      const done = await settle(api, subject, isDone, sent, patience, onProgress);
      return this.#shown(asSettled(done));
    } finally {
      sent.stop();
    }
  }

  #cost(
    input: KeyInput,
    name: Attempting,
    begin: (commitments: Commitments) => Call,
    constraints: Hex | null,
  ): Promise<Cost> {
    const costs = async () => {
      const deposit = this.api.call['keyshareApi']?.['deposit'];
      if (deposit === undefined) {
        throw new KeyshareError('WrongChain', 'the chain has no KeyshareApi.deposit');
      }
      const address = addressOf(input.signer);
      const before = await this.#state(address);
      const threshold = await this.#threshold(input, name, before);
      const dealt = await this.#deal(input, before.generation + 1, threshold);
      dealt.wipe();
      const call = begin(dealt.commitments);
      const scheme = partsOf(dealt.commitments.scheme).variant;
      const [held, { partialFee }, confirmationFee, spendable] = await Promise.all([
        answer(deposit(scheme, threshold, constraints)),
        answer(call.paymentInfo(address)),
        readConfirmationFee(this.api),
        readSpendable(this.api, address),
      ]);
      return {
        deposit: BigInt(held.toString()),
        fee: partialFee.toBigInt(),
        confirmationFee,
        spendable,
      };
    };
    return new Patience(input).race(costs(), ANSWERED);
  }

  /** `swap_key` with everything but the commitments. */
  #swapCall(): (commitments: Commitments) => Call {
    return (commitments) => calls.swapKey(this.api, commitments);
  }

  /** `register` with everything but the commitments. */
  #registerCall(input: RegisterInput): (commitments: Commitments) => Call {
    const { constraintAccount = addressOf(input.signer) } = input;
    this.#accountId(constraintAccount);
    const constraints = this.#encoded(input);
    return (commitments) =>
      this.#call(() => calls.register(this.api, constraintAccount, constraints, commitments));
  }

  /**
   * The constraints of a key that is registered, in SCALE. As hex: polkadot.js would take bytes that may
   * be absent, as in `deposit`, for an encoding that says whether they are.
   */
  #encoded(input: RegisterInput): Hex {
    const options = { ...this.#text, scheme: schemeOf(input) };
    return toHex(encodeConstraints(readConstraints(input.constraints ?? NO_CONSTRAINTS, options)));
  }

  async #state(account: string): Promise<AccountState> {
    this.#accountId(account);
    return readStatus(this.api, account);
  }

  #shown(view: View): Status {
    const { constraints: kept, ...state } = view.best;
    const constraints = kept && showConstraints(kept, this.#text);
    return { ...state, constraints, block: view.block, isFinal: isFinal(view) };
  }

  /** What the caller names itself; the defaults are nobody's wish. */
  #wanted({ constraints, constraintAccount, ...source }: RegisterInput): Wanted {
    const options = { ...this.#text, scheme: schemeOf(source) };
    return {
      constraints: constraints && readConstraints(constraints, options),
      constraintAccount: constraintAccount && this.#address(constraintAccount),
    };
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

/** What a final block shows. */
function asSettled({ final, finalBlock }: View): View {
  return { block: finalBlock, best: final, finalBlock, final };
}

/** The address of the node, where the provider tells it. */
function endpointOf(api: ApiPromise): string | undefined {
  interface Inside {
    readonly _rpcCore?: { readonly provider?: { readonly endpoint?: unknown } };
  }
  const endpoint = (api as unknown as Inside)._rpcCore?.provider?.endpoint;
  return typeof endpoint === 'string' ? endpoint : undefined;
}
