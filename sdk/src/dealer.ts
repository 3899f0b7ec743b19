/**
 * Whoever has the private key: deals it for an attempt, and seals its shares. By default that is
 * this thread; a page gives the work to a Web Worker, and then neither key nor shares ever leave it.
 */

import type { Commitments, Scheme } from './scheme.js';
import { type Place, type SealedShare, sealShare } from './seal.js';
import { type Attempt, type Parameters, splitKey } from './split.js';

/** A private key that can be dealt. */
export interface Dealer {
  readonly scheme: Scheme;
  /** Deals the key; the same key and attempt give the same commitments and shares. */
  deal(parameters: Parameters, attempt: Attempt): Promise<Dealt>;
}

/** A key that has been dealt for one attempt. */
export interface Dealt {
  /** To publish on chain. */
  readonly commitments: Commitments;
  /** Seals the share of `place.subgroup` to a server's X25519 key, 32 bytes. */
  seal(encryptionKey: Uint8Array, place: Place): Promise<SealedShare>;
  /** Overwrites the shares; nothing can be sealed any more. */
  wipe(): void;
}

/** A dealer in this thread. The key stays the caller's, who should overwrite it after use. */
export function dealer(scheme: Scheme, key: Uint8Array): Dealer {
  return {
    scheme,
    // What is no key, or no attempt, is a rejected promise as well.
    // eslint-disable-next-line @typescript-eslint/require-await
    async deal(parameters, attempt) {
      const { commitments, shares } = splitKey(scheme, key, parameters, attempt);
      let isWiped = false;
      return {
        commitments,
        async seal(encryptionKey, place) {
          if (isWiped) throw new Error('the shares were overwritten');
          const share = shares[place.subgroup];
          if (share === undefined) throw new TypeError('there is no such subgroup');
          return sealShare(share, encryptionKey, place);
        },
        wipe() {
          isWiped = true;
          for (const share of shares) share.fill(0);
        },
      };
    },
  };
}
