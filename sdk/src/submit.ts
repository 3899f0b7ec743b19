/** Signing a call, handing it to the node, and hearing what becomes of it until it is final. */

import type { ApiPromise } from '@polkadot/api';
import type { BlockNumber, DispatchError, ExtrinsicStatus } from '@polkadot/types/interfaces';
import type { ISubmittableResult } from '@polkadot/types/types';
import type { Signer } from '@polkadot/api/types';
import type { Connected } from './attempt.js';
import type { Call, Signing } from './calls.js';
import { answer } from './chain.js';
import { KeyshareError } from './errors.js';
import type { View } from './follow.js';
import type { Patience } from './patience.js';

/** How many blocks a call whose block was left has to come into another one. */
const BLOCKS_TO_RETURN = 10;

/** How a pool says that it has the call already, and that it has another with the same number. */
const ON_ITS_WAY = new Set<unknown>([1013, 1014]);

/** How it says that it takes none for now. */
const FOR_NOW = new Map<unknown, string>([
  [1012, 'Banned'],
  [1016, 'PoolFull'],
]);

/** What is waited for once the call was given to the connection. */
const TAKEN = 'the node said that it has the call, which may still get on chain';

/** Why a pool takes no call: the runtime's words, and its names for them. */
const POOL_REFUSALS = [
  ['pay some fees', 'Payment'],
  ['outdated', 'Stale'],
  ['bad signature', 'BadProof'],
  ['ancient birth block', 'AncientBirthBlock'],
] as const;

/** How long the best block lacks what an earlier one has shown. */
export class Absence {
  #since: number | undefined;

  /** Throws `Dropped` when the best block, numbered `block`, lacks it for so long that it will hardly return. */
  check(isShown: boolean, block: number): void {
    if (isShown) {
      this.#since = undefined;
      return;
    }
    this.#since ??= block;
    if (block < this.#since + BLOCKS_TO_RETURN) return;
    throw dropped('the block that had it was left, and no block has had it since');
  }
}

/** What polkadot.js says of a call; its type lacks the number of the block. */
type Result = ISubmittableResult & { readonly blockNumber?: BlockNumber };

/** What is heard of a call. */
interface News {
  /** Why it cannot become final any more, as far as the node knows, or has failed in a final block. */
  readonly trouble?: KeyshareError;
  /** Whether nothing more will be heard: a final block has it, or it was lost from sight. */
  readonly isFinished?: boolean;
  /** The hash of the final block that has it. */
  readonly finalizedIn?: string;
  /** Why it cannot be read whether it has failed in the final block that has it. */
  readonly unread?: Error;
}

/** A block that has a call. */
interface Inclusion {
  /** Its number; nothing if polkadot.js could not read it. */
  readonly block: number | undefined;
  readonly hash: string;
  /** Why the block's state refused it. */
  readonly refusal?: KeyshareError | undefined;
}

/**
 * A call that the node has. What is heard of it is bad news only: whether it is done, the chain's state
 * decides, and when nothing is heard any more, that alone.
 */
export class Sent {
  /** Comes when the call cannot become final any more, as far as the node knows; otherwise never. */
  readonly trouble: Promise<KeyshareError>;
  readonly #api: ApiPromise;
  #tell: (trouble: KeyshareError) => void = () => undefined;
  #heard: News = {};
  /** What was heard before the view was read that is checked next: an older one may lack the call. */
  #marked: News = {};
  /** The last block that was heard to have it. */
  #inclusion: Inclusion | undefined;
  #isRetracted = false;
  readonly #absence = new Absence();
  #isLost = false;
  #isStopped = false;
  #unsubscribe: (() => void) | undefined;
  #lost: (() => void) | undefined;

  constructor(api: ApiPromise) {
    this.#api = api;
    this.trouble = new Promise((resolve) => {
      this.#tell = (told) => {
        const { trouble = told } = this.#heard;
        this.#heard = { ...this.#heard, trouble };
        resolve(trouble);
      };
    });
  }

  /** Hands a signed call over. Throws `Refused` if the pool does not take it, `Input` if it cannot be sent. */
  async send(signed: Call): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      // What was not sent is rejected first.
      this.#lost = () => {
        this.#lose();
        setTimeout(resolve, 0);
      };
      this.#api.on('disconnected', this.#lost);
      signed
        .send((result) => {
          this.#hear(result);
        })
        .then(
          (unsubscribe) => {
            if (this.#isStopped) unsubscribe();
            else this.#unsubscribe = unsubscribe;
            resolve();
          },
          (cause: unknown) => {
            if (isAnswer(cause)) reject(notTaken(cause));
            else if (isUnconnected(cause)) reject(unsent(cause));
            else if (this.#isLost || isUnanswered(cause)) {
              // It may be on its way: the chain's state decides.
              this.#lose();
              resolve();
            } else reject(unsendable(cause));
          },
        );
    });
  }

  /** To be called before each view is read: what was heard by then, that view cannot be too old for. */
  mark(): void {
    this.#marked = this.#heard;
  }

  /** Whether nothing more will be heard of the call. */
  get isFinished(): boolean {
    return this.#marked.isFinished === true;
  }

  /** The hash of the final block that has the call, once that is known. */
  get finalizedIn(): string | undefined {
    return this.#marked.finalizedIn;
  }

  /**
   * Throws what became of the call, unless the best block shows its effect: then it waits to be final
   * there. To be called with each new view.
   */
  async check(isShown: boolean, { block, finalBlock }: View): Promise<void> {
    if (!isShown) {
      if (this.#marked.trouble) throw this.#marked.trouble;
      await this.#lookBack(finalBlock);
    }
    this.#absence.check(isShown || !this.#isRetracted, block);
  }

  /** Throws `Refused` if a final block has the call and nobody can say why it did nothing. */
  checkUnread(): void {
    const cause = this.#marked.unread;
    if (cause === undefined) return;
    throw new KeyshareError(
      'Refused',
      'the chain refuses the call: a final block has it, and why it did nothing cannot be read',
      { cause },
    );
  }

  /** Nothing more is heard of it: the connection was lost, or the node does not answer. */
  #lose(): void {
    this.#isLost = true;
    this.#heard = { ...this.#heard, isFinished: true };
  }

  /** Listens no longer. */
  stop(): void {
    this.#isStopped = true;
    this.#unsubscribe?.();
    if (this.#lost) this.#api.off('disconnected', this.#lost);
  }

  /**
   * Whether the chain has the block still that had the call: nobody tells when it was left. Nor that it is final,
   * if nothing more is heard: then throws what it refused the call for.
   */
  async #lookBack(finalBlock: number): Promise<void> {
    const { refusal, block, hash } = this.#inclusion ?? {};
    if (block === undefined) return;
    let now: string;
    try {
      now = (await answer(this.#api.rpc.chain.getBlockHash(block))).toHex();
    } catch {
      // It is asked for again with the next view.
      return;
    }
    this.#isRetracted = now !== hash;
    if (this.#isRetracted || !this.#isLost || finalBlock < block) return;
    if (refusal !== undefined) throw refusal;
    this.#heard = { ...this.#heard, finalizedIn: hash };
  }

  #hear({ status, dispatchError, internalError, isError, blockNumber }: Result): void {
    if (this.#isStopped) return;
    if (status.isInBlock || status.isFinalized) {
      this.#isRetracted = false;
      const refusal = dispatchError && dispatchRefusal(dispatchError);
      const hash = (status.isInBlock ? status.asInBlock : status.asFinalized).toHex();
      this.#inclusion = { block: blockNumber?.toNumber(), hash, refusal };
      if (!status.isFinalized) return;
      const unread = internalError && { unread: internalError };
      this.#heard = { ...this.#heard, ...unread, finalizedIn: hash, isFinished: true };
      if (refusal) this.#tell(refusal);
    } else if (status.isRetracted) {
      this.#isRetracted = true;
      // Another block may take it.
      this.#inclusion = undefined;
    } else if (isError) {
      this.#tell(dropped(whyDropped(status)));
    }
  }
}

/**
 * Signs a call and hands it to the node, if what is looked at in between lets it. Throws `Rejected` if the
 * signer refuses, `Refused` if the pool does, and `InsecureNode` if the node may not be believed.
 */
export async function submit(
  { api, requireSafe }: Pick<Connected, 'api' | 'requireSafe'>,
  call: Call,
  account: Signing,
  patience: Patience,
  onSigned: () => Promise<void> = () => Promise.resolve(),
): Promise<Sent> {
  // Whoever is told that it is to be signed may have ended it.
  patience.check('the call was signed');
  requireSafe();
  const signed = await patience.race(sign(call, account), 'the call was signed');
  await onSigned();
  // A provider with several addresses may have gone to another node while the wallet asked.
  requireSafe();
  const sent = new Sent(api);
  try {
    await patience.race(sent.send(signed), TAKEN);
    return sent;
  } catch (error) {
    sent.stop();
    throw error;
  }
}

function whyDropped(status: ExtrinsicStatus): string {
  if (status.isDropped) return 'the node’s pool is full, and let it go';
  if (status.isUsurped) return 'another call of the account, with the same number, took its place';
  if (status.isFinalityTimeout) return 'the block that has it did not become final in time';
  return 'it is valid no more: its time is over, or another call of the account came before it';
}

function dropped(why: string): KeyshareError {
  return new KeyshareError('Dropped', `the call was dropped before it was final: ${why}`);
}

function unsent(cause: unknown): KeyshareError {
  return new KeyshareError('ChainUnreachable', 'the chain was lost before the call was sent', {
    cause,
  });
}

function unsendable(cause: unknown): KeyshareError {
  return new KeyshareError('Input', `the call cannot be sent: ${reasonOf(cause)}`, { cause });
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** Whether the connection was lost, or the node did not answer in time: in the words of polkadot.js. */
function isUnanswered(cause: unknown): boolean {
  return /^(disconnected from|No response received) /.test(reasonOf(cause));
}

/** Whether there was no connection. */
function isUnconnected(cause: unknown): boolean {
  return reasonOf(cause).includes('not connected');
}

/** Whether the node has answered with an error: JSON-RPC's have a code. */
function isAnswer(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause;
}

async function sign(call: Call, account: Signing): Promise<Call> {
  const wallet = { isAsked: false };
  const isWallet = 'signer' in account;
  try {
    if (!isWallet) return await call.signAsync(account);
    return await call.signAsync(account.address, { signer: asking(account.signer, wallet) });
  } catch (cause) {
    // What is signed is read of the chain first: the account's nonce, and a block.
    if (!wallet.isAsked && (isAnswer(cause) || isUnconnected(cause) || isUnanswered(cause))) {
      const message = 'the chain was lost, or its node failed, before the call was signed';
      throw new KeyshareError('ChainUnreachable', message, { cause });
    }
    const name = isWallet ? 'Rejected' : 'Input';
    throw new KeyshareError(name, `not signed: ${reasonOf(cause)}`, { cause });
  }
}

/**
 * The same signer, and it is noted when the wallet is asked: what fails from then on is the wallet's affair,
 * whatever its words and codes are.
 */
function asking(signer: Signer, wallet: { isAsked: boolean }): Signer {
  // Not over the signer itself, which may be frozen.
  return new Proxy(
    {},
    {
      get: (_, name) => {
        wallet.isAsked = true;
        const part: unknown = Reflect.get(signer, name);
        // Its private fields are its own.
        return typeof part === 'function' ? (part.bind(signer) as unknown) : part;
      },
    },
  );
}

function dispatchRefusal(error: DispatchError): KeyshareError {
  if (error.isToken) {
    const name = error.asToken.type;
    const chainError = `Token.${name}`;
    return new KeyshareError('Refused', `the chain refuses the call: ${name}`, { chainError });
  }
  if (error.isModule) {
    try {
      // In the words of the block's own runtime.
      const { section, name, docs } = error.registry.findMetaError(error.asModule);
      return new KeyshareError(
        'Refused',
        `the chain refuses the call: ${docs.join(' ').trim()} (${name})`,
        { chainError: `${section}.${name}` },
      );
    } catch {
      // It has none for it.
    }
  }
  return new KeyshareError('Refused', `the chain refuses the call: ${error.toString()}`);
}

/** Why a node has answered that it does not take a call: its pool refuses it, or it fails itself. */
function notTaken(cause: unknown): KeyshareError {
  const { code } = cause as { code?: unknown };
  const reason = reasonOf(cause);
  if (!isOfPool(code)) {
    return new KeyshareError('ChainUnreachable', `the node failed at the call: ${reason}`, {
      cause,
    });
  }
  if (ON_ITS_WAY.has(code)) {
    return new KeyshareError(
      'Refused',
      'an earlier call of this account is on its way, and the node’s pool takes none beside it',
      { cause, chainError: 'OnItsWay' },
    );
  }
  const passing = FOR_NOW.get(code);
  if (passing !== undefined) {
    const message = `the node’s pool does not take the call for now: ${reason}`;
    return new KeyshareError('Refused', message, { cause, chainError: passing });
  }
  const chainError = POOL_REFUSALS.find(([words]) => reason.includes(words))?.[1];
  return new KeyshareError('Refused', `the chain refuses the call: ${reason}`, {
    cause,
    ...(chainError ? { chainError } : {}),
  });
}

/** Whether an error's code is one of the pool's. */
function isOfPool(code: unknown): boolean {
  return typeof code === 'number' && code >= 1010 && code <= 1021;
}
