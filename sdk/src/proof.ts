/** What anybody can check with the chain's data alone: protocol §3 and §6. */

import { ed25519 } from '@noble/curves/ed25519.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { equal } from './bytes.js';
import { blake2_256 } from './messages.js';
import type { Commitments, Scheme } from './scheme.js';

/** A signature made with a share. */
export interface CustodyProof {
  readonly scheme: Scheme;
  /** 64 bytes with Ed25519, 65 (`r ++ s ++ v`) with secp256k1. */
  readonly signature: Uint8Array;
}

/** The verifying share of every subgroup: `Y_g = Σ_k commitment[k] · (g + 1)^k`. */
export function verifyingShares(
  { scheme, elements }: Commitments,
  subgroups: number,
): Uint8Array[] {
  const Point = scheme === 'ed25519' ? ed25519.Point : secp256k1.Point;
  const points = elements.map((element) => {
    const point = Point.fromBytes(element);
    point.assertValidity();
    if (point.is0() || !point.isTorsionFree()) throw new TypeError('not a commitment');
    return point;
  });
  return Array.from({ length: subgroups }, (_, subgroup) => {
    const x = BigInt(subgroup + 1);
    // Horner's rule: none of the points is secret.
    const sum = points.reduceRight(
      (sum: typeof Point.ZERO | undefined, point) =>
        // The two point types never meet: all points are of one scheme.
        sum === undefined ? point : sum.multiplyUnsafe(x).add(point as never),
      undefined,
    );
    if (sum === undefined) throw new TypeError('there are no commitments');
    if (sum.is0()) throw new TypeError('a verifying share is the identity');
    return sum.toBytes();
  });
}

/** Whether `proof` is a signature over `message` made with the share behind `verifyingShare`. */
export function verifyCustodyProof(
  proof: CustodyProof,
  message: Uint8Array,
  verifyingShare: Uint8Array,
): boolean {
  try {
    if (proof.scheme === 'ed25519') {
      // ZIP 215 is what the chain goes by.
      return ed25519.verify(proof.signature, message, verifyingShare, { zip215: true });
    }
    const { signature } = proof;
    const recovery = signature[64];
    if (signature.length !== 65 || recovery === undefined || recovery > 1) return false;
    const compact = secp256k1.Signature.fromBytes(signature.subarray(0, 64), 'compact');
    // One form of a signature only.
    if (compact.hasHighS()) return false;
    const recovered = compact.addRecoveryBit(recovery).recoverPublicKey(blake2_256(message));
    return equal(recovered.toBytes(true), verifyingShare);
  } catch {
    return false;
  }
}
