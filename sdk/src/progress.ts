/** What callers are told while they wait, and how they say for how long. */

import type { Registration } from './chain.js';
import type { Warning } from './constraints/warnings.js';
import type { KeyshareError } from './errors.js';
import type { Bounds } from './patience.js';
import type { Server } from './servers.js';

/** How far one server has come. */
export type ServerState = 'sealed' | 'sent' | 'retrying' | 'stored' | 'failed' | 'confirmed';

/**
 * Something that was observed: an answer of a server, or state read from the chain. What a best block
 * shows is news and no more, for the chain may leave the block again: `retracted` tells that it did.
 */
export type Progress =
  /**
   * The call waits for its signature. `warnings` are of the constraints that it sets, or with a swap leaves:
   * what they open that is more than they say. Abort before the listener returns, and nothing is signed: it
   * is not waited for.
   */
  | { readonly type: 'signing'; readonly warnings: readonly Warning[] }
  /** The call was signed, and the node has it, unless the connection was lost just then. */
  | { readonly type: 'submitted' }
  /** The best block, `block`, shows what was asked for. It is not final yet. */
  | { readonly type: 'inBlock'; readonly block: number }
  /** The best block shows the attempt, exactly as this key makes it. */
  | { readonly type: 'open'; readonly registration: Registration; readonly block: number }
  /** One server came further; `error` says why it failed or is asked again. */
  | {
      readonly type: 'server';
      readonly server: Server;
      readonly state: ServerState;
      readonly error?: KeyshareError;
    }
  /** The attempt at a new best block. Registered in it is not final yet. */
  | { readonly type: 'coverage'; readonly registration: Registration; readonly block: number }
  /**
   * The best block, `block`, does not show any more what `inBlock`, `open` or `coverage` told. If it comes
   * back, that is told again, and servers get their shares again.
   */
  | { readonly type: 'retracted'; readonly block: number }
  /** A final block shows the key as registered. */
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
