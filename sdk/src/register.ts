/** Bringing every server its share, and following the attempt until it is registered. */

import type { ApiPromise } from '@polkadot/api';
import { equal } from './bytes.js';
import {
  type AccountState,
  type ChainParameters,
  finalizedHead,
  readStatus,
  requireConsistent,
  type Registration,
} from './chain.js';
import type { Dealt } from './dealer.js';
import { KeyshareError } from './errors.js';
import { readServers } from './membership.js';
import { type Bounds, type Patience, sleep } from './patience.js';
import { callLimit, type Server, type Subject, submitShare } from './servers.js';
import type { Commitments } from './scheme.js';

/** How far one server has come. */
export type ServerState = 'sealed' | 'sent' | 'retrying' | 'stored' | 'failed' | 'confirmed';

/** Something that was observed: an answer of a server, or state read from the chain. */
export type Progress =
  /** The call waits for its signature. */
  | { readonly type: 'signing' }
  /** The call was signed and handed to the node. */
  | { readonly type: 'submitted' }
  /** The chain shows the attempt, exactly as this key makes it. */
  | { readonly type: 'open'; readonly registration: Registration }
  /** One server came further; `error` says why it failed or is asked again. */
  | {
      readonly type: 'server';
      readonly server: Server;
      readonly state: ServerState;
      readonly error?: KeyshareError;
    }
  /** The state of the attempt at a new block. */
  | { readonly type: 'coverage'; readonly registration: Registration }
  /** The chain shows the key as registered. */
  | { readonly type: 'registered'; readonly registration: Registration };

/**
 * Where progress goes. What it throws is its own affair: it goes to the console, and the registration
 * goes on.
 */
export type OnProgress = (progress: Progress) => void;

/** What every wait is bound by, and where progress goes. */
export interface Waiting extends Bounds {
  readonly onProgress?: OnProgress;
}

/** A caller's listener that can fail without stopping what it listens to, or the whole process. */
export function unfailing(onProgress: OnProgress | null | undefined): OnProgress {
  const complain = (error: unknown) => {
    console.error('onProgress failed:', error);
  };
  // It may be an async function all the same.
  const listener: (progress: Progress) => unknown = onProgress ?? (() => undefined);
  return (progress) => {
    try {
      Promise.resolve(listener(progress)).catch(complain);
    } catch (error) {
      complain(error);
    }
  };
}

const POLL_MS = 1_000;
const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 8_000;
/** How long servers that the quorum did not need may still take. */
const GRACE_MS = 5_000;
const WAITING_FOR = 'every subgroup had its quorum';

/** The state of an account at each new best block, the first one at once. */
export async function* follow(
  api: ApiPromise,
  account: string,
  patience: Patience,
  waitingFor: string,
): AsyncGenerator<AccountState> {
  let last: string | undefined;
  for (;;) {
    patience.check(waitingFor);
    try {
      const best = await patience.race(api.rpc.chain.getBlockHash(), waitingFor);
      if (best.toHex() !== last) {
        const status = await patience.race(readStatus(api, account), waitingFor);
        last = best.toHex();
        yield status;
      }
    } catch (error) {
      // A lost connection is made again by the api; the deadline ends it.
      if (error instanceof KeyshareError && error.name !== 'ChainUnreachable') throw error;
    }
    await patience.sleep(POLL_MS);
  }
}

/** Work that is done again at the next block, and so may fail while the connection is lost. */
async function whenReachable(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof KeyshareError) || error.name !== 'ChainUnreachable') throw error;
  }
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

/**
 * Checks what the chain shows, sends each server its share, and waits until every subgroup has its
 * quorum. A server that fails holds up nobody else. `generation` is the attempt's, as the chain
 * showed it.
 */
export async function deliver(
  api: ApiPromise,
  account: { readonly address: string; readonly id: Uint8Array },
  chain: ChainParameters,
  dealt: Dealt,
  generation: number,
  patience: Patience,
  onProgress: OnProgress,
): Promise<Registration> {
  const genesis = api.genesisHash.toU8a();
  const sends = new Map<string, Promise<void>>();
  const servers = new Map<string, Server>();
  const confirmed = new Set<string>();
  const refusals = new Map<string, KeyshareError>();
  const over = new AbortController();
  const signal = AbortSignal.any([patience.signal, over.signal]);
  const limit = callLimit();
  // Checked once: what is sealed and proved later is for this, whatever a node says then.
  let subject: Subject | undefined;
  try {
    for await (const status of follow(api, account.address, patience, WAITING_FOR)) {
      const shown = shownAs(status, dealt.commitments);
      if (shown === undefined) {
        await whenReachable(
          patience.race(
            refuseIfGone(api, account.address, dealt.commitments, generation),
            WAITING_FOR,
          ),
        );
        continue;
      }
      if (subject === undefined) {
        requireConsistent(shown, account.id, genesis, chain);
        subject = { ...shown, account: account.address };
        onProgress({ type: 'open', registration: shown });
      }
      onProgress({ type: 'coverage', registration: shown });
      await whenReachable(patience.race(startSends(shown, subject), WAITING_FOR));
      reportConfirmed(shown);
      if (shown.status === 'registered') {
        onProgress({ type: 'registered', registration: shown });
        await Promise.race([Promise.allSettled(sends.values()), patience.sleep(GRACE_MS)]);
        return shown;
      }
      refuseIfStuck(shown, refusals);
    }
  } finally {
    over.abort();
  }
  throw new KeyshareError('ChainUnreachable', 'the chain ended');

  async function startSends(shown: Registration, subject: Subject): Promise<void> {
    const done = new Set(shown.coverage.flatMap((coverage) => coverage.confirmed));
    const unknown = shown.coverage.some((one) => one.members.some((member) => !sends.has(member)));
    if (!unknown) return;
    for (const server of await finalMembers(api)) {
      if (sends.has(server.account)) continue;
      servers.set(server.account, server);
      // Stored on an earlier run, or by another one: the chain knows.
      const work = done.has(server.account) ? Promise.resolve() : send(server, subject);
      sends.set(server.account, work);
    }
  }

  function reportConfirmed(shown: Registration): void {
    for (const account of shown.coverage.flatMap((coverage) => coverage.confirmed)) {
      const server = servers.get(account);
      if (server === undefined || confirmed.has(account)) continue;
      confirmed.add(account);
      onProgress({ type: 'server', server, state: 'confirmed' });
    }
  }

  async function send(server: Server, subject: Subject): Promise<void> {
    const report = (state: ServerState, error?: KeyshareError) => {
      if (!signal.aborted && !confirmed.has(server.account))
        onProgress({ type: 'server', server, state, ...(error ? { error } : {}) });
    };
    try {
      const place = { id: subject.id, server: server.accountId, subgroup: server.subgroup };
      const sealed = await dealt.seal(server.encryptionKey, place);
      report('sealed');
      for (let delay = FIRST_DELAY_MS; ; delay = Math.min(delay * 2, LONGEST_DELAY_MS)) {
        try {
          await limit(async () => {
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
          : new KeyshareError('Input', 'nothing can be sealed to its key', { cause });
      refusals.set(server.account, error);
      report('failed', error);
    }
  }
}

/** Whether the same request may succeed later. A server may not know an attempt yet that we see. */
function isTemporary(error: KeyshareError, generation: number): boolean {
  switch (error.name) {
    case 'Busy':
    case 'StorageFailed':
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

/** A best block without the attempt may be a fork that is left again; a finalized one is not. */
async function refuseIfGone(
  api: ApiPromise,
  account: string,
  commitments: Commitments,
  generation: number,
): Promise<void> {
  const status = await readStatus(api, account, await finalizedHead(api));
  if (status.generation >= generation && shownAs(status, commitments) === undefined) {
    throw new KeyshareError(
      'AttemptGone',
      'the attempt is gone: it expired, or was cancelled or replaced',
    );
  }
}

/**
 * Waiting changes nothing if a subgroup lacks its quorum and none of its members is still tried. One
 * that has confirmed and is not ready yet may be before long, and then counts.
 */
function refuseIfStuck(shown: Registration, refusals: ReadonlyMap<string, KeyshareError>): void {
  for (const { subgroup, members, ready, confirmed, reached } of shown.coverage) {
    if (reached || !confirmed.every((member) => ready.includes(member))) continue;
    const missing = members.filter((member) => !confirmed.includes(member));
    if (missing.length === 0 || !missing.every((one) => refusals.has(one))) continue;
    const reasons = missing.map((one) => `${one}: ${refusals.get(one)?.message ?? ''}`).join('; ');
    throw new KeyshareError('Incomplete', `subgroup ${subgroup} lacks its quorum: ${reasons}`);
  }
}
