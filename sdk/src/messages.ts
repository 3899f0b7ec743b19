/** What is hashed and signed, byte for byte: protocol §3, §5 and §6. */

import { ascii, blake2_256, concatBytes, u32 } from './bytes.js';
import { type Commitments, partsOf } from './scheme.js';

/** The SCALE encoding of `KeyCommitments`. At most 16 elements, so one byte of length. */
export function encodeCommitments({ scheme, elements }: Commitments): Uint8Array {
  return concatBytes(Uint8Array.of(partsOf(scheme).index, elements.length << 2), ...elements);
}

/**
 * The name of one attempt:
 * `blake2_256("keyshare/registration/v1" ++ genesis ++ SCALE(account, generation, commitments))`.
 *
 * @param genesis hash of the chain's genesis block, 32 bytes
 * @param account the user's account, 32 bytes
 */
export function registrationId(
  genesis: Uint8Array,
  account: Uint8Array,
  generation: number,
  commitments: Commitments,
): Uint8Array {
  return blake2_256(
    concatBytes(
      ascii('keyshare/registration/v1'),
      genesis,
      account,
      u32(generation),
      encodeCommitments(commitments),
    ),
  );
}

/** What a custody proof on chain signs: `"keyshare/custody/v1" ++ id ++ server`. */
export function custodyMessage(id: Uint8Array, server: Uint8Array): Uint8Array {
  return concatBytes(ascii('keyshare/custody/v1'), id, server);
}

/** What a fresh proof signs: `"keyshare/challenge/v1" ++ id ++ server ++ nonce`. */
export function challengeMessage(
  id: Uint8Array,
  server: Uint8Array,
  nonce: Uint8Array,
): Uint8Array {
  return concatBytes(ascii('keyshare/challenge/v1'), id, server, nonce);
}

/** The additional data of a sealed share: `id ++ server ++ subgroup`. */
export function shareAad(id: Uint8Array, server: Uint8Array, subgroup: number): Uint8Array {
  return concatBytes(id, server, Uint8Array.of(subgroup));
}
