/** Attempts: a key is dealt for one, which is begun or taken up; and what one would cost. */

import type { ApiPromise } from '@polkadot/api';
import { accountIdOf, asWritten, stateOf } from './accounts.js';
import { equal } from './bytes.js';
import { addressOf, type Call, refusal, requirePossible, requireSigning } from './calls.js';
import {
  type AccountState,
  answer,
  type ChainParameters,
  isThreshold,
  readConfirmationFee,
  readSpendable,
  requireConsistent,
  type Registration,
} from './chain.js';
import { encodeConstraints } from './constraints/codec.js';
import type { ConstraintsV2 } from './constraints/types.js';
import { warningsOf } from './constraints/warnings.js';
import { dealer, type Dealt } from './dealer.js';
import { readDeposit } from './deposit.js';
import { KeyshareError } from './errors.js';
import { type Cost, type KeyInput, requireInput, schemeOf } from './inputs.js';
import { readUnready } from './membership.js';
import { ANSWERED, Patience } from './patience.js';
import { unfailing } from './progress.js';
import { dealtBefore, deliver, isOf } from './register.js';
import type { Commitments } from './scheme.js';
import { submit } from './submit.js';

/** How many earlier generations are tried, to tell a deal made before from another key, as by the tool. */
const GENERATIONS_TRIED = 64;
const DEALT = 'the key was dealt';
const EMPTY = new Uint8Array();

/** A chain that keys are dealt for. */
export interface Connected {
  readonly api: ApiPromise;
  readonly chain: ChainParameters;
  /** Throws `InsecureNode` if the connection is to a node that may not be believed. */
  readonly requireSafe: () => void;
}

/** How an attempt is begun. */
export interface Beginning {
  readonly name: 'register' | 'swapKey' | 'reshare';
  /** The constraints that it sets; absent if it leaves them. */
  readonly constraints?: ConstraintsV2;
  /** The call, but for the commitments. */
  readonly call: (commitments: Commitments) => Call;
  /** Throws `ConstraintsDiffer` unless a state has what the caller names. */
  readonly requireNamed: (state: AccountState) => void;
  /** The same for all that is signed, defaults included. */
  readonly requireSigned: (state: AccountState) => void;
}

/** Begins an attempt, or takes up the one of this key, and completes it. */
export async function attempt(
  connected: Connected,
  input: KeyInput,
  beginning: Beginning,
): Promise<Registration> {
  const { api } = connected;
  const { name, requireNamed, requireSigned } = beginning;
  requireInput(name, input);
  connected.requireSafe();
  const patience = new Patience(input);
  const onProgress = unfailing(input.onProgress);
  const address = addressOf(input.signer);
  // Servers read SS58 alone, and not of every prefix.
  const account = { address: asWritten(api, address), id: accountIdOf(api, address) };
  const following = { ...connected, account, patience, onProgress };
  const before = await patience.race(stateOf(api, address), ANSWERED);
  const { registering, registered } = before;
  const threshold = await patience.race(thresholdOf(connected, input, name, before), DEALT);
  // A key in force may lack some servers still. To swap it for itself is another attempt.
  const withRegistered = name === 'register' || (name === 'swapKey' && input.onlyResume === true);
  const resumable = withRegistered ? [registering, registered] : [registering];
  const late = (resumed: { dealt: Dealt } | undefined) => resumed?.dealt.wipe();
  const resumed = await patience.race(underWay(connected, input, resumable), DEALT, late);
  if (resumed !== undefined) {
    const { dealt, generation } = resumed;
    try {
      requireThreshold(input, dealt.commitments);
      const requireWanted = requireNamed;
      return await deliver({ ...following, dealt, generation, requireWanted, sent: undefined });
    } finally {
      dealt.wipe();
    }
  }
  if (input.onlyResume) {
    throw new KeyshareError('AttemptGone', 'no attempt of this key is under way');
  }
  const callName = name === 'register' ? name : 'swapKey';
  requirePossible(callName, before, account.address, schemeOf(input));
  await patience.race(requireReady(api), ANSWERED);
  requireSigning(input.signer);
  const generation = before.generation + 1;
  const dealing = deal(connected, input, generation, threshold);
  const dealt = await patience.race(dealing, DEALT, (dealt) => {
    dealt.wipe();
  });
  try {
    // A swap leaves those that there are.
    const constraints = beginning.constraints ?? before.constraints;
    const warnings = constraints ? warningsOf(constraints, schemeOf(input)) : [];
    onProgress({ type: 'signing', warnings });
    const call = beginning.call(dealt.commitments);
    const sent = await submit(connected, call, input.signer, patience);
    try {
      onProgress({ type: 'submitted' });
      const requireWanted = requireSigned;
      return await deliver({ ...following, dealt, generation, requireWanted, sent });
    } finally {
      sent.stop();
    }
  } finally {
    dealt.wipe();
  }
}

/** What an attempt would cost. Signs and sends nothing. */
export async function costOf(
  connected: Connected,
  input: KeyInput,
  beginning: Beginning,
): Promise<Cost> {
  const { api } = connected;
  requireInput(beginning.name, input);
  const costs = async () => {
    const address = addressOf(input.signer);
    const before = await stateOf(api, address);
    const threshold = await thresholdOf(connected, input, beginning.name, before);
    const dealt = await deal(connected, input, before.generation + 1, threshold);
    dealt.wipe();
    const call = beginning.call(dealt.commitments);
    const { scheme } = dealt.commitments;
    const constraints = beginning.constraints && encodeConstraints(beginning.constraints);
    const [held, { partialFee }, confirmationFee, spendable] = await Promise.all([
      readDeposit(api, address, { scheme, threshold, constraints }),
      answer(call.paymentInfo(address)),
      readConfirmationFee(api),
      readSpendable(api, address),
    ]);
    const fee = partialFee.toBigInt();
    const total = held.deposit + fee + confirmationFee;
    return { ...held, fee, confirmationFee, total, spendable };
  };
  return new Patience(input).race(costs(), ANSWERED);
}

/**
 * Deals the key. Throws `Input` if the dealer cannot, or deals otherwise than it was asked: what it deals is
 * published, and its number of commitments is the threshold.
 */
async function deal(
  { api, chain }: Connected,
  input: KeyInput,
  generation: number,
  threshold: number,
): Promise<Dealt> {
  // Before anything is signed: without it nothing could be sealed afterwards.
  if ((globalThis.crypto as Partial<Crypto>).subtle === undefined) {
    throw new KeyshareError('InsecureContext', 'this page is not secure: it has no Web Crypto');
  }
  const source = input.dealer ?? dealer(input.scheme, input.key);
  const account = accountIdOf(api, addressOf(input.signer));
  const genesis = api.genesisHash.toU8a();
  try {
    const { subgroups } = chain;
    const dealt = await source.deal({ threshold, subgroups }, { genesis, account, generation });
    const { scheme, elements } = dealt.commitments;
    if (scheme === source.scheme && elements.length === threshold) return dealt;
    dealt.wipe();
    throw new Error(
      `the dealer was asked for a threshold of ${threshold} with ${source.scheme}, and dealt another one`,
    );
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'not a private key';
    throw new KeyshareError('Input', reason, { cause });
  }
}

/**
 * The threshold of a new attempt; by default that of the key in force, as near as the chain allows it, and of
 * a first key the chain's `t`. Throws `Input` if no key can have it, and with `reshare` for another key than
 * the one in force.
 */
async function thresholdOf(
  connected: Connected,
  input: KeyInput,
  name: Beginning['name'],
  { registered }: AccountState,
): Promise<number> {
  const { api, chain } = connected;
  const { threshold: least, subgroups: most } = chain;
  const kept = name === 'register' ? least : (registered?.threshold ?? least);
  const { threshold = Math.min(Math.max(kept, least), most) } = input;
  if (!isThreshold(threshold, chain)) {
    throw new KeyshareError(
      'Input',
      `threshold is a whole number from ${least} to ${most}, not ${String(threshold)}`,
    );
  }
  if (name !== 'reshare') return threshold;
  if (registered === null) throw refusal('NotRegistered', 'the account has no key in force');
  const account = accountIdOf(api, addressOf(input.signer));
  requireConsistent(registered, account, api.genesisHash.toU8a(), chain);
  const dealt = await deal(connected, input, registered.generation, registered.threshold);
  dealt.wipe();
  const { scheme, elements } = dealt.commitments;
  if (scheme !== registered.scheme || !equal(elements[0] ?? EMPTY, registered.publicKey)) {
    throw new KeyshareError(
      'Input',
      'another key is in force: reshare takes that one, swapKey takes another',
    );
  }
  return threshold;
}

/**
 * The shares of what the chain shows, if it is what this very key makes. Throws `DealtBefore` for a deal of
 * an earlier generation, and `Refused` if the attempt of this key was dealt by another program.
 */
async function underWay(
  connected: Connected,
  input: KeyInput,
  shown: (Registration | null)[],
): Promise<{ dealt: Dealt; generation: number } | undefined> {
  const scheme = schemeOf(input);
  for (const one of shown) {
    if (one?.scheme !== scheme) continue;
    const { generation, publicKey, threshold } = one;
    // No deal that the chain takes: with a lower threshold fewer servers would have the key.
    if (!isThreshold(threshold, connected.chain)) continue;
    // The public key is the same for every generation.
    let isThisKey = true;
    // A call made for one generation gets a later one when others come first: those shares have been
    // dealt, and are never dealt twice.
    const last = Math.max(0, generation - GENERATIONS_TRIED);
    for (let tried = generation; isThisKey && tried > last; tried--) {
      const dealt = await deal(connected, input, tried, threshold);
      const isIt = isOf(one, dealt.commitments);
      if (isIt && tried === generation) return { dealt, generation };
      dealt.wipe();
      if (isIt) throw dealtBefore(generation, tried);
      isThisKey = equal(dealt.commitments.elements[0] ?? EMPTY, publicKey);
    }
    if (isThisKey && one.status === 'registering') {
      throw refusal('AlreadyRegistering', 'another program has dealt this key for an attempt');
    }
  }
  return undefined;
}

/** Throws `ThresholdDiffers` if the caller names another threshold than the key has that is there already. */
function requireThreshold({ threshold }: KeyInput, { elements }: Commitments): void {
  if (threshold === undefined || threshold === elements.length) return;
  throw new KeyshareError(
    'ThresholdDiffers',
    `the key is there already, with a threshold of ${elements.length}, not ${threshold}`,
  );
}

/** Throws `Refused` if no member of a subgroup is ready. */
async function requireReady(api: ApiPromise): Promise<void> {
  const unready = await readUnready(api);
  if (unready !== undefined) {
    throw refusal('NoReadyMember', `no member of subgroup ${unready} is ready`);
  }
}
