/** What constraints open that is more than they say (protocol §2). It is allowed, and worth knowing. */

import type { Scheme } from '../scheme.js';
import { parseRule } from './text.js';
import type { Constraints, ConstraintsV2, NumberedRule, RuleId, TextOptions } from './types.js';

/** The stable names of [`Warning`]s. */
export type WarningName =
  | 'AnyoneMayBePaid'
  | 'NoLargestAmount'
  | 'SpenderMayPayAnyone'
  | 'LiftsRulesOfContract'
  | 'DataChoosesRecipient'
  | 'MayTakeEverything'
  | 'AnyMessage';

/** One such thing. */
export interface Warning {
  readonly name: WarningName;
  /** The rule that opens it. Absent if it is not a rule. */
  readonly rule?: RuleId;
  /** For people. */
  readonly message: string;
}

const OF_RULES: Readonly<Record<Exclude<WarningName, 'AnyMessage'>, string>> = {
  AnyoneMayBePaid: 'anyone may be paid',
  NoLargestAmount: 'any amount may be paid',
  SpenderMayPayAnyone:
    'the spender, and whoever can make it act, may pay anyone, even after the rule is gone',
  LiftsRulesOfContract:
    'it lifts the rules for whatever the contract can take; if it is a token, the rules of that token too',
  DataChoosesRecipient: 'whoever asks chooses what a shared deposit address does with the money',
  MayTakeEverything: 'it may take everything this key has on Solana',
};

const ANY_MESSAGE: Readonly<Record<Scheme, string>> = {
  ed25519:
    'any message may be signed: this lifts every rule of an Ed25519 key, since a transaction is bytes too',
  secp256k1: 'any message may be signed: services may take one as an order to pay',
};

/**
 * What constraints open that is more than they say, for a key of this scheme; of any, while it is not
 * known. Throws as `parseRule` does.
 */
export function warnings(
  { rules, messages }: Constraints,
  scheme: Scheme | undefined,
  options: TextOptions = {},
): Warning[] {
  const read = rules.map((text) => parseRule(text, options));
  const tag = messages === 'any' ? 'Any' : 'Never';
  return warningsOf({ rules: read, messages: { tag, value: undefined } }, scheme);
}

/** The same of constraints as the chain has them. */
export function warningsOf(
  { rules, messages }: Pick<ConstraintsV2, 'rules' | 'messages'>,
  scheme: Scheme | undefined,
): Warning[] {
  const ofRules = rules.flatMap((rule) => {
    const [id] = rule;
    return namesOf(rule).map((name) => ({
      name,
      rule: id,
      message: `rule ${id}: ${OF_RULES[name]}`,
    }));
  });
  if (messages.tag !== 'Any') return ofRules;
  const message =
    scheme === undefined ? Object.values(ANY_MESSAGE).join('; ') : ANY_MESSAGE[scheme];
  return [...ofRules, { name: 'AnyMessage', message }];
}

function namesOf([, { value }]: NumberedRule): Exclude<WarningName, 'AnyMessage'>[] {
  const { allow } = value;
  const anyoneOrAll = ({ to, largest }: { to: { tag: string }; largest: { tag: string } }) => [
    ...(to.tag === 'Anyone' ? (['AnyoneMayBePaid'] as const) : []),
    ...noLargest(largest),
  ];
  const noLargest = ({ tag }: { tag: string }) =>
    tag === 'Any' ? (['NoLargestAmount'] as const) : [];
  switch (allow.tag) {
    case 'Pay':
    case 'Token':
      return anyoneOrAll(allow.value);
    case 'Approve':
      return ['SpenderMayPayAnyone', ...noLargest(allow.value.largest)];
    case 'Call':
      return ['program' in allow.value ? 'MayTakeEverything' : 'LiftsRulesOfContract'];
    case 'Data':
    case 'Memo':
      return ['DataChoosesRecipient'];
  }
}
