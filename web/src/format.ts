/** Values as people read them. */

/** The name of the chain's token. */
export const TOKEN = 'KEY';
const DECIMALS = 12;

/** An amount of the smallest unit in whole tokens, without trailing zeros. */
export function amount(smallestUnits: bigint): string {
  const digits = smallestUnits.toString().padStart(DECIMALS + 1, '0');
  const whole = digits.slice(0, -DECIMALS);
  const part = digits.slice(-DECIMALS).replace(/0+$/, '');
  return `${part === '' ? whole : `${whole}.${part}`} ${TOKEN}`;
}

/** An address, short enough for a line. */
export function short(address: string): string {
  return `${address.slice(0, 6)}…${address.slice(-4)}`;
}

/** A duration in seconds, in words. */
export function duration(seconds: number): string {
  return seconds < 90 ? `${Math.max(0, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`;
}
