/** From what callers give to what the chain has, and back. */

import type { Scheme } from '../scheme.js';
import { compareNetworks, constraintsRefusal, requireFees } from './check.js';
import { parseFee, parseRule, showFee, showNetwork, showRule } from './text.js';
import type { Constraints, ConstraintsV2, Messages, TextOptions } from './types.js';
import { at, quoted, wrong } from './wrong.js';

/** For whom constraints are checked. */
export interface CheckOptions extends TextOptions {
  /** The key's. While it is not known, that rules and fees fit it is left open. */
  readonly scheme?: Scheme | undefined;
}

/** With them a key is kept and never used. */
export const NO_CONSTRAINTS: Constraints = { rules: [], fees: [], messages: 'never' };

const MESSAGES: Readonly<Record<Constraints['messages'], Messages['tag']>> = {
  never: 'Never',
  prefixed: 'Prefixed',
  any: 'Any',
};
const MEMBERS = ['rules', 'fees', 'messages'];

/** Whether it is one of the three: callers may be without types. */
export function isMessages(name: unknown): name is Constraints['messages'] {
  return typeof name === 'string' && Object.hasOwn(MESSAGES, name);
}

/**
 * Reads constraints, in the order that the chain wants. Throws `Input` with the reason and the place:
 * of the first text that is wrong, then of what the chain refuses, then `MissingFee`.
 */
export function readConstraints(given: Constraints, options: CheckOptions): ConstraintsV2 {
  requireShape(given);
  const rules = given.rules.map((text, index) =>
    at(`rules[${index}]`, () => parseRule(text, options)),
  );
  const fees = given.fees.map((text, index) => at(`fees[${index}]`, () => parseFee(text)));
  refuseRepeated(
    rules.map(([id]) => String(id)),
    (id, index) =>
      wrong('RepeatedId', `another rule has the id ${id}: choose a free one`, `rules[${index}]`),
  );
  refuseRepeated(
    fees.map(([network]) => showNetwork(network)),
    (network, index) =>
      wrong('RepeatedFee', `${network} has another fee: keep one`, `fees[${index}]`),
  );
  const constraints: ConstraintsV2 = {
    rules: rules.sort(([a], [b]) => a - b),
    fees: fees.sort(([a], [b]) => compareNetworks(a, b)),
    messages: { tag: MESSAGES[given.messages], value: undefined },
    clauses: [],
  };
  const refused = constraintsRefusal(constraints, options.scheme);
  if (refused !== undefined) throw refused;
  requireFees(constraints);
  return constraints;
}

/** Shows constraints as callers get them: rules by number, fees by network. */
export function showConstraints(constraints: ConstraintsV2, options: TextOptions): Constraints {
  return {
    rules: constraints.rules.map((rule) => showRule(rule, options)),
    fees: constraints.fees.map(showFee),
    messages: constraints.messages.tag.toLowerCase() as Constraints['messages'],
  };
}

/**
 * Constraints as the chain will have them. Throws `Input`, with the reason and the place, for what the
 * chain refuses or nobody could use.
 */
export function checkConstraints(
  constraints: Constraints,
  options: CheckOptions = {},
): Constraints {
  return showConstraints(readConstraints(constraints, options), options);
}

/** Throws for the first that is there already. */
function refuseRepeated(
  all: readonly string[],
  refusalOf: (one: string, index: number) => Error,
): void {
  const seen = new Set<string>();
  for (const [index, one] of all.entries()) {
    if (seen.has(one)) throw refusalOf(one, index);
    seen.add(one);
  }
}

/** What types promise, checked for those who have none: what would be left out may be what matters. */
function requireShape(given: unknown): void {
  if (typeof given !== 'object' || given === null) {
    throw wrong('Malformed', 'constraints are an object with rules, fees and messages');
  }
  const other = Object.keys(given).find((name) => !MEMBERS.includes(name));
  if (other !== undefined) {
    throw wrong('Malformed', `constraints have rules, fees and messages, and no ${quoted(other)}`);
  }
  const { rules, fees, messages } = given as Partial<Record<keyof Constraints, unknown>>;
  for (const [name, list] of Object.entries({ rules, fees })) {
    if (!Array.isArray(list) || !list.every((text) => typeof text === 'string')) {
      throw wrong('Malformed', `${name} is an array of texts`);
    }
  }
  if (!isMessages(messages)) {
    throw wrong('Malformed', 'messages is “never”, “prefixed” or “any”');
  }
}
