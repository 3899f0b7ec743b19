/** State that follows the chain, and work that the user starts. */

import type { Keyshare, OnProgress, Progress, Reachability, Status, Subgroup } from '@keyshare/sdk';
import { useEffect, useRef, useState } from 'preact/hooks';
import { countShares, type ShareCounts } from './share-counts.js';

/** What the chain holds for an account, at every new best or final block; nothing while it is not known. */
export function useStatus(
  keyshare: Keyshare | undefined,
  account: string | undefined,
): { status: Status | undefined; error: unknown } {
  const [status, setStatus] = useState<Status>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    setStatus(undefined);
    setError(undefined);
    if (keyshare === undefined || account === undefined) return;
    const abort = new AbortController();
    void (async () => {
      try {
        const forever = { signal: abort.signal, deadlineMs: 2 ** 31 - 1 };
        for await (const now of keyshare.watch(account, forever)) setStatus(now);
      } catch (problem) {
        if (!abort.signal.aborted) setError(problem);
      }
    })();
    return () => {
      abort.abort();
    };
  }, [keyshare, account]);
  return { status, error };
}

/** What is shown while the best block lacks it: what there was before, until it is final that it is gone. */
export function stillShown<T>(now: T | null, before: T | null, isFinal: boolean): T | null {
  return now ?? (isFinal ? null : before);
}

/** The same from one block to the next. */
export function useStillShown<T>(now: T | null, isFinal: boolean): T | null {
  const before = useRef<T | null>(null);
  before.current = stillShown(now, before.current, isFinal);
  return before.current;
}

/** Reads something now and then; keeps the last answer when one fails. */
function usePolled<T>(
  keyshare: Keyshare | undefined,
  read: (keyshare: Keyshare) => Promise<T>,
  everyMs: number,
): T | undefined {
  const [value, setValue] = useState<T>();
  useEffect(() => {
    if (keyshare === undefined) return;
    let timer: ReturnType<typeof setTimeout>;
    let isGone = false;
    const next = async () => {
      try {
        const now = await read(keyshare);
        if (!isGone) setValue(() => now);
      } catch {
        // The frame of the page says when the connection is lost.
      }
      if (!isGone) timer = setTimeout(() => void next(), everyMs);
    };
    void next();
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [keyshare, read, everyMs]);
  return value;
}

const readSubgroups = (keyshare: Keyshare): Promise<Subgroup[]> => keyshare.subgroups();

/** The subgroups, at about every second block. */
export function useSubgroups(keyshare: Keyshare | undefined): readonly Subgroup[] | undefined {
  return usePolled(keyshare, readSubgroups, 4_000);
}

/** How many shares each server has confirmed, now and then. */
export function useShareCounts(keyshare: Keyshare): ShareCounts | undefined {
  return usePolled(keyshare, countShares, 12_000);
}

const tryServers = (keyshare: Keyshare): Promise<Reachability[]> => keyshare.tryServers();

/** Which servers can be reached from this page, tried again and again. */
export function useReachability(
  keyshare: Keyshare | undefined,
): readonly Reachability[] | undefined {
  return usePolled(keyshare, tryServers, 10_000);
}

const readBestBlock = async ({ api }: Keyshare): Promise<number> =>
  (await api.rpc.chain.getHeader()).number.toNumber();

/** The number of the best block. */
export function useBestBlock(keyshare: Keyshare): number | undefined {
  return usePolled(keyshare, readBestBlock, 1_000);
}

/** What a call is at that is no attempt. */
export function stageOf(progress: Progress): string | undefined {
  switch (progress.type) {
    case 'signing':
      return 'Waiting for your signature';
    case 'submitted':
      return 'Sent; waiting until the chain shows it';
    case 'inBlock':
      return `In block ${progress.block}, not final yet`;
    case 'retracted':
      return 'The chain has left the block that had it. Waiting until another one has it';
    default:
      return undefined;
  }
}

/** How many things that the user started run, after another one began or ended: each counts for itself. */
export function countRunning(before: number, isBegun: boolean): number {
  return isBegun ? before + 1 : before - 1;
}

/** Something the user started. */
export interface Action {
  /** What it is at, or how it ended. */
  readonly stage: string | undefined;
  readonly isRunning: boolean;
  readonly error: unknown;
  run(work: (onProgress: OnProgress) => Promise<unknown>, done: string): void;
}

/** One thing at a time that the user starts; `onBusy` hears when it begins and ends. */
export function useAction(onBusy?: (isBusy: boolean) => void): Action {
  const [stage, setStage] = useState<string>();
  const [isRunning, setRunning] = useState(false);
  const [error, setError] = useState<unknown>();
  return {
    stage,
    isRunning,
    error,
    run(work, done) {
      setError(undefined);
      setRunning(true);
      onBusy?.(true);
      setStage('Preparing');
      work((progress) => {
        setStage((before) => stageOf(progress) ?? before);
      })
        .then(
          () => {
            setStage(done);
          },
          (problem: unknown) => {
            setStage(undefined);
            setError(problem);
          },
        )
        .finally(() => {
          setRunning(false);
          onBusy?.(false);
        });
    },
  };
}
