/**
 * Where the private key lives: a thread that deals it and seals its shares. It answers with public
 * data and envelopes. No share ever leaves it, and a key only for its owner to save.
 */

import {
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
  | { readonly ask: 'deal'; readonly parameters: Parameters; readonly attempt: Attempt }
  | { readonly ask: 'seal'; readonly encryptionKey: Uint8Array; readonly place: Place }
  | { readonly ask: 'wipe' }
  | { readonly ask: 'forget' };

/** What it answers, in the order asked. */
export interface Answers {
  take: { publicKey: Uint8Array };
  generate: { publicKey: Uint8Array };
  /** The key as its owner keeps it: `scheme:hex`. Only for saving a key that was made here. */
  reveal: { text: string };
  deal: { commitments: Commitments };
  seal: SealedShare;
  wipe: null;
  forget: null;
}

let key: { scheme: Scheme; bytes: Uint8Array; dealer: Dealer } | undefined;
let dealt: Dealt | undefined;

function take(scheme: Scheme, bytes: Uint8Array): { publicKey: Uint8Array } {
  forget();
  key = { scheme, bytes, dealer: dealer(scheme, bytes) };
  return { publicKey: publicKey(scheme, bytes) };
}

function forget(): null {
  dealt?.wipe();
  key?.bytes.fill(0);
  key = dealt = undefined;
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
      dealt?.wipe();
      dealt = undefined;
      return null;
  }
  if (key === undefined) throw new Error('there is no key');
  switch (request.ask) {
    case 'reveal':
      return { text: `${key.scheme}:${toHex(key.bytes).slice(2)}` };
    case 'deal':
      dealt?.wipe();
      dealt = await key.dealer.deal(request.parameters, request.attempt);
      return { commitments: dealt.commitments };
    case 'seal':
      if (dealt === undefined) throw new Error('the key is not dealt');
      return dealt.seal(request.encryptionKey, request.place);
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
