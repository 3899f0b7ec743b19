/** Sealing a share to a server's key: HPKE base mode (RFC 9180), protocol §5. */

import { Chacha20Poly1305 } from '@hpke/chacha20poly1305';
import { CipherSuite, HkdfSha256 } from '@hpke/core';
import { DhkemX25519HkdfSha256 } from '@hpke/dhkem-x25519';
import { ascii } from './bytes.js';
import { shareAad } from './messages.js';

/** Where a sealed share belongs; nobody can open it as another one. */
export interface Place {
  /** The registration id, 32 bytes. */
  readonly id: Uint8Array;
  /** The server's account, 32 bytes. */
  readonly server: Uint8Array;
  readonly subgroup: number;
}

/** An envelope. */
export interface SealedShare {
  /** The encapsulated key, 32 bytes. */
  readonly enc: Uint8Array;
  /** The encrypted share, 48 bytes. */
  readonly ciphertext: Uint8Array;
}

const suite = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Chacha20Poly1305(),
});

/**
 * Seals a share so that only the server with this encryption key can open it.
 *
 * @param share 32 bytes
 * @param encryptionKey the server's published X25519 key, 32 bytes
 */
export async function sealShare(
  share: Uint8Array,
  encryptionKey: Uint8Array,
  place: Place,
): Promise<SealedShare> {
  const recipientPublicKey = await suite.kem.deserializePublicKey(encryptionKey);
  const sender = await suite.createSenderContext({
    recipientPublicKey,
    info: ascii('keyshare/share/v1'),
  });
  const ciphertext = await sender.seal(share, shareAad(place.id, place.server, place.subgroup));
  return { enc: new Uint8Array(sender.enc), ciphertext: new Uint8Array(ciphertext) };
}
