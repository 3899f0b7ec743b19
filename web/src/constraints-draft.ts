/** Constraints as they are typed: a rule or a fee a line, and what is wrong with which line. */

import {
  checkConstraints,
  type Constraints,
  KeyshareError,
  NO_CONSTRAINTS,
  parseFee,
  parseRule,
  type Scheme,
  type Warning,
  warnings,
} from '@keyshare/sdk';

/** What was typed. */
export interface ConstraintsDraft {
  /** One a line. */
  readonly rules: string;
  /** One a line. */
  readonly fees: string;
  readonly messages: Constraints['messages'];
}

/** What is wrong with a line, counted from 1. */
export interface LineProblem {
  readonly line: number;
  readonly message: string;
}

/** What a draft says. */
export interface Reading {
  /** As the chain will have them. Absent if anything is wrong. */
  readonly constraints: Constraints | undefined;
  readonly rules: readonly LineProblem[];
  readonly fees: readonly LineProblem[];
  /** What is wrong with no line, but with all of them together. */
  readonly together: string | undefined;
  /** What the lines that can be read open beyond what they say. */
  readonly warnings: readonly Warning[];
}

/** A line that is not empty. */
interface Line {
  readonly number: number;
  readonly text: string;
}

/** A draft of these constraints; by default of none. */
export function constraintsDraft({ rules, fees, messages } = NO_CONSTRAINTS): ConstraintsDraft {
  return { rules: rules.join('\n'), fees: fees.join('\n'), messages };
}

/** Whether nothing was typed or chosen, so that nobody has said what the constraints are to be. */
export function isUntouched({ rules, fees, messages }: ConstraintsDraft): boolean {
  const isEmpty = (text: string) => linesOf(text).length === 0;
  return isEmpty(rules) && isEmpty(fees) && messages === NO_CONSTRAINTS.messages;
}

/** A draft, and the constraints that it was begun from. */
export interface Editing {
  readonly from: Constraints;
  readonly draft: ConstraintsDraft;
}

/** A draft that is begun from what the chain has. */
export function beginEditing(from: Constraints): Editing {
  return { from, draft: constraintsDraft(from) };
}

/**
 * The draft when the chain has these constraints now: begun anew if they are others. What was typed stays
 * until they are final, for the best block may be left again.
 */
export function keepUp(before: Editing, now: Constraints, isFinal: boolean): Editing {
  const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
  if (isSame(before.from, now)) return before;
  return isFinal || isSame(before.draft, constraintsDraft(before.from))
    ? beginEditing(now)
    : before;
}

/** What a draft says, for a key of this scheme; while it is not known, that rules fit it is left open. */
export function readDraft(draft: ConstraintsDraft, scheme: Scheme | undefined): Reading {
  const [rules, fees] = [linesOf(draft.rules), linesOf(draft.fees)];
  const wrongRules = problemsOf(rules, parseRule);
  const wrongFees = problemsOf(fees, parseFee);
  const isRead = ({ number }: Line) => !wrongRules.some(({ line }) => line === number);
  const read = {
    ...NO_CONSTRAINTS,
    rules: textsOf(rules.filter(isRead)),
    messages: draft.messages,
  };
  const reading = {
    constraints: undefined,
    rules: wrongRules,
    fees: wrongFees,
    together: undefined,
    warnings: warnings(read, scheme),
  };
  if (wrongRules.length > 0 || wrongFees.length > 0) return reading;
  const given = { rules: textsOf(rules), fees: textsOf(fees), messages: draft.messages };
  try {
    return { ...reading, constraints: checkConstraints(given, { scheme }) };
  } catch (error) {
    if (!(error instanceof KeyshareError)) throw error;
    const { place = '', message } = error;
    const [, list, index] = /^(rules|fees)\[(\d+)\]$/.exec(place) ?? [];
    const line = (list === 'rules' ? rules : fees)[Number(index)]?.number;
    if (line === undefined) return { ...reading, together: message };
    const problem = { line, message: message.slice(`${place}: `.length) };
    return list === 'rules' ? { ...reading, rules: [problem] } : { ...reading, fees: [problem] };
  }
}

/** The draft with a rule more, on a line of its own, under the first id from 1 that is free. */
export function withRule(draft: ConstraintsDraft, rule: string): ConstraintsDraft {
  const ids = new Set(linesOf(draft.rules).map(({ text }) => trimmed(text.split(':')[0] ?? '')));
  let id = 1;
  while (ids.has(String(id))) id += 1;
  const before = draft.rules.replace(/[ \t\r\n]+$/, '');
  return { ...draft, rules: `${before}${before === '' ? '' : '\n'}${id}: ${rule}` };
}

/** Without the spaces and tabs at its ends. Others are no rule's: the tool and the SDK refuse them. */
export function trimmed(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '');
}

function linesOf(text: string): Line[] {
  return text
    .split(/\r?\n/)
    .map((line, index) => ({ number: index + 1, text: trimmed(line) }))
    .filter((line) => line.text !== '');
}

function textsOf(lines: readonly Line[]): string[] {
  return lines.map(({ text }) => text);
}

function problemsOf(lines: readonly Line[], parse: (text: string) => unknown): LineProblem[] {
  return lines.flatMap(({ number, text }) => {
    try {
      parse(text);
      return [];
    } catch (error) {
      return [{ line: number, message: error instanceof Error ? error.message : String(error) }];
    }
  });
}
