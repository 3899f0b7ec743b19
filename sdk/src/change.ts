/** Calls that begin no attempt: signed, sent, and waited for until a final block shows what they do. */

import { asWritten } from './accounts.js';
import type { Connected } from './attempt.js';
import {
  type Account,
  addressOf,
  type Call,
  type CallName,
  requirePossible,
  requireSigning,
} from './calls.js';
import type { AccountState } from './chain.js';
import { constraintsRefusal } from './constraints/check.js';
import type { ConstraintsV2 } from './constraints/types.js';
import { warningsOf } from './constraints/warnings.js';
import { KeyshareError } from './errors.js';
import { type Outcome, readView, settle, type View } from './follow.js';
import { ANSWERED, Patience } from './patience.js';
import { unfailing, type Waiting } from './progress.js';
import { submit } from './submit.js';

/** A call, and what it is to do. */
export interface Change {
  readonly name: Exclude<CallName, 'register' | 'swapKey'>;
  readonly call: Call;
  /** The account whose state it changes; an address. */
  readonly subject: string;
  /** Whether a state shows it done, after what there was before. */
  readonly isDone: (state: AccountState, before: AccountState) => boolean;
  /** Why it can never be done any more, as a final state shows. */
  readonly whyTooLate?: (final: AccountState, before: AccountState) => KeyshareError | undefined;
  /** The constraints that it sets. */
  readonly constraints?: ConstraintsV2;
}

/** Makes a change that is not there yet. Gives the view of the final block that shows it. */
export async function make(
  connected: Pick<Connected, 'api' | 'requireSafe'>,
  change: Change,
  input: Waiting & { readonly signer: Account },
): Promise<View> {
  const { api } = connected;
  const { name, subject, constraints } = change;
  connected.requireSafe();
  const signer = asWritten(api, addressOf(input.signer));
  const patience = new Patience(input);
  const onProgress = unfailing(input.onProgress);
  /** The latest best block that was seen. The next one may be earlier, of a node that is behind. */
  let latest = 0;
  const read = async () => {
    const { best, block } = await patience.race(readView(api, subject), ANSWERED);
    latest = Math.max(latest, block);
    return best;
  };
  let before = await read();
  const outcome = (from: number): Outcome => ({
    isDone: (state) => change.isDone(state, before),
    whyTooLate: (final) => change.whyTooLate?.(final, before),
    from,
  });
  // To remove what is not there is refused, as the chain and the tool do: perhaps it is another account.
  const removes = name === 'cancel' || name === 'deregister';
  while (!removes && change.isDone(before, before)) {
    const there = outcome(latest);
    const done = await settle(connected, subject, there, undefined, patience, onProgress);
    if (done !== undefined) return done;
    // The chain has left the block that had it. The call that made it may be lost with that.
    before = await read();
  }
  requirePossible(name, before, signer);
  const scheme = (before.registered ?? before.registering)?.scheme;
  const refused = constraints && constraintsRefusal(constraints, scheme);
  if (refused !== undefined) throw refused;
  requireSigning(input.signer);
  const warnings = constraints ? warningsOf(constraints, scheme) : [];
  onProgress({ type: 'signing', warnings });
  const sent = await submit(connected, change.call, input.signer, patience, async () => {
    if (!removes) return;
    // The wallet may have asked for long. What it removes is what is there now.
    const now = await read();
    requirePossible(name, now, signer);
    before = now;
  });
  try {
    onProgress({ type: 'submitted' });
    // No block that was there when it was sent has it.
    const made = outcome(latest + 1);
    const done = await settle(connected, subject, made, sent, patience, onProgress);
    if (done === undefined) throw new Error('what was sent is waited for');
    return done;
  } finally {
    sent.stop();
  }
}
