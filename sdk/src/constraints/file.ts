/** A file of constraints: strict JSON, whose every error has a line. */

import { tokenize } from '@humanwhocodes/momoa';
import { type CheckOptions, checkConstraints, isMessages } from './shape.js';
import type { Constraints } from './types.js';
import { quoted, wrong } from './wrong.js';

/**
 * Reads a file of constraints, as text or as its bytes: constraints as the chain will have them. Throws
 * `Input` with the reason `NotUtf8`, or `Json` and the line; then as `checkConstraints` does.
 */
export function parseConstraints(
  file: string | Uint8Array,
  options: CheckOptions = {},
): Constraints {
  return checkConstraints(readFile(typeof file === 'string' ? file : decode(file)), options);
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw wrong('NotUtf8', 'the file is not UTF-8: save it in that encoding');
  }
}

function malformed(line: number, message: string): Error {
  return wrong('Json', message, `line ${line}`);
}

/** A piece of the file. */
interface Token {
  /** Its type, as in `LBrace`; `End` comes last. */
  readonly type: string;
  readonly line: number;
  readonly text: string;
}

/** Cuts a file into pieces, all of which are JSON's. */
function tokensOf(file: string): Token[] {
  const end = { type: 'End', line: file.trimEnd().split('\n').length, text: '' };
  try {
    const tokens = tokenize(file, { mode: 'json' }).map(({ type, loc: { start, end: last } }) => ({
      type,
      line: start.line,
      text: file.slice(start.offset, last.offset),
    }));
    return [...tokens, end];
  } catch (error) {
    if (!(error instanceof Error && 'line' in error && 'column' in error)) throw error;
    throw malformed(Number(error.line), `from column ${Number(error.column)} on this is no JSON`);
  }
}

/** Takes the pieces one after the other. Nothing in a file of constraints lies deeper than its lists. */
class Reader {
  readonly #tokens: readonly Token[];
  #taken = 0;

  constructor(file: string) {
    this.#tokens = tokensOf(file);
  }

  /** What comes next; at the end, nothing comes after it. */
  get next(): Token {
    const next = this.#tokens[this.#taken];
    if (next === undefined) throw new Error('nothing is taken after the end');
    return next;
  }

  /** The next piece, which has this type; `what` says in an error what is missing. */
  take(type: string, what: string): Token {
    const { next } = this;
    if (next.type !== type) {
      const found = next.type === 'End' ? 'the file ends' : `here is ${quoted(next.text)}`;
      throw malformed(next.line, `${what} is missing, and ${found}`);
    }
    this.#taken += 1;
    return next;
  }

  /** The next piece, which is a text. */
  string(what: string): string {
    const { text, line } = this.take('String', what);
    try {
      const value = JSON.parse(text) as string;
      if (!/\p{Surrogate}/u.test(value)) return value;
    } catch {
      // A control character that is not escaped: the tokenizer lets it pass.
    }
    throw malformed(line, `${quoted(text)} has a control character, or half of a surrogate pair`);
  }

  /** Two brackets, and what stands between them with commas between. Gives the last bracket. */
  list(open: string, close: string, what: string, one: () => void): Token {
    this.take(open, what);
    if (this.next.type !== close) {
      one();
      while (this.next.type === 'Comma') {
        this.take('Comma', 'a comma');
        one();
      }
    }
    return this.take(close, 'a comma or the closing bracket');
  }
}

function readFile(file: string): Constraints {
  // One byte order mark, which some editors write; the decoder leaves it.
  const reader = new Reader(file.replace(/^\uFEFF/, ''));
  const texts = (what: string): string[] => {
    const list: string[] = [];
    reader.list('LBracket', 'RBracket', 'an array of texts', () => {
      list.push(reader.string(what));
    });
    return list;
  };
  const found: { -readonly [Name in keyof Constraints]?: Constraints[Name] } = {};
  const { line: last } = reader.list('LBrace', 'RBrace', 'an object', () => {
    const { line } = reader.next;
    const name = reader.string('a member’s name in double quotes');
    if (name !== 'rules' && name !== 'fees' && name !== 'messages') {
      throw malformed(line, `${quoted(name)} is none of rules, fees and messages`);
    }
    if (found[name] !== undefined) throw malformed(line, `${name} is there twice`);
    reader.take('Colon', 'a colon');
    if (name === 'messages') found.messages = messagesOf(reader);
    else found[name] = texts(name === 'rules' ? 'a rule’s text' : 'a fee’s text');
  });
  reader.take('End', 'the end of the file');
  const { rules, fees, messages } = found;
  if (rules === undefined) throw malformed(last, 'rules is missing');
  if (fees === undefined) throw malformed(last, 'fees is missing');
  if (messages === undefined) throw malformed(last, 'messages is missing');
  return { rules, fees, messages };
}

function messagesOf(reader: Reader): Constraints['messages'] {
  const { line } = reader.next;
  const name = reader.string('“never”, “prefixed” or “any”');
  if (isMessages(name)) return name;
  throw malformed(line, `messages is “never”, “prefixed” or “any”, and not ${quoted(name)}`);
}
