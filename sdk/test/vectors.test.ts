/** The vectors that the Rust crates made: the same keys give the same bytes here. */

import { readFileSync } from 'node:fs';
import { Chacha20Poly1305 } from '@hpke/chacha20poly1305';
import { CipherSuite, HkdfSha256 } from '@hpke/core';
import { DhkemX25519HkdfSha256 } from '@hpke/dhkem-x25519';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../src/bytes.js';
import {
  challengeMessage,
  custodyMessage,
  encodeCommitments,
  registrationId,
  shareAad,
} from '../src/messages.js';
import { verifyCustodyProof, verifyingShares } from '../src/proof.js';
import { type ErrorName, KeyshareError } from '../src/errors.js';
import { isTemporary } from '../src/register.js';
import { publicKey, type Scheme } from '../src/scheme.js';
import { CODES } from '../src/servers.js';
import { sealShare } from '../src/seal.js';
import { splitKey } from '../src/split.js';

interface Server {
  challengeMessage: string;
  challengeProof: string;
  custodyMessage: string;
  custodyProof: string;
  encryptionKey: string;
  encryptionSecret: string;
  sealed: { aad: string; ciphertext: string; enc: string };
  serverAccount: string;
  share: string;
  subgroup: number;
  verifyingShare: string;
}

interface Vector {
  accountId: string;
  commitments: string[];
  commitmentsScale: string;
  generation: number;
  genesis: string;
  nonce: string;
  privateKey: string;
  publicKey: string;
  registrationId: string;
  servers: Server[];
  subgroups: number;
  threshold: number;
  verifyingShares: string[];
}

function vector(scheme: Scheme): Vector {
  const path = new URL(`../../primitives/vectors/${scheme}.json`, import.meta.url);
  return JSON.parse(readFileSync(path, 'utf8')) as Vector;
}

describe.each(['ed25519', 'secp256k1'] as const)('%s', (scheme) => {
  const known = vector(scheme);
  const commitments = { scheme, elements: known.commitments.map((hex) => fromHex(hex)) };
  const attempt = {
    genesis: fromHex(known.genesis, 32),
    account: fromHex(known.accountId, 32),
    generation: known.generation,
  };
  const id = fromHex(known.registrationId, 32);

  it('has the same public key', () => {
    expect(toHex(publicKey(scheme, fromHex(known.privateKey)))).toBe(known.publicKey);
  });

  it('splits a key into the same shares', () => {
    const split = splitKey(scheme, fromHex(known.privateKey), known, attempt);
    expect(split.commitments.elements.map(toHex)).toEqual(known.commitments);
    expect(split.shares.map(toHex)).toEqual(known.servers.map((server) => server.share));
  });

  it('names the attempt the same', () => {
    expect(toHex(encodeCommitments(commitments))).toBe(known.commitmentsScale);
    const { genesis, account, generation } = attempt;
    expect(toHex(registrationId(genesis, account, generation, commitments))).toBe(
      known.registrationId,
    );
  });

  it('computes the same verifying shares', () => {
    expect(verifyingShares(commitments, known.subgroups).map(toHex)).toEqual(known.verifyingShares);
  });

  it.each(known.servers)('agrees on the messages of server $subgroup', (server) => {
    const account = fromHex(server.serverAccount, 32);
    expect(toHex(custodyMessage(id, account))).toBe(server.custodyMessage);
    expect(toHex(challengeMessage(id, account, fromHex(known.nonce, 32)))).toBe(
      server.challengeMessage,
    );
    expect(toHex(shareAad(id, account, server.subgroup))).toBe(server.sealed.aad);
  });

  it.each(known.servers)('accepts the proofs of server $subgroup, and no others', (server) => {
    const share = fromHex(server.verifyingShare);
    const proof = (hex: string) => ({ scheme, signature: fromHex(hex) });
    const custody = fromHex(server.custodyMessage);
    expect(verifyCustodyProof(proof(server.custodyProof), custody, share)).toBe(true);
    const challenge = fromHex(server.challengeMessage);
    expect(verifyCustodyProof(proof(server.challengeProof), challenge, share)).toBe(true);
    expect(verifyCustodyProof(proof(server.challengeProof), custody, share)).toBe(false);
    const other = fromHex(known.verifyingShares[(server.subgroup + 1) % known.subgroups] ?? '');
    expect(verifyCustodyProof(proof(server.custodyProof), custody, other)).toBe(false);
  });

  it.each(known.servers)('seals what server $subgroup can open, there only', async (server) => {
    const place = { id, server: fromHex(server.serverAccount, 32), subgroup: server.subgroup };
    const share = fromHex(server.share, 32);
    const sealed = await sealShare(share, fromHex(server.encryptionKey, 32), place);
    const suite = new CipherSuite({
      kem: new DhkemX25519HkdfSha256(),
      kdf: new HkdfSha256(),
      aead: new Chacha20Poly1305(),
    });
    const recipientKey = await suite.kem.deserializePrivateKey(fromHex(server.encryptionSecret));
    const open = async (enc: Uint8Array, ciphertext: Uint8Array, aad: Uint8Array) => {
      const info = new TextEncoder().encode('keyshare/share/v1');
      const recipient = await suite.createRecipientContext({ recipientKey, enc, info });
      return toHex(new Uint8Array(await recipient.open(ciphertext, aad)));
    };
    const aad = fromHex(server.sealed.aad);
    expect(await open(sealed.enc, sealed.ciphertext, aad)).toBe(server.share);
    // What the Rust implementation has sealed opens as well.
    const { enc, ciphertext } = server.sealed;
    expect(await open(fromHex(enc), fromHex(ciphertext), aad)).toBe(server.share);
    const elsewhere = Uint8Array.from(aad, (byte, index) => (index === 64 ? byte ^ 1 : byte));
    await expect(open(sealed.enc, sealed.ciphertext, elsewhere)).rejects.toThrow();
  });
});

function cases<Case>(name: string): Case[] {
  const path = new URL(`../../primitives/vectors/${name}`, import.meta.url);
  return JSON.parse(readFileSync(path, 'utf8')) as Case[];
}

interface ProofCase {
  scheme: Scheme;
  name: string;
  verifyingShare: string;
  message: string;
  proof: string;
  holds: boolean;
}

interface CommitmentCase {
  scheme: Scheme;
  name: string;
  element: string;
  valid: boolean;
}

describe('what the chain and the tool accept, and nothing else', () => {
  it.each(cases<ProofCase>('proofs.json'))('proof, $scheme: $name', (known) => {
    const proof = { scheme: known.scheme, signature: fromHex(known.proof) };
    const [message, share] = [fromHex(known.message), fromHex(known.verifyingShare)];
    expect(verifyCustodyProof(proof, message, share)).toBe(known.holds);
  });

  it.each(cases<CommitmentCase>('commitments.json'))('commitment, $scheme: $name', (known) => {
    const element = fromHex(known.element);
    const shares = () => verifyingShares({ scheme: known.scheme, elements: [element, element] }, 3);
    if (known.valid) expect(shares()).toHaveLength(3);
    else expect(shares).toThrow();
  });
});

it('has the same name for each error, and tries the same ones again', () => {
  const path = new URL('../../primitives/vectors/errors.json', import.meta.url);
  const cases = JSON.parse(readFileSync(path, 'utf8')) as {
    code: number;
    name: ErrorName;
    data?: { generation: number };
    retryable: boolean;
  }[];
  const asked = 5;
  for (const { code, name, data, retryable } of cases) {
    expect(CODES[code]).toBe(name);
    expect(isTemporary(new KeyshareError(name, '', data), asked), name).toBe(retryable);
  }
  expect(new Set(cases.map(({ code }) => code)).size).toBe(Object.keys(CODES).length);
});
