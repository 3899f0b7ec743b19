/** The worker that has the private key, seen from the page. */

import type { Dealer, Scheme } from '@keyshare/sdk';
import type { Answers, PublicKey, Request } from './worker.js';

/** How long a thread may take to wipe what it has before it is ended as it is. */
const FORGET_MS = 1_000;

/** One private key, in a thread of its own. */
export class Vault {
  readonly #worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  readonly #waiting = new Map<
    number,
    { resolve: (result: never) => void; reject: (error: Error) => void }
  >();
  #next = 0;
  #deals = 0;
  #failure: Error | undefined;

  constructor() {
    this.#worker.onerror = ({ message }: { message?: string }) => {
      // A script that cannot be fetched has no message.
      const why = message ?? 'it cannot be loaded';
      this.#end(new Error(`The key’s thread failed: ${why}. Load the page again.`));
    };
    this.#worker.onmessage = ({
      data,
    }: MessageEvent<{ id: number; result: never; error?: string }>) => {
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if (data.error === undefined) waiting?.resolve(data.result);
      else waiting?.reject(new Error(data.error));
    };
  }

  /** Hands a key over; `key` is not the page's any more. Gives what is public of it. */
  take(scheme: Scheme, key: Uint8Array): Promise<PublicKey> {
    // A thread that failed gets nothing, and so wipes nothing.
    if (this.#failure) key.fill(0);
    return this.#ask({ ask: 'take', scheme, key }, [key.buffer]);
  }

  /** Makes a new key. Gives what is public of it. */
  generate(scheme: Scheme): Promise<PublicKey> {
    return this.#ask({ ask: 'generate', scheme });
  }

  /** The key's text, for saving one that was made here. */
  async reveal(): Promise<string> {
    return (await this.#ask({ ask: 'reveal' })).text;
  }

  /** Overwrites the key and everything made of it. A thread that failed has ended, and has nothing any more. */
  async forget(): Promise<void> {
    await this.#ask({ ask: 'forget' }).catch(() => undefined);
  }

  /** The same, and ends the thread for good, wiped or not: nothing can be asked of it any more. */
  async close(): Promise<void> {
    await Promise.race([
      this.forget(),
      new Promise<void>((resolve) => setTimeout(resolve, FORGET_MS)),
    ]);
    this.#end(new Error('The key’s thread has ended.'));
  }

  /** Deals the key, in its own thread. */
  dealer(scheme: Scheme): Dealer {
    return {
      scheme,
      deal: async (parameters, attempt) => {
        const { subgroups, threshold } = parameters;
        const deal = this.#deals;
        this.#deals += 1;
        const { commitments } = await this.#ask({
          ask: 'deal',
          deal,
          parameters: { subgroups, threshold },
          attempt,
        });
        return {
          commitments,
          seal: (encryptionKey, place) => this.#ask({ ask: 'seal', deal, encryptionKey, place }),
          wipe: () => void this.#ask({ ask: 'wipe', deal }).catch(() => undefined),
        };
      },
    };
  }

  /** Ends the thread. One that has failed may have the key still, and would answer for nobody. */
  #end(why: Error): void {
    this.#worker.terminate();
    this.#failure ??= why;
    for (const { reject } of this.#waiting.values()) reject(this.#failure);
    this.#waiting.clear();
  }

  #ask<One extends Request>(
    request: One,
    transfer: Transferable[] = [],
  ): Promise<Answers[One['ask']]> {
    if (this.#failure) return Promise.reject(this.#failure);
    const id = this.#next;
    this.#next += 1;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, request }, transfer);
    });
  }
}
