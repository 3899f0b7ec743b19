/** Signing a call, handing it to the node, and hearing what becomes of it until it is final. */

import type { ApiPromise } from '@polkadot/api';
import type { DispatchError, ExtrinsicStatus } from '@polkadot/types/interfaces';
import type { ISubmittableResult } from '@polkadot/types/types';
import { type Account, addressOf, type Call } from './calls.js';
import { KeyshareError } from './errors.js';
import type { Patience } from './patience.js';

/** How many blocks a call whose block was left has to come into another one. */
const BLOCKS_TO_RETURN = 10;

/**
 * A call that the node has. What is heard of it is bad news only: whether it is done, the chain's state
 * decides, and when nothing is heard any more, that alone.
 */
export class Sent {
  /** Comes when the call cannot become final any more, as far as the node knows; otherwise never. */
  readonly trouble: Promise<KeyshareError>;
  readonly #api: ApiPromise;
  #tell: (trouble: KeyshareError) => void = () => undefined;
  #told: KeyshareError | undefined;
  /** What was told before the view was read that is checked next: an older one may lack the call. */
  #known: KeyshareError | undefined;
  /** What a block refused it for that is not final yet. */
  #refusal: KeyshareError | undefined;
  #isRetracted = false;
  #leftSince: number | undefined;
  #isStopped = false;
  #unsubscribe: (() => void) | undefined;
  #lost: (() => void) | undefined;

  constructor(api: ApiPromise) {
    this.#api = api;
    this.trouble = new Promise((resolve) => {
      this.#tell = (trouble) => {
        this.#told ??= trouble;
        resolve(this.#told);
      };
    });
  }

  /** Hands a signed call over. Throws `Refused` if the pool does not take it. */
  async send(signed: Call): Promise<void> {
    await new Promise<void>((resolve, reject) => {
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
            if (isAnswer(cause)) reject(poolRefusal(cause));
            else if (String(cause).includes('not connected')) reject(unsent(cause));
            // It may be on its way: the chain's state decides.
            else resolve();
          },
        );
      // Nothing more is heard of what was sent. What was not is rejected first.
      this.#lost = () => {
        setTimeout(resolve, 0);
        if (this.#refusal) this.#tell(this.#refusal);
      };
      this.#api.on('disconnected', this.#lost);
    });
  }

  /**
   * Throws what became of the call, unless the best block, numbered `block`, shows its effect: then it
   * waits to be final there. To be called with each new view.
   */
  check(isShown: boolean, block: number): void {
    const known = this.#known;
    this.#known = this.#told;
    if (isShown || !this.#isRetracted) this.#leftSince = undefined;
    if (isShown) return;
    if (known) throw known;
    if (!this.#isRetracted) return;
    this.#leftSince ??= block;
    if (block >= this.#leftSince + BLOCKS_TO_RETURN) {
      throw dropped(`the block that had it was left, and no block has had it since`);
    }
  }

  /** Listens no longer. */
  stop(): void {
    this.#isStopped = true;
    this.#unsubscribe?.();
    if (this.#lost) this.#api.off('disconnected', this.#lost);
  }

  #hear({ status, dispatchError, isError }: ISubmittableResult): void {
    if (this.#isStopped) return;
    if (status.isInBlock || status.isFinalized) {
      this.#isRetracted = false;
      this.#refusal = dispatchError && dispatchRefusal(this.#api, dispatchError);
      if (status.isFinalized && this.#refusal) this.#tell(this.#refusal);
    } else if (status.isRetracted) {
      this.#isRetracted = true;
      // Another block may take it.
      this.#refusal = undefined;
    } else if (isError) {
      this.#tell(dropped(whyDropped(status)));
    }
  }
}

/**
 * Signs a call and hands it to the node. Throws `Rejected` if the signer refuses and `Refused` if the
 * pool does.
 */
export async function submit(
  api: ApiPromise,
  call: Call,
  account: Account,
  patience: Patience,
): Promise<Sent> {
  const signed = await patience.race(sign(api, call, account), 'the call was signed');
  const sent = new Sent(api);
  try {
    await patience.race(sent.send(signed), 'the node had the call');
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

/** Whether the node has answered with an error: JSON-RPC's have a code. */
function isAnswer(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause;
}

async function sign(api: ApiPromise, call: Call, account: Account): Promise<Call> {
  if (typeof account !== 'object') {
    const address = addressOf(account);
    throw new KeyshareError('Input', `${address} alone cannot sign: pass { address, signer }`);
  }
  const isPair = !('signer' in account);
  const [who, options] =
    'signer' in account ? [account.address, { signer: account.signer }] : [account, {}];
  try {
    return await call.signAsync(who, options);
  } catch (cause) {
    // The account's nonce is read first.
    if (!api.isConnected) throw unsent(cause);
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new KeyshareError(isPair ? 'Input' : 'Rejected', `not signed: ${reason}`, { cause });
  }
}

function dispatchRefusal(api: ApiPromise, error: DispatchError): KeyshareError {
  if (error.isToken) {
    const name = error.asToken.type;
    const chainError = `Token.${name}`;
    return new KeyshareError('Refused', `the chain refuses the call: ${name}`, { chainError });
  }
  if (!error.isModule)
    return new KeyshareError('Refused', `the chain refuses the call: ${error.toString()}`);
  const { section, name, docs } = api.registry.findMetaError(error.asModule);
  return new KeyshareError(
    'Refused',
    `the chain refuses the call: ${docs.join(' ').trim()} (${name})`,
    {
      chainError: `${section}.${name}`,
    },
  );
}

function poolRefusal(cause: unknown): KeyshareError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const cannotPay = reason.includes('pay some fees');
  return new KeyshareError('Refused', `the chain refuses the call: ${reason}`, {
    cause,
    ...(cannotPay ? { chainError: 'Payment' } : {}),
  });
}
