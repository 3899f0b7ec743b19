/** Constraints as they are typed: a rule or a fee a line, and what is wrong with which line. */

import {
  checkConstraints,
  type Constraints,
  KeyshareError,
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

const NOTHING: Constraints = { rules: [], fees: [], messages: 'never' };

/** A draft of these constraints; by default of none. */
export function constraintsDraft({ rules, fees, messages } = NOTHING): ConstraintsDraft {
  return { rules: rules.join('\n'), fees: fees.join('\n'), messages };
}

/** Whether nothing was typed or chosen, so that nobody has said what the constraints are to be. */
export function isUntouched({ rules, fees, messages }: ConstraintsDraft): boolean {
  return rules.trim() === '' && fees.trim() === '' && messages === NOTHING.messages;
}

/** What a draft says, for a key of this scheme; while it is not known, that rules fit it is left open. */
export function readDraft(draft: ConstraintsDraft, scheme: Scheme | undefined): Reading {
  const [rules, fees] = [linesOf(draft.rules), linesOf(draft.fees)];
  const wrongRules = problemsOf(rules, parseRule);
  const wrongFees = problemsOf(fees, parseFee);
  const isRead = ({ number }: Line) => !wrongRules.some(({ line }) => line === number);
  const read = { ...NOTHING, rules: textsOf(rules.filter(isRead)), messages: draft.messages };
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
  const ids = new Set(linesOf(draft.rules).map(({ text }) => text.split(':')[0]?.trim()));
  let id = 1;
  while (ids.has(String(id))) id += 1;
  const before = draft.rules.trimEnd();
  return { ...draft, rules: `${before}${before === '' ? '' : '\n'}${id}: ${rule}` };
}

function linesOf(text: string): Line[] {
  return text
    .split(/\r?\n/)
    .map((line, index) => ({ number: index + 1, text: line.trim() }))
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
