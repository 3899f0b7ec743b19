/** Who is in which subgroup, and who answers for them. */

import type { ApiPromise } from '@polkadot/api';
import { fromHex } from './bytes.js';
import { answer, ask, decoded } from './chain.js';
import { KeyshareError } from './errors.js';
import type { Server } from './servers.js';

/** What is to be from a later block on. */
export interface Later<Value> {
  readonly value: Value;
  /** The first block in which it is. */
  readonly from: number;
  /** How many blocks are left until then. */
  readonly blocksLeft: number;
}

/** Who runs validators of one subgroup, and is answered for by whoever admitted it. */
export interface Operator {
  /** The account that signs for it, SS58. */
  readonly account: string;
  /** Its name, which no other operator has. */
  readonly name: string;
  /** The subgroup that all its validators are in, for ever. */
  readonly subgroup: number;
  /** Whether it may have validators: `pending` once it is in force. */
  readonly standing: 'pending' | 'admitted' | 'dismissed';
  /** The block since which it stands so; with `pending` the first one in which it is in force. */
  readonly since: number;
  /** With `pending`: how many blocks are left until then. */
  readonly blocksLeft: number | null;
  /** How many validators it may have now. */
  readonly seats: number;
  /** How many it may have from a block on, if that is to change. */
  readonly nextSeats: Later<number> | null;
  /** The validators that have accepted it, SS58. */
  readonly validators: readonly string[];
  /** Those that it has assigned and that have not accepted it yet. */
  readonly assigned: readonly string[];
}

/** A member of a subgroup. */
export interface Member extends Server {
  /** The validator that runs the server, SS58. */
  readonly validator: string;
  /** Whether it holds every share, as it has declared; otherwise it is syncing. */
  readonly ready: boolean;
  /** Whether it is no validator any more, and stays until another member of its subgroup is ready. */
  readonly kept: boolean;
  /** Who operates it; `null` if it has left its operator and is kept. */
  readonly operator: Operator | null;
}

/** A signing subgroup. */
export interface Subgroup {
  readonly subgroup: number;
  /** How many of the members that are ready must confirm; `null` when none is. */
  readonly quorum: number | null;
  readonly members: readonly Member[];
  /** Everybody who was ever admitted to run validators of it. */
  readonly operators: readonly Operator[];
}

/** A subgroup as the chain tells it in one answer. */
interface RawSubgroup {
  id: number;
  quorum: number | null;
  members: {
    validator: string;
    readiness: string;
    operator: string | null;
    server: { account: string; encryptionKey: { x25519?: string }; endpoint: string };
  }[];
}

async function readRaw(api: ApiPromise, at?: string): Promise<RawSubgroup[]> {
  return (await ask(api, 'subgroups', at)) as unknown as RawSubgroup[];
}

function serverOf(
  api: ApiPromise,
  subgroup: number,
  { server }: RawSubgroup['members'][0],
): Server {
  return {
    subgroup,
    account: server.account,
    accountId: api.createType('AccountId32', server.account).toU8a(),
    encryptionKey: x25519(server.encryptionKey),
    endpoint: ascii(server.endpoint),
  };
}

/** The servers of every member. */
export async function readServers(api: ApiPromise, at?: string): Promise<Server[]> {
  const raw = await readRaw(api, at);
  return decoded(() =>
    raw.flatMap(({ id, members }) => members.map((member) => serverOf(api, id, member))),
  );
}

/** Every subgroup with its members and operators. */
export async function readSubgroups(api: ApiPromise): Promise<Subgroup[]> {
  const [raw, operators, kept] = await Promise.all([
    readRaw(api),
    readOperators(api),
    readKept(api),
  ]);
  return decoded(() =>
    raw.map(({ id, quorum, members }) => ({
      subgroup: id,
      quorum,
      members: members.map((member) => ({
        ...serverOf(api, id, member),
        validator: member.validator,
        ready: member.readiness === 'Ready',
        kept: kept.has(member.validator),
        operator: operators.find(({ account }) => account === member.operator) ?? null,
      })),
      operators: operators.filter(({ subgroup }) => subgroup === id),
    })),
  );
}

/** The first subgroup of which no member is ready. */
export async function readUnready(api: ApiPromise): Promise<number | undefined> {
  return (await readRaw(api)).find(({ quorum }) => quorum === null)?.id;
}

/** The validators of members that are kept. */
async function readKept(api: ApiPromise): Promise<Set<string>> {
  const kept = api.query['subgroups']?.['kept'];
  if (kept === undefined) throw new KeyshareError('WrongChain', 'the chain has no subgroups');
  const keys = await answer(kept.keys());
  return new Set(keys.map(({ args: [validator] }) => String(validator)));
}

/** Every operator there ever was, by subgroup. */
export async function readOperators(api: ApiPromise): Promise<Operator[]> {
  interface Raw extends Omit<Operator, 'standing' | 'since' | 'blocksLeft'> {
    standing: {
      pending?: { from: number; blocksLeft: number };
      admitted?: { since: number };
      dismissed?: { since: number };
    };
  }
  const raw = (await ask(api, 'operators', undefined)) as unknown as Raw[];
  return decoded(() =>
    raw.map((operator) => ({
      ...operator,
      name: ascii(operator.name),
      ...standing(operator.standing),
    })),
  );

  function standing({ pending, admitted, dismissed }: Raw['standing']) {
    if (pending) {
      const { from, blocksLeft } = pending;
      return { standing: 'pending', since: from, blocksLeft } as const;
    }
    if (admitted) return { standing: 'admitted', since: admitted.since, blocksLeft: null } as const;
    if (dismissed) {
      return { standing: 'dismissed', since: dismissed.since, blocksLeft: null } as const;
    }
    throw new KeyshareError('WrongChain', 'an operator has a standing of an unknown kind');
  }
}

function ascii(hex: string): string {
  return new TextDecoder().decode(fromHex(hex));
}

function x25519(key: { x25519?: string }): Uint8Array {
  if (key.x25519 === undefined) {
    throw new KeyshareError('WrongChain', 'a server has an encryption key of an unknown kind');
  }
  return fromHex(key.x25519, 32);
}
