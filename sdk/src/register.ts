/** Bringing every server its share, and following the attempt until it is registered for good. */

import type { ApiPromise } from '@polkadot/api';
import { equal } from './bytes.js';
import {
  type AccountState,
  type ChainParameters,
  type Coverage,
  finalizedHead,
  requireConsistent,
  type Registration,
} from './chain.js';
import type { Dealt } from './dealer.js';
import { KeyshareError } from './errors.js';
import { follow } from './follow.js';
import { readServers } from './membership.js';
import { type Patience, sleep } from './patience.js';
import type { OnProgress, ServerState } from './progress.js';
import type { Commitments } from './scheme.js';
import { callLimit, type Server, type Subject, submitShare } from './servers.js';
import { Absence, type Sent } from './submit.js';

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 8_000;
/** How long servers that the quorum did not need may still take. */
const GRACE_MS = 5_000;
const WAITING_FOR = 'every subgroup had its quorum in a final block';

/** Work that is done again at the next block, and so may fail while the connection is lost. */
async function whenReachable(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof KeyshareError) || error.name !== 'ChainUnreachable') throw error;
  }
}

/** What the dealer says: it may be its own failure, and not the server's. */
function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** Whether an attempt or key has these commitments. */
export function isOf({ commitments }: Registration, { scheme, elements }: Commitments): boolean {
  return (
    commitments.scheme === scheme &&
    commitments.elements.length === elements.length &&
    commitments.elements.every((element, index) =>
      equal(element, elements[index] ?? new Uint8Array()),
    )
  );
}

/** The attempt under way or the key in force that has these commitments. */
export function shownAs(status: AccountState, commitments: Commitments): Registration | undefined {
  const { registering, registered } = status;
  return (
    [registering, registered].find((one) => one !== null && isOf(one, commitments)) ?? undefined
  );
}

/** The error for a deal that the chain shows under another generation than it was made for. */
export function dealtBefore(shown: number, dealt: number): KeyshareError {
  return new KeyshareError(
    'DealtBefore',
    `attempt ${shown} has the commitments that were dealt for attempt ${dealt}`,
  );
}

/** What is delivered, for whom, and how it is told. */
export interface Delivery {
  readonly api: ApiPromise;
  readonly chain: ChainParameters;
  readonly account: { readonly address: string; readonly id: Uint8Array };
  readonly dealt: Dealt;
  /** The generation that it was dealt for, and the attempt's. */
  readonly generation: number;
  /** The call that begins it; absent if it is taken up. */
  readonly sent: Sent | undefined;
  /** Throws `ConstraintsDiffer` unless a state has the constraints that are wanted. */
  readonly requireWanted: (state: AccountState) => void;
  /** Throws `InsecureNode` if the connection is to a node that may not be believed. */
  readonly requireSafe: () => void;
  readonly patience: Patience;
  readonly onProgress: OnProgress;
}

/**
 * Checks what the chain shows, sends each server its share, and waits until every subgroup has its
 * quorum in a final block. A server that fails holds up nobody else. When the chain leaves the attempt's
 * block and the attempt comes back, its shares are sent again. What the best block shows otherwise than it
 * was dealt and signed gets nothing, and ends nothing either, unless a final block shows it so.
 */
export async function deliver(delivery: Delivery): Promise<Registration> {
  const { api, chain, account, dealt, generation, sent, patience, onProgress } = delivery;
  const { requireWanted, requireSafe } = delivery;
  const { commitments } = dealt;
  // What is taken up was shown already.
  let wasShown = sent === undefined;
  /** Whether a final block has shown it with what is wanted. What comes later, its owners have changed. */
  let wasFinal = false;
  const absence = new Absence();
  let round: Round | undefined;
  try {
    for await (const view of follow(api, account.address, patience, WAITING_FOR, sent)) {
      // A provider with several addresses may have gone to another node, which tells what it likes.
      requireSafe();
      const shown = shownAs(view.best, commitments);
      const settled = shownAs(view.final, commitments);
      if (settled !== undefined) {
        if (settled.generation !== generation) throw dealtBefore(settled.generation, generation);
        if (!wasFinal || settled.status === 'registered') requireOwn(settled);
        if (!wasFinal) requireWanted(view.final);
        wasFinal = true;
        wasShown = true;
      }
      const open = shown !== undefined && isAsDealt(shown, view.best) ? shown : undefined;
      if (round !== undefined && open === undefined) {
        round.stop();
        round = undefined;
        onProgress({ type: 'retracted', block: view.block });
      }
      if (open !== undefined) {
        const { block } = view;
        if (round === undefined) {
          wasShown = true;
          // Checked once: what is sealed and proved in it is for this, whatever a node says then.
          round = new Round(delivery, { ...open, account: account.address });
          onProgress({ type: 'open', registration: open, block });
        }
        onProgress({ type: 'coverage', registration: open, block });
        await patience.race(round.observe(open), WAITING_FOR);
      }
      if (settled?.status === 'registered') {
        onProgress({ type: 'registered', registration: settled });
        await round?.settled(GRACE_MS);
        return settled;
      }
      if (open?.status === 'registering' && settled !== undefined) {
        round?.refuseIfStuck(open, settled);
      }
      const isShown = shown !== undefined || settled !== undefined;
      // What was final is not lost with a block, though another node that is behind lacks it.
      if (sent) await patience.race(sent.check(isShown || wasFinal, view), WAITING_FOR);
      const isPast = view.final.generation >= generation;
      // That its block was left, only the blocks tell: the node's pool does not.
      absence.check(isShown || wasFinal || !wasShown || isPast, view.block);
      if (isShown) continue;
      // While the call is on its way, the generation may be that of another attempt.
      if (isPast && (wasShown || sent?.isFinished === true)) {
        throw new KeyshareError(
          'AttemptGone',
          'the attempt is gone: it expired, or was cancelled or replaced',
        );
      }
      // What was final has done something, though a node that is behind shows nothing of it.
      if (!wasFinal) sent?.checkUnread();
    }
  } finally {
    round?.stop();
  }
  throw new KeyshareError('ChainUnreachable', 'the chain ended');

  function requireOwn(shown: Registration): void {
    requireConsistent(shown, account.id, api.genesisHash.toU8a(), chain);
  }

  /** Whether the best block shows it for the generation that it was dealt for, and with what is wanted. */
  function isAsDealt(shown: Registration, best: AccountState): boolean {
    if (shown.generation !== generation) return false;
    if (round === undefined || !equal(round.id, shown.id)) requireOwn(shown);
    return wasFinal || isWanted(best);
  }

  function isWanted(best: AccountState): boolean {
    try {
      requireWanted(best);
      return true;
    } catch (error) {
      if (error instanceof KeyshareError && error.name === 'ConstraintsDiffer') return false;
      throw error;
    }
  }
}

/** The shares of an attempt on their way, for as long as the best block shows it. */
class Round {
  readonly #delivery: Delivery;
  readonly #subject: Subject;
  readonly #sends = new Map<string, Promise<void>>();
  readonly #servers = new Map<string, Server>();
  readonly #confirmed = new Set<string>();
  readonly #refusals = new Map<string, KeyshareError>();
  readonly #over = new AbortController();
  readonly #signal: AbortSignal;
  readonly #limit = callLimit();

  constructor(delivery: Delivery, subject: Subject) {
    this.#delivery = delivery;
    this.#subject = subject;
    this.#signal = AbortSignal.any([delivery.patience.signal, this.#over.signal]);
  }

  /** The registration id that it is for. */
  get id(): Uint8Array {
    return this.#subject.id;
  }

  /** Sends nothing any more. */
  stop(): void {
    this.#over.abort();
  }

  /** When every server has answered for good, or so much time has passed. */
  async settled(milliseconds: number): Promise<void> {
    const answered = new AbortController();
    void Promise.allSettled(this.#sends.values()).then(() => {
      answered.abort();
    });
    // A timer that is left behind keeps a program running.
    await sleep(milliseconds, AbortSignal.any([this.#signal, answered.signal]));
  }

  /** Sends what the chain shows no confirmation of, and reports the others. */
  async observe(shown: Registration): Promise<void> {
    const confirmed = new Set(shown.coverage.flatMap((coverage) => coverage.confirmed));
    for (const account of this.#confirmed) {
      if (confirmed.has(account)) continue;
      // The block of its confirmation was left. It may have let go of the share with it.
      this.#confirmed.delete(account);
      this.#sends.delete(account);
      this.#refusals.delete(account);
    }
    await whenReachable(this.#startSends(shown, confirmed));
    for (const account of confirmed) {
      const server = this.#servers.get(account);
      if (server === undefined || this.#confirmed.has(account)) continue;
      this.#confirmed.add(account);
      this.#delivery.onProgress({ type: 'server', server, state: 'confirmed' });
    }
  }

  /**
   * Waiting changes nothing if a subgroup lacks its quorum and none of its members is still tried, in the
   * best block and in the final one.
   */
  refuseIfStuck(shown: Registration, final: Registration): void {
    for (const one of final.coverage) {
      const best = shown.coverage.find(({ subgroup }) => subgroup === one.subgroup);
      if (best === undefined || this.#stuck(best) === undefined) continue;
      const missing = this.#stuck(one);
      if (missing === undefined) continue;
      const reason = (member: string) => `${member}: ${this.#refusals.get(member)?.message ?? ''}`;
      const reasons = missing.map(reason).join('; ');
      const message = `subgroup ${one.subgroup} lacks its quorum: ${reasons}`;
      throw new KeyshareError('Incomplete', message);
    }
  }

  /**
   * The members of a subgroup that keep it from its quorum, if all of them refuse. One that has confirmed
   * and is not ready yet may be before long, and then counts.
   */
  #stuck({ members, ready, confirmed, reached }: Coverage): string[] | undefined {
    if (reached || !confirmed.every((member) => ready.includes(member))) return undefined;
    const missing = members.filter((member) => !confirmed.includes(member));
    const isAll = missing.length > 0 && missing.every((one) => this.#refusals.has(one));
    return isAll ? missing : undefined;
  }

  async #startSends(shown: Registration, done: ReadonlySet<string>): Promise<void> {
    const isKnown = (member: string) => this.#sends.has(member);
    if (shown.coverage.every(({ members }) => members.every(isKnown))) return;
    const { api, requireSafe } = this.#delivery;
    const members = await finalMembers(api);
    // A provider with several addresses may have gone to another one meanwhile.
    requireSafe();
    for (const server of members) {
      if (this.#signal.aborted || isKnown(server.account)) continue;
      this.#servers.set(server.account, server);
      // Stored on an earlier run, or by another one: the chain knows.
      const work = done.has(server.account) ? Promise.resolve() : this.#send(server);
      this.#sends.set(server.account, work);
    }
  }

  async #send(server: Server): Promise<void> {
    const { dealt, onProgress } = this.#delivery;
    const [subject, signal] = [this.#subject, this.#signal];
    const report = (state: ServerState, error?: KeyshareError) => {
      if (!signal.aborted && !this.#confirmed.has(server.account))
        onProgress({ type: 'server', server, state, ...(error ? { error } : {}) });
    };
    try {
      const place = { id: subject.id, server: server.accountId, subgroup: server.subgroup };
      const sealed = await dealt.seal(server.encryptionKey, place);
      report('sealed');
      for (let delay = FIRST_DELAY_MS; ; delay = Math.min(delay * 2, LONGEST_DELAY_MS)) {
        try {
          await this.#limit(async () => {
            report('sent');
            await submitShare(server, subject, sealed, signal);
          });
          report('stored');
          return;
        } catch (error) {
          if (!(error instanceof KeyshareError) || !isTemporary(error, subject.generation))
            throw error;
          report('retrying', error);
          // A server's wish is heard, but neither hurries us nor holds us up for long.
          const wish = Math.max(error.retryAfterMs ?? delay, FIRST_DELAY_MS);
          const pause = Math.min(wish, LONGEST_DELAY_MS);
          await sleep(pause * (0.75 + Math.random() / 2), signal);
          if (signal.aborted) return;
        }
      }
    } catch (cause) {
      const error =
        cause instanceof KeyshareError
          ? cause
          : new KeyshareError('Input', `nothing can be sealed for it: ${reasonOf(cause)}`, {
              cause,
            });
      this.#refusals.set(server.account, error);
      report('failed', error);
    }
  }
}

/** Whether the same request may succeed later. A server may not know an attempt yet that we see. */
export function isTemporary(error: KeyshareError, generation: number): boolean {
  switch (error.name) {
    case 'Busy':
    case 'StorageFailed':
    case 'NotFinal':
    case 'NotRegistering':
    case 'ServerUnreachable':
    case 'ServerFailed':
      return true;
    case 'WrongGeneration':
      return (error.generation ?? generation) < generation;
    default:
      return false;
  }
}

/**
 * The members that may be given their share: those whose subgroup is final. A block that is left
 * again may have put one into another subgroup than it will belong to (protocol §7).
 */
export async function finalMembers(api: ApiPromise): Promise<Server[]> {
  const name = ({ subgroup, account }: Server) => `${subgroup} ${account}`;
  const final = new Set((await readServers(api, await finalizedHead(api))).map(name));
  return (await readServers(api)).filter((server) => final.has(name(server)));
}
