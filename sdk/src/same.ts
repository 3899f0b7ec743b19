/** What the caller names for a key that is there already must be what the chain has. */

import type { AccountState } from './chain.js';
import { encodeConstraints } from './constraints/codec.js';
import { NO_CONSTRAINTS, readConstraints, showConstraints } from './constraints/shape.js';
import type { ConstraintsV2, TextOptions } from './constraints/types.js';
import { equal } from './bytes.js';
import { KeyshareError } from './errors.js';

/** What the caller names; what is absent may be anything. */
export interface Wanted {
  readonly constraints?: ConstraintsV2 | undefined;
  /** As the chain writes it. */
  readonly constraintAccount?: string | undefined;
}

/** Throws `ConstraintsDiffer`, with everything that differs, unless the chain has what is wanted. */
export function requireSame(wanted: Wanted, chain: AccountState, options: TextOptions): void {
  const differences: string[] = [];
  const { constraints, constraintAccount } = wanted;
  const there = chain.constraints ?? readConstraints(NO_CONSTRAINTS, options);
  if (constraints && !equal(encodeConstraints(constraints), encodeConstraints(there))) {
    const [has, wants] = [there, constraints].map((one) => showConstraints(one, options));
    if (has === undefined || wants === undefined) throw new Error('two are shown');
    differences.push(
      ...only(has.rules, wants.rules).map((rule) => `only the chain has the rule “${rule}”`),
      ...only(wants.rules, has.rules).map((rule) => `the chain lacks the rule “${rule}”`),
      ...only(has.fees, wants.fees).map((fee) => `only the chain has the fee “${fee}”`),
      ...only(wants.fees, has.fees).map((fee) => `the chain lacks the fee “${fee}”`),
    );
    if (has.messages !== wants.messages) {
      differences.push(`messages are “${has.messages}” there, not “${wants.messages}”`);
    }
    // As a clause, of which there are none yet.
    if (differences.length === 0) differences.push('the chain has more than words say here');
  }
  if (constraintAccount !== undefined && constraintAccount !== chain.constraintAccount) {
    const owner = chain.constraintAccount ?? 'nobody';
    differences.push(`${owner} may change the constraints there, not ${constraintAccount}`);
  }
  if (differences.length === 0) return;
  throw new KeyshareError(
    'ConstraintsDiffer',
    `the key is there already, with other constraints: ${differences.join('; ')}`,
  );
}

/** What of the first is not in the second. */
function only(first: readonly string[], second: readonly string[]): string[] {
  return first.filter((one) => !second.includes(one));
}
