/** What tests of following a chain share: one account, its key, and what a test hears and changes. */

import type { Signer } from '@polkadot/api/types';
import { afterEach, beforeEach, vi } from 'vitest';
import { fromHex, type Progress } from '../src/index.js';
import { type Account, address, Chain, dealt, keyOf } from './chain.js';

export const account = address('Ferdie');
export const key = keyOf('1');
export const signer = { address: account, signer: {} as Signer };
export const input = { key, scheme: 'ed25519', signer } as const;
/** Long, where time is hurried. */
export const deadlineMs = 4_000;
/** The bytes of constraints that allow nothing. */
export const NOTHING_ALLOWED = fromHex('0x0200000000');
/** Those of constraints that allow a Solana key to sign memos. */
export const MEMOS_ALLOWED = fromHex(
  '0x0204010002020402' + '09000000000000000000000000000000' + '0000',
);

/** An attempt of a key as the chain shows it, or the key in force; by default what is dealt first. */
export function shown(
  generation: number,
  status: 'registering' | 'registered',
  more: {
    signedFor?: number;
    key?: Uint8Array;
    confirmed?: readonly string[];
    /** Who else is a member of the first subgroup. */
    joined?: readonly string[];
  } = {},
): object {
  const isDone = status === 'registered';
  const names = ['Alice', 'Bob', 'Charlie'];
  const { signedFor = 1, confirmed = isDone ? names : [], joined = [] } = more;
  const covered = names.map((name, subgroup) => ({
    members: subgroup === 0 ? [name, ...joined] : [name],
    ready: [name],
    confirmed: confirmed.filter((one) => one === name),
  }));
  return dealt(
    'ed25519',
    more.key ?? key,
    { account, generation, threshold: 2, signedFor },
    isDone ? { registered: null } : { registering: { expiresAt: 300 } },
    covered,
  );
}

/** The account with that, and nothing else. */
export function made(...[generation, status, more]: Parameters<typeof shown>): Account {
  return {
    generation,
    constraints: [account, NOTHING_ALLOWED],
    registered: null,
    registering: null,
    [status]: shown(generation, status, more),
  };
}

/** An account that nothing was done for; of a later generation, it is over. */
export const nothing = (generation = 0): Account => ({
  generation,
  constraints: null,
  registered: null,
  registering: null,
});

/** A chain whose last final block is from before anything. */
export function stalled(before: Account = nothing()): Chain {
  const chain = new Chain();
  chain.account = before;
  chain.stall();
  return chain;
}

/** Hears progress, and makes what comes next of it; `count` is how often its type came. */
export function listener(next: (progress: Progress, count: number) => void = () => undefined) {
  const seen: Progress[] = [];
  const of = (type: Progress['type']) => seen.filter((one) => one.type === type);
  const onProgress = (progress: Progress) => {
    seen.push(progress);
    next(progress, of(progress.type).length);
  };
  return { onProgress, seen, of, types: () => seen.map(({ type }) => type) };
}

/** Whether progress shows the key as registered in a best block. */
export const isRegistered = (progress: Progress): boolean =>
  progress.type === 'coverage' && progress.registration.status === 'registered';

/**
 * Has time pass quickly for the tests of a file, and gives what servers were asked; none answers. A second
 * between two questions for the best block is long, and nothing here is about time.
 */
export function hurried(): { readonly asked: string[] } {
  const servers: { asked: string[] } = { asked: [] };
  let hurrying: ReturnType<typeof setInterval>;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    hurrying = setInterval(() => vi.advanceTimersByTime(500), 2);
    servers.asked = [];
    vi.spyOn(globalThis, 'fetch').mockImplementation((_, init) => {
      servers.asked.push(init?.body as string);
      return Promise.reject(new TypeError('offline'));
    });
  });
  afterEach(() => {
    clearInterval(hurrying);
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
  return servers;
}
