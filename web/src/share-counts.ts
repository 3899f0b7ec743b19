/** How many keys' shares each server has confirmed. The chain keeps no sum. */

import type { Keyshare } from '@keyshare/sdk';

/** The same, by the servers' accounts. */
export interface ShareCounts {
  readonly counts: ReadonlyMap<string, number>;
  /** Whether there are more than were counted. */
  readonly isPartial: boolean;
}

/** A server's place in its subgroup. */
export interface Seat {
  readonly subgroup: number;
  readonly number: number;
}

/** The changes that gave the seats of each subgroup to their present holders. */
export interface Masks {
  readonly subgroups: readonly { readonly taken: readonly number[] }[];
}

/** The seats of each subgroup that have confirmed a key, a bit each, and the last change they saw. */
export interface Confirmed {
  readonly asOf: number;
  readonly seats: readonly number[];
}

/** An account's record, as far as it is needed. */
interface AccountRecord {
  readonly registered: { readonly confirmed: Confirmed } | null;
  readonly registering: { readonly confirmed: Confirmed } | null;
}

/** A page should not fetch a million entries to make a sum. */
const MOST_COUNTED = 2_000;
const PAGE_SIZE = 500;

/**
 * Whether the present holder of a seat has confirmed. Seats are used again: a bit is its holder's
 * only if nobody took the seat after the last change that the confirmations have seen.
 */
export function hasConfirmed({ asOf, seats }: Confirmed, masks: Masks, seat: Seat): boolean {
  const taken = masks.subgroups[seat.subgroup]?.taken[seat.number];
  const bits = seats[seat.subgroup] ?? 0;
  return taken !== undefined && taken <= asOf && ((bits >>> seat.number) & 1) === 1;
}

/** Counts the shares of every member. */
export async function countShares({ api }: Keyshare): Promise<ShareCounts> {
  const { memberOf, masks: readMasks } = api.query['subgroups'] ?? {};
  const accounts = api.query['registration']?.['accounts'];
  if (memberOf === undefined || readMasks === undefined || accounts === undefined) {
    throw new Error('the chain keeps no account of shares');
  }
  const masks = (await readMasks()).toJSON() as unknown as Masks;
  const members = (await memberOf.entries()).map(
    ([{ args }, seat]) => [String(args[0]), seat.toJSON() as unknown as Seat] as const,
  );
  const counts = new Map<string, number>();
  let startKey: string | undefined;
  for (let read = 0; read < MOST_COUNTED; read += PAGE_SIZE) {
    const options = { args: [], pageSize: PAGE_SIZE, ...(startKey ? { startKey } : {}) };
    const page = await accounts.entriesPaged(options);
    for (const [, record] of page) {
      const { registered, registering } = record.toJSON() as unknown as AccountRecord;
      for (const { confirmed } of [registered, registering].filter((one) => one !== null)) {
        for (const [account, seat] of members) {
          if (!hasConfirmed(confirmed, masks, seat)) continue;
          counts.set(account, (counts.get(account) ?? 0) + 1);
        }
      }
    }
    if (page.length < PAGE_SIZE) return { counts, isPartial: false };
    startKey = page.at(-1)?.[0].toHex();
  }
  return { counts, isPartial: true };
}
