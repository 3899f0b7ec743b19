/** Errors about constraints: what is wrong, where, and as much of the input as is fit to be shown. */

import { type ConstraintsReason, KeyshareError } from '../errors.js';

/** The most characters of input that a message quotes. */
const MOST_QUOTED = 80;

/** An error with its stable name. */
export function wrong(reason: ConstraintsReason, message: string, place?: string): KeyshareError {
  const text = place === undefined ? message : `${place}: ${message}`;
  return new KeyshareError('Input', text, { reason, place });
}

/** Does something, and says where it was if it fails. */
export function at<T>(place: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof KeyshareError && error.reason !== undefined) {
      throw wrong(error.reason, error.message, place);
    }
    throw error;
  }
}

/** Input as a message quotes it: no control characters or line breaks, and not too long. */
export function quoted(input: string): string {
  const printable = Array.from(input.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, ''));
  const dots = printable.length > MOST_QUOTED ? '…' : '';
  return `“${printable.slice(0, MOST_QUOTED).join('')}${dots}”`;
}
