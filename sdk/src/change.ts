/** Calls that begin no attempt: signed, sent, and waited for until a final block shows what they do. */

import { asWritten, stateOf } from './accounts.js';
import type { Connected } from './attempt.js';
import { type Account, addressOf, type Call, type CallName, requirePossible } from './calls.js';
import type { AccountState } from './chain.js';
import { constraintsRefusal } from './constraints/check.js';
import type { ConstraintsV2 } from './constraints/types.js';
import { warningsOf } from './constraints/warnings.js';
import { KeyshareError } from './errors.js';
import { settle, type View } from './follow.js';
import { ANSWERED, Patience } from './patience.js';
import { unfailing, type Waiting } from './progress.js';
import { submit } from './submit.js';

/** A call, and what it is to do. */
export interface Change {
  readonly name: Exclude<CallName, 'register' | 'swapKey'>;
  readonly call: Call;
  /** The account whose state it changes. */
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
  const read = () => patience.race(stateOf(api, subject), ANSWERED);
  let before = await read();
  const outcome = {
    isDone: (state: AccountState) => change.isDone(state, before),
    whyTooLate: (final: AccountState) => change.whyTooLate?.(final, before),
  };
  // To remove what is not there is refused, as the chain and the tool do: perhaps it is another account.
  const removes = name === 'cancel' || name === 'deregister';
  while (!removes && outcome.isDone(before)) {
    const there = await settle(connected, subject, outcome, undefined, patience, onProgress);
    if (there !== undefined) return there;
    // The chain has left the block that had it. The call that made it may be lost with that.
    before = await read();
  }
  requirePossible(name, before, signer);
  const scheme = (before.registered ?? before.registering)?.scheme;
  const refused = constraints && constraintsRefusal(constraints, scheme);
  if (refused !== undefined) throw refused;
  const warnings = constraints ? warningsOf(constraints, scheme) : [];
  onProgress({ type: 'signing', warnings });
  const sent = await submit(api, change.call, input.signer, patience, async () => {
    if (!removes) return;
    // The wallet may have asked for long. What it removes is what is there now.
    const now = await read();
    requirePossible(name, now, signer);
    before = now;
  });
  try {
    onProgress({ type: 'submitted' });
    const done = await settle(connected, subject, outcome, sent, patience, onProgress);
    if (done === undefined) throw new Error('what was sent is waited for');
    return done;
  } finally {
    sent.stop();
  }
}
