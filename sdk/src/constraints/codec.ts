/** Constraints in SCALE: the bytes that are signed, stored and compared. */

import { Bytes, type Codec, _void, Enum, Struct, Tuple, u16, u64, u128, Vector } from 'scale-ts';
import { equal } from '../bytes.js';
import type {
  Amount,
  ConstraintsV2,
  Fee,
  Messages,
  Network,
  NumberedRule,
  Rule,
  Selector,
  TokenRecipient,
  Who,
} from './types.js';

const network: Codec<Network> = Enum({ Evm: u64, Bitcoin: _void, Solana: _void });
const who = (address: Codec<Uint8Array>): Codec<Who> => Enum({ Only: address, Anyone: _void });
const amount = (number: Codec<bigint>): Codec<Amount> => Enum({ UpTo: number, Any: _void });
const selector: Codec<Selector> = Enum({ Only: Bytes(4), Any: _void });
const tokenRecipient: Codec<TokenRecipient> = Enum({
  Wallet: Bytes(32),
  Account: Bytes(32),
  Anyone: _void,
});
const messages: Codec<Messages> = Enum({ Never: _void, Prefixed: _void, Any: _void });

const onEvm = Enum({
  Pay: Struct({ to: who(Bytes(20)), largest: amount(u128) }),
  Token: Struct({ token: Bytes(20), to: who(Bytes(20)), largest: amount(u128) }),
  Approve: Struct({ token: Bytes(20), spender: Bytes(20), largest: amount(u128) }),
  Call: Struct({ to: Bytes(20), selector, largest: u128 }),
});
const onBitcoin = Enum({
  Pay: Struct({ to: who(Bytes()), largest: amount(u64) }),
  Data: _void,
});
const onSolana = Enum({
  Pay: Struct({ to: who(Bytes(32)), largest: amount(u64) }),
  Token: Struct({ mint: Bytes(32), to: tokenRecipient, largest: amount(u64) }),
  Memo: _void,
  Call: Struct({ program: Bytes(32) }),
});
const rule: Codec<Rule> = Enum({
  Evm: Struct({ chain: u64, allow: onEvm }),
  Bitcoin: Struct({ allow: onBitcoin }),
  Solana: Struct({ allow: onSolana }),
});

/** A rule with its id. */
export const numberedRule: Codec<NumberedRule> = Tuple(u16, rule);

/** A network with its largest fee. */
export const fee: Codec<Fee> = Tuple(network, u128);

/** The outer enum, whose only variant has the version's number. */
const versions = Enum(
  {
    V2: Struct({
      rules: Vector(numberedRule),
      fees: Vector(fee),
      messages,
      clauses: Vector(Enum({ Reserved: _void })),
    }),
  },
  [2],
);

/** The bytes of constraints. They are in the chain's order already: nothing is sorted here. */
export function encodeConstraints(constraints: ConstraintsV2): Uint8Array {
  return versions.enc({ tag: 'V2', value: constraints });
}

/** Reads them. Throws a `TypeError` for what is not exactly their encoding, as of another version. */
export function decodeConstraints(bytes: Uint8Array): ConstraintsV2 {
  let value: ConstraintsV2 | undefined;
  try {
    // A copy: the library reads from the beginning of the underlying buffer.
    value = versions.dec(Uint8Array.from(bytes)).value;
  } catch {
    // An unknown variant, or too few bytes.
  }
  // The library lets bytes that are left over, and longer forms of a length, pass.
  if (value === undefined || !equal(encodeConstraints(value), bytes)) {
    throw new TypeError('no encoding of constraints of version 2');
  }
  return value;
}
