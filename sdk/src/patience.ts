/** How long anything is waited for. */

import { KeyshareError } from './errors.js';

/** What is waited for when the chain is only asked. */
export const ANSWERED = 'the chain answered';

/** When waiting ends without a result. */
export interface Bounds {
  /** Gives up everything at once. */
  readonly signal?: AbortSignal;
  /** Gives up after so many milliseconds; 10 minutes by default, and 24 days at most. */
  readonly deadlineMs?: number;
}

/** The longest that a timer takes: with more it would be over at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** Waits, or less if the signal is aborted. */
export async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
  });
}

/** Ends when the caller aborts or the deadline passes. */
export class Patience {
  readonly signal: AbortSignal;
  readonly #caller: AbortSignal | undefined;
  /** Held, because `AbortSignal.any` does not hold what it is made of. */
  readonly #deadline: AbortSignal;

  constructor({ signal, deadlineMs = 600_000 }: Bounds) {
    if (!(deadlineMs >= 0)) {
      throw new KeyshareError('Input', `deadlineMs is no length of time: ${String(deadlineMs)}`);
    }
    this.#caller = signal;
    this.#deadline = AbortSignal.timeout(Math.min(Math.ceil(deadlineMs), LONGEST_MS));
    this.signal = AbortSignal.any([this.#deadline, ...(signal ? [signal] : [])]);
  }

  /** Throws if it is over. */
  check(waitingFor: string): void {
    if (this.signal.aborted) throw this.#over(waitingFor);
  }

  /**
   * Waits for what cannot be stopped. When this is over first, its outcome is dropped: `discard` gets it,
   * however late it comes.
   */
  async race<T>(
    promise: Promise<T>,
    waitingFor: string,
    discard: (late: T) => void = () => undefined,
  ): Promise<T> {
    let over: (() => void) | undefined;
    const ended = new Promise<never>((_, reject) => {
      over = () => {
        reject(this.#over(waitingFor));
      };
      if (this.signal.aborted) over();
      else this.signal.addEventListener('abort', over);
    });
    try {
      return await Promise.race([ended, promise]);
    } catch (error) {
      // It failed itself, or it is late.
      promise.then(discard, () => undefined);
      throw error;
    } finally {
      if (over) this.signal.removeEventListener('abort', over);
    }
  }

  #over(waitingFor: string): KeyshareError {
    return this.#caller?.aborted
      ? new KeyshareError('Aborted', `aborted before ${waitingFor}`)
      : new KeyshareError('DeadlinePassed', `the deadline passed before ${waitingFor}`);
  }
}
