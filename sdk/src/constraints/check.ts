/** What the chain demands of constraints, and what clients demand beside it (protocol §2). */

import type { KeyshareError } from '../errors.js';
import type { Scheme } from '../scheme.js';
import { hasAddress } from './recipient.js';
import { networkOf, showNetwork, showRule } from './text.js';
import type { ConstraintsV2, Fee, Network, NumberedRule, Rule } from './types.js';
import { wrong } from './wrong.js';

const MOST_RULES = 256;
const MOST_FEES = 16;

const ORDER = ['Evm', 'Bitcoin', 'Solana'];

/** The scheme of the keys that are used there. */
function schemeOf(network: Network): Scheme {
  return network.tag === 'Solana' ? 'ed25519' : 'secp256k1';
}

/** Which of two networks comes first: less than 0 if it is the first. */
export function compareNetworks(a: Network, b: Network): number {
  const byVariant = ORDER.indexOf(a.tag) - ORDER.indexOf(b.tag);
  if (byVariant !== 0 || a.tag !== 'Evm' || b.tag !== 'Evm') return byVariant;
  return a.value < b.value ? -1 : Number(a.value > b.value);
}

/**
 * Why the chain refuses constraints of a key of this scheme: the first reason in its own order;
 * `undefined` if it takes them. Without a scheme, that they fit one is left open.
 */
export function constraintsRefusal(
  { rules, fees, clauses }: ConstraintsV2,
  scheme: Scheme | undefined,
): KeyshareError | undefined {
  if (rules.length > MOST_RULES) {
    return wrong('TooManyRules', `there are ${rules.length} rules, and ${MOST_RULES} at most`);
  }
  if (fees.length > MOST_FEES) {
    return wrong('TooManyFees', `there are ${fees.length} fees, and ${MOST_FEES} at most`);
  }
  if (clauses.length > 0)
    return wrong('ReservedClause', 'there are no clauses yet: leave them out');
  const networks: [string, Network][] = [
    ...rules.map(([id, rule]): [string, Network] => [`rule ${id}`, networkOf(rule)]),
    ...fees.map(([network]): [string, Network] => [`the fee of ${showNetwork(network)}`, network]),
  ];
  for (const [what, network] of networks) {
    if (network.tag === 'Evm' && network.value === 0n) {
      return wrong('InvalidChainId', `${what} is for the chain 0, which there is not`);
    }
  }
  for (const [id, rule] of rules) {
    if (!hasValidScript(rule)) {
      return wrong('InvalidScript', `rule ${id} is for a script that no address stands for`);
    }
  }
  for (const [what, network] of networks) {
    if (scheme !== undefined && schemeOf(network) !== scheme) {
      return wrong(
        'SchemeMismatch',
        `${what} is for a key of the scheme ${schemeOf(network)}, and this one’s is ${scheme}: leave it out`,
      );
    }
  }
  if (!ascends(rules, ([a], [b]) => a - b)) {
    return wrong('RulesOutOfOrder', 'the rules’ ids do not ascend');
  }
  if (!ascends(fees, ([a], [b]) => compareNetworks(a, b))) {
    return wrong('FeesOutOfOrder', 'the fees’ networks do not ascend');
  }
  return repeatedRule(rules);
}

/**
 * Refuses rules on a network without a fee: nobody could use them. Throws `MissingFee`.
 */
export function requireFees({ rules, fees }: { rules: NumberedRule[]; fees: Fee[] }): void {
  const paid = new Set(fees.map(([network]) => showNetwork(network)));
  const used = new Set(rules.map(([, rule]) => showNetwork(networkOf(rule))));
  const missing = [...used].filter((network) => !paid.has(network));
  if (missing.length === 0) return;
  const needed = missing.map((network) => `${network}=AMOUNT`).join(' and ');
  throw wrong(
    'MissingFee',
    `nothing is signed on ${missing.join(', ')} without a largest fee: add ${needed} to the fees, in the network’s smallest unit`,
  );
}

function hasValidScript(rule: Rule): boolean {
  if (rule.tag !== 'Bitcoin' || rule.value.allow.tag !== 'Pay') return true;
  const { to } = rule.value.allow.value;
  return to.tag === 'Anyone' || hasAddress(to.value);
}

function ascends<T>(list: readonly T[], compare: (a: T, b: T) => number): boolean {
  return list.every((one, index) => {
    const before = list[index - 1];
    return before === undefined || compare(before, one) < 0;
  });
}

/** Two rules that differ only in id or amount are those whose texts do. */
function repeatedRule(rules: readonly NumberedRule[]): KeyshareError | undefined {
  const seen = new Map<string, number>();
  for (const [id, rule] of rules) {
    const subject = showRule([0, rule]).replace(/ up to \S+$/, '');
    const before = seen.get(subject);
    if (before !== undefined) {
      return wrong(
        'RepeatedRule',
        `rules ${before} and ${id} differ only in id or amount: keep one`,
      );
    }
    seen.set(subject, id);
  }
  return undefined;
}
