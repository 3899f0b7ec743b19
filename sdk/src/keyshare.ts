/** Everything a user does with a Keyshare network, over the caller's own `ApiPromise`. */

import type { ApiPromise } from '@polkadot/api';
import { accountIdOf, asWritten, stateOf } from './accounts.js';
import { attempt, type Beginning, type Connected, costOf } from './attempt.js';
import { equal, toHex } from './bytes.js';
import { type Account, addressOf, type Call, calls, refusal } from './calls.js';
import { type Change, make } from './change.js';
import {
  type AccountState,
  type ChainParameters,
  readParameters,
  requireConsistent,
  requireVersion,
  type Registration,
  type Status,
} from './chain.js';
import { encodeConstraints } from './constraints/codec.js';
import { NO_CONSTRAINTS, readConstraints, showConstraints } from './constraints/shape.js';
import { bitcoinNetworkOf } from './constraints/text.js';
import type { Constraints, TextOptions } from './constraints/types.js';
import { KeyshareError } from './errors.js';
import { follow, isFinal, readView, type View } from './follow.js';
import {
  type ConnectOptions,
  type ConstraintsInput,
  type Cost,
  type Custody,
  type Reachability,
  type RegisterInput,
  requireInput,
  requireTaken,
  schemeOf,
  type SwapInput,
} from './inputs.js';
import {
  type Operator,
  readOperators,
  readServers,
  readSubgroups,
  type Subgroup,
} from './membership.js';
import { ANSWERED, type Bounds, Patience } from './patience.js';
import type { Waiting } from './progress.js';
import { requireSame, type Wanted } from './same.js';
import type { Commitments } from './scheme.js';
import { callLimit, hostedServers, proveCustody } from './servers.js';
import { type NodeOptions, requireSafeConnection } from './urls.js';

/** A Keyshare network. */
export class Keyshare {
  readonly api: ApiPromise;
  readonly parameters: ChainParameters;
  /** How constraints are read and shown. */
  readonly #text: Required<TextOptions>;
  /** What is allowed of the node. */
  readonly #node: NodeOptions;

  private constructor(
    api: ApiPromise,
    parameters: ChainParameters,
    text: Required<TextOptions>,
    node: NodeOptions,
  ) {
    this.api = api;
    this.parameters = parameters;
    this.#text = text;
    this.#node = node;
  }

  /**
   * Waits for the chain, and checks its name and the protocol's version. Throws `WrongChain`, and
   * `InsecureNode` if the api goes to another machine without encryption, or to where its provider does not
   * tell. Where it goes is looked at again before anything is sealed, and before what a block shows is
   * believed.
   */
  static async connect(api: ApiPromise, options: ConnectOptions = {}): Promise<Keyshare> {
    requireTaken('connect', options);
    const text = { bitcoinNetwork: bitcoinNetworkOf(options) };
    requireSafeConnection(api, options, 'connecting');
    const patience = new Patience(options);
    await patience.race(api.isReady, ANSWERED);
    // Which it is of several is known once it is connected.
    requireSafeConnection(api, options);
    const name = api.runtimeVersion.specName.toString();
    if (name !== 'keyshare') {
      throw new KeyshareError('WrongChain', `the node follows the chain ${name}, not keyshare`);
    }
    const { allowPlaintextNode = false } = options;
    const parameters = await patience.race(readParameters(api), ANSWERED);
    return new Keyshare(api, parameters, text, { allowPlaintextNode });
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
    accountIdOf(this.api, account);
    const view = await readView(this.api, account);
    this.#connected.requireSafe();
    return this.#shown(view);
  }

  /**
   * The same at each new best or final block, until the signal is aborted or the deadline passes.
   */
  watch(account: string, waiting: Bounds = {}): AsyncGenerator<Status> {
    accountIdOf(this.api, account);
    requireTaken('watch', waiting);
    return this.#watch(account, new Patience(waiting));
  }

  async *#watch(account: string, patience: Patience): AsyncGenerator<Status> {
    for await (const view of follow(this.api, account, patience, 'the watch ended')) {
      this.#connected.requireSafe();
      yield this.#shown(view);
    }
  }

  /**
   * Registers a key: publishes its commitments, brings every server its share, and waits until
   * every subgroup has its quorum in a final block. Only then the key may be wiped.
   *
   * An attempt of the same key that is under way is taken up without a signature, so calling this
   * again after an interruption, with nothing but the key, goes on. Throws `ConstraintsDiffer` if
   * constraints or a constraint account are named that are not those on the chain, and `ThresholdDiffers` if
   * a threshold is named that is not that of the key there.
   */
  async register(input: RegisterInput): Promise<Registration> {
    return attempt(this.#connected, input, this.#registration(input));
  }

  /**
   * Replaces the key in force; it stays in force until every subgroup has its quorum. An attempt is taken up
   * as by `register`. The constraints stay as they are.
   */
  async swapKey(input: SwapInput): Promise<Registration> {
    return attempt(this.#connected, input, this.#swap('swapKey'));
  }

  /**
   * Deals the key in force anew: swaps it for itself. Throws `Input` for another key.
   *
   * Shares of the deal before do not go together with the new ones. So it helps after a first
   * operator was dismissed, but only while fewer subgroups of that deal than its threshold are in
   * such hands: with as many, they have the key.
   */
  async reshare(input: SwapInput): Promise<Registration> {
    return attempt(this.#connected, input, this.#swap('reshare'));
  }

  /** What `register` would cost. Signs and sends nothing: of the signer its address is enough. */
  async cost(input: RegisterInput): Promise<Cost> {
    return costOf(this.#connected, input, this.#registration(input));
  }

  /** What `swapKey` would cost; the old key's deposit comes back when the new one is in force. */
  async swapCost(input: SwapInput): Promise<Cost> {
    return costOf(this.#connected, input, this.#swap('swapKey'));
  }

  /** What `reshare` would cost; the same holds for the deposit of the deal before. */
  async reshareCost(input: SwapInput): Promise<Cost> {
    return costOf(this.#connected, input, this.#swap('reshare'));
  }

  /**
   * Gives up the attempt under way; its deposit comes back. Refused if there is none, or if it is completed
   * first.
   */
  async cancel(input: Waiting & { readonly signer: Account }): Promise<Status> {
    requireTaken('cancel', input);
    return this.#make(input, {
      name: 'cancel',
      call: calls.cancel(this.api),
      subject: addressOf(input.signer),
      isDone: (state, { generation, registering }) =>
        state.generation >= generation && !isShown(registering, state),
      whyTooLate: ({ registered }, { registering }) =>
        isSame(registered, registering)
          ? refusal('NotRegistering', 'it came too late, the key of the attempt is in force')
          : undefined,
    });
  }

  /**
   * Removes the key in force and what belongs to it; the deposit for these comes back. Refused if there
   * is none.
   */
  async deregister(input: Waiting & { readonly signer: Account }): Promise<Status> {
    requireTaken('deregister', input);
    return this.#make(input, {
      name: 'deregister',
      call: calls.deregister(this.api),
      subject: addressOf(input.signer),
      // What it removes, and nothing that is begun afterwards.
      isDone: (state, { generation, registered, registering }) =>
        state.generation >= generation &&
        !isShown(registered, state) &&
        !isShown(registering, state),
    });
  }

  /** Replaces a user's constraints; signed by the constraint-modification account. */
  async setConstraints(
    input: ConstraintsInput & { readonly constraints: Constraints },
  ): Promise<Status> {
    requireTaken('setConstraints', input);
    const { account } = input;
    // What is none is not shown as the call's encoding would show it.
    accountIdOf(this.api, account);
    // Which scheme they are for, only the chain knows.
    const wanted = readConstraints(input.constraints, this.#text);
    const encoded = toHex(encodeConstraints(wanted));
    return this.#make(input, {
      name: 'updateConstraints',
      call: encodable(() => calls.updateConstraints(this.api, account, encoded)),
      subject: account,
      isDone: ({ constraints }) =>
        constraints !== null && toHex(encodeConstraints(constraints)) === encoded,
      constraints: wanted,
    });
  }

  /** Hands a user's constraints over to another constraint-modification account. */
  async changeConstraintAccount(
    input: ConstraintsInput & { readonly to: string },
  ): Promise<Status> {
    requireTaken('changeConstraintAccount', input);
    const { account } = input;
    accountIdOf(this.api, account);
    const to = asWritten(this.api, input.to);
    return this.#make(input, {
      name: 'changeConstraintAccount',
      call: encodable(() => calls.changeConstraintAccount(this.api, account, to)),
      subject: account,
      isDone: ({ constraintAccount }) => constraintAccount === to,
    });
  }

  /** Tries every member's endpoint, before anything is signed: what will not work, and why. */
  async tryServers(waiting: Bounds = {}): Promise<Reachability[]> {
    requireTaken('tryServers', waiting);
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
  async challenge(account: string, waiting: Bounds = {}): Promise<Custody[]> {
    requireTaken('challenge', waiting);
    const patience = new Patience(waiting);
    return patience.race(this.#challenge(account, patience.signal), 'every server answered');
  }

  async #challenge(account: string, signal: AbortSignal): Promise<Custody[]> {
    const { registered } = await stateOf(this.api, account);
    if (registered === null) {
      throw new KeyshareError('NotRegistering', 'the account has no key in force');
    }
    const genesis = this.api.genesisHash.toU8a();
    requireConsistent(registered, accountIdOf(this.api, account), genesis, this.parameters);
    // Servers read SS58 alone, and not of every prefix.
    const subject = { ...registered, account: asWritten(this.api, account) };
    const members = await readServers(this.api);
    this.#connected.requireSafe();
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

  /** What attempts are made over. */
  get #connected(): Connected {
    const { api, parameters: chain } = this;
    const requireSafe = () => {
      requireSafeConnection(api, this.#node);
    };
    return { api, chain, requireSafe };
  }

  /** `register`, with its constraints. */
  #registration(input: RegisterInput): Beginning {
    requireInput('register', input);
    const account = input.constraintAccount ?? addressOf(input.signer);
    const constraintAccount = asWritten(this.api, account);
    const options = { ...this.#text, scheme: schemeOf(input) };
    const constraints = readConstraints(input.constraints ?? NO_CONSTRAINTS, options);
    const encoded = toHex(encodeConstraints(constraints));
    const call = (commitments: Commitments) =>
      encodable(() => calls.register(this.api, account, encoded, commitments));
    // The defaults are nobody's wish, until they are signed.
    const requireNamed = this.#requires({
      constraints: input.constraints && constraints,
      constraintAccount: input.constraintAccount && constraintAccount,
    });
    const requireSigned = this.#requires({ constraints, constraintAccount });
    return { name: 'register', constraints, call, requireNamed, requireSigned };
  }

  /** `swap_key`, which leaves the constraints alone. */
  #swap(name: 'swapKey' | 'reshare'): Beginning {
    const call = (commitments: Commitments) => calls.swapKey(this.api, commitments);
    const requireNothing = () => undefined;
    return { name, call, requireNamed: requireNothing, requireSigned: requireNothing };
  }

  #requires(wanted: Wanted): (state: AccountState) => void {
    return (state) => {
      requireSame(wanted, state, this.#text);
    };
  }

  async #make(input: Waiting & { readonly signer: Account }, change: Change): Promise<Status> {
    const { final, finalBlock } = await make(this.#connected, change, input);
    return this.#shown({ block: finalBlock, best: final, finalBlock, final });
  }

  #shown(view: View): Status {
    const { constraints: kept, ...state } = view.best;
    const constraints = kept && showConstraints(kept, this.#text);
    return { ...state, constraints, block: view.block, isFinal: isFinal(view) };
  }
}

/** Makes a call of the caller's input, which may not be encodable. */
function encodable(make: () => Call): Call {
  try {
    return make();
  } catch (cause) {
    if (cause instanceof KeyshareError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new KeyshareError('Input', `the call cannot be encoded: ${reason}`, { cause });
  }
}

/** Whether these are one attempt, or the key that became of it. */
function isSame(one: Registration | null, other: Registration | null): boolean {
  return one !== null && other !== null && equal(one.id, other.id);
}

/** Whether a state shows it still, as an attempt or as the key that became of it. */
function isShown(one: Registration | null, { registering, registered }: AccountState): boolean {
  return isSame(one, registering) || isSame(one, registered);
}
