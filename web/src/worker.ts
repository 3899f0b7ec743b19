/**
 * Where the private key lives: a thread that deals it and seals its shares. It answers with public
 * data and envelopes. No share ever leaves it, and a key only for its owner to save.
 */

import {
  type Addresses,
  addresses,
  type Attempt,
  type Commitments,
  dealer,
  type Dealer,
  type Dealt,
  generateKey,
  type Parameters,
  type Place,
  publicKey,
  type Scheme,
  type SealedShare,
  toHex,
} from '@keyshare/sdk';

/** What the worker is asked. */
export type Request =
  | { readonly ask: 'take'; readonly scheme: Scheme; readonly key: Uint8Array }
  | { readonly ask: 'generate'; readonly scheme: Scheme }
  | { readonly ask: 'reveal' }
  | {
      readonly ask: 'deal';
      /** Which deal it is. */
      readonly deal: number;
      readonly parameters: Parameters;
      readonly attempt: Attempt;
    }
  | {
      readonly ask: 'seal';
      readonly deal: number;
      readonly encryptionKey: Uint8Array;
      readonly place: Place;
    }
  | { readonly ask: 'wipe'; readonly deal: number }
  | { readonly ask: 'forget' };

/** What is public of a key. */
export interface PublicKey {
  readonly publicKey: Uint8Array;
  /** By which people know it. */
  readonly addresses: Addresses[Scheme];
}

/** What it answers, in the order asked. */
export interface Answers {
  take: PublicKey;
  generate: PublicKey;
  /** The key as its owner keeps it: `scheme:hex`. Only for saving a key that was made here. */
  reveal: { text: string };
  deal: { commitments: Commitments };
  seal: SealedShare;
  wipe: null;
  forget: null;
}

let key: { scheme: Scheme; bytes: Uint8Array; dealer: Dealer } | undefined;
/** The last deal: what is asked of an earlier one comes too late, and must not touch it. */
let last: { deal: number; dealt: Dealt } | undefined;

function take(scheme: Scheme, bytes: Uint8Array): PublicKey {
  forget();
  key = { scheme, bytes, dealer: dealer(scheme, bytes) };
  const shown = publicKey(scheme, bytes);
  return { publicKey: shown, addresses: addresses(scheme, shown) };
}

function forget(): null {
  last?.dealt.wipe();
  key?.bytes.fill(0);
  key = last = undefined;
  return null;
}

async function answer(request: Request): Promise<Answers[Request['ask']]> {
  switch (request.ask) {
    case 'take':
      return take(request.scheme, request.key);
    case 'generate':
      return take(request.scheme, generateKey(request.scheme));
    case 'forget':
      return forget();
    case 'wipe':
      if (last?.deal !== request.deal) return null;
      last.dealt.wipe();
      last = undefined;
      return null;
  }
  if (key === undefined) throw new Error('there is no key');
  switch (request.ask) {
    case 'reveal':
      return { text: `${key.scheme}:${toHex(key.bytes).slice(2)}` };
    case 'deal': {
      last?.dealt.wipe();
      last = undefined;
      const dealt = await key.dealer.deal(request.parameters, request.attempt);
      last = { deal: request.deal, dealt };
      return { commitments: dealt.commitments };
    }
    case 'seal':
      if (last?.deal !== request.deal) throw new Error('the key is not dealt');
      return last.dealt.seal(request.encryptionKey, request.place);
  }
}

addEventListener('message', ({ data }: MessageEvent<{ id: number; request: Request }>) => {
  answer(data.request).then(
    (result) => {
      postMessage({ id: data.id, result });
    },
    (error: unknown) => {
      postMessage({ id: data.id, error: error instanceof Error ? error.message : 'failed' });
    },
  );
});
