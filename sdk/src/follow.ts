/** Following an account: what the best block shows is news, and only what a final one shows is settled. */

import type { ApiPromise } from '@polkadot/api';
import type { Header } from '@polkadot/types/interfaces';
import { toHex } from './bytes.js';
import {
  type AccountState,
  answer,
  finalizedHead,
  readStatus,
  type Registration,
} from './chain.js';
import { encodeConstraints } from './constraints/codec.js';
import { KeyshareError } from './errors.js';
import { type Patience, sleep } from './patience.js';
import type { OnProgress } from './progress.js';
import type { Sent } from './submit.js';

/** How often the chain is asked whether there is another block. */
const POLL_MS = 1_000;

/** An account, at two blocks. */
export interface View {
  /** The number of the best block. */
  readonly block: number;
  /** What it shows. The chain may leave it again. */
  readonly best: AccountState;
  /** The number of the last final block. */
  readonly finalBlock: number;
  /** What that shows. It stays so. */
  readonly final: AccountState;
}

interface Heads {
  readonly best: { readonly hash: string; readonly number: number };
  readonly final: { readonly hash: string; readonly number: number };
}

async function readHeads(api: ApiPromise, known?: Heads): Promise<Heads> {
  const header = async (hash?: string) => {
    const { getHeader } = api.rpc.chain;
    const read: Header = await answer(hash === undefined ? getHeader() : getHeader(hash));
    return { hash: read.hash.toHex(), number: read.number.toNumber() };
  };
  // First what is final: the best block then is no earlier one.
  const hash = await finalizedHead(api);
  const final =
    known?.final.hash === hash ? known.final : { hash, number: (await header(hash)).number };
  return { final, best: await header() };
}

async function readAt(api: ApiPromise, account: string, { best, final }: Heads): Promise<View> {
  const settled = await readStatus(api, account, final.hash);
  // At that very block: what is read of another one would be told under the number of this.
  const news = best.hash === final.hash ? settled : await readStatus(api, account, best.hash);
  return { block: best.number, best: news, finalBlock: final.number, final: settled };
}

/** An account at the best and the last final block. */
export async function readView(api: ApiPromise, account: string): Promise<View> {
  return readAt(api, account, await readHeads(api));
}

/** Whether what the best block shows is there in the last final one. How far servers are may differ. */
export function isFinal({ best, final }: View): boolean {
  const key = (one: Registration | null) => one && toHex(one.id);
  const constraints = ({ constraints }: AccountState) =>
    constraints && toHex(encodeConstraints(constraints));
  return (
    best.generation === final.generation &&
    key(best.registered) === key(final.registered) &&
    key(best.registering) === key(final.registering) &&
    best.constraintAccount === final.constraintAccount &&
    constraints(best) === constraints(final)
  );
}

/**
 * The views of an account, the first one at once, then at each new best or final block, and once more
 * when there is trouble with the call that was sent.
 */
export async function* follow(
  api: ApiPromise,
  account: string,
  patience: Patience,
  waitingFor: string,
  sent?: Sent,
): AsyncGenerator<View> {
  let last: Heads | undefined;
  let isNews = true;
  const trouble = new AbortController();
  void sent?.trouble.then(() => {
    trouble.abort();
  });
  let waking = AbortSignal.any([patience.signal, trouble.signal]);
  for (;;) {
    patience.check(waitingFor);
    sent?.mark();
    try {
      const heads = await patience.race(readHeads(api, last), waitingFor);
      isNews ||= heads.best.hash !== last?.best.hash || heads.final.hash !== last.final.hash;
      if (isNews) {
        const view = await patience.race(readAt(api, account, heads), waitingFor);
        last = heads;
        isNews = false;
        yield view;
      }
    } catch (error) {
      // A lost connection is made again by the api; the deadline ends it. Nothing else passes.
      if (!(error instanceof KeyshareError) || error.name !== 'ChainUnreachable') throw error;
    }
    await sleep(POLL_MS, waking);
    if (waking !== patience.signal && trouble.signal.aborted) {
      isNews = true;
      waking = patience.signal;
    }
  }
}

/** What a call is to do, as states show it. */
export interface Outcome {
  readonly isDone: (state: AccountState) => boolean;
  /** Why it can never be done any more, as a final state shows. */
  readonly whyTooLate: (final: AccountState) => KeyshareError | undefined;
  /**
   * The first block that can show it. One before it, of a node that is behind, shows what was so earlier,
   * though that looks the same.
   */
  readonly from: number;
}

/**
 * An account at the final block that has a call: others may have changed it since. Nothing as long as that
 * is not heard of, or cannot be read.
 */
async function readOwn(api: ApiPromise, account: string, sent: Sent): Promise<View | undefined> {
  const { finalizedIn: hash } = sent;
  if (hash === undefined) return undefined;
  try {
    const block = (await answer(api.rpc.chain.getHeader(hash))).number.toNumber();
    const final = await readStatus(api, account, hash);
    return { block, best: final, finalBlock: block, final };
  } catch (error) {
    // It is read again with the next view.
    if (error instanceof KeyshareError && error.name === 'ChainUnreachable') return undefined;
    throw error;
  }
}

/**
 * Waits until a final block shows what was asked for, and gives the view of it. What the best block shows
 * is told, and so is that it does not any more. What another call has changed again was done all the same, if
 * the block of the call shows it. If nothing was sent, that is the end: gives nothing.
 */
export async function settle(
  { api, requireSafe }: { readonly api: ApiPromise; readonly requireSafe: () => void },
  account: string,
  { isDone, whyTooLate, from }: Outcome,
  sent: Sent | undefined,
  patience: Patience,
  onProgress: OnProgress,
): Promise<View | undefined> {
  const waitingFor = 'the change was final';
  /** The best block that showed it first. Before it, a final one shows what was so earlier. */
  let since: number | undefined;
  for await (const view of follow(api, account, patience, waitingFor, sent)) {
    // A provider with several addresses may have gone to another node, which tells what it likes.
    requireSafe();
    // What it lacks was not taken back.
    if (sent === undefined && view.block < from) continue;
    const isShown = view.block >= from && isDone(view.best);
    const first = since;
    if (isShown) since ??= view.block;
    if (since !== undefined && view.finalBlock >= since && isDone(view.final)) return view;
    const tooLate = whyTooLate(view.final);
    if (tooLate !== undefined) throw tooLate;
    if (isShown && first === undefined) onProgress({ type: 'inBlock', block: view.block });
    if (!isShown && first !== undefined) {
      since = undefined;
      onProgress({ type: 'retracted', block: view.block });
    }
    if (sent) await patience.race(sent.check(isShown, view), waitingFor);
    if (isShown) continue;
    if (sent === undefined) return undefined;
    const own = await patience.race(readOwn(api, account, sent), waitingFor);
    if (own !== undefined && isDone(own.final)) return own;
    sent.checkUnread();
    if (own === undefined) continue;
    throw new KeyshareError(
      'Refused',
      'the call is in a final block, and did not change what it was to: another call in there did so after it; look at the status',
    );
  }
  throw new KeyshareError('ChainUnreachable', 'the chain ended');
}
