/** What anybody can check with the chain's data alone: protocol §3 and §6. */

import { type Commitments, partsOf, type Scheme } from './scheme.js';

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
  const { Point } = partsOf(scheme);
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

/**
 * Whether `proof` is a signature over `message` made with the share behind `verifyingShare`, by the
 * rules of protocol §6, which are the chain's and the tool's too.
 */
export function verifyCustodyProof(
  { scheme, signature }: CustodyProof,
  message: Uint8Array,
  verifyingShare: Uint8Array,
): boolean {
  try {
    return partsOf(scheme).verify(signature, message, verifyingShare);
  } catch {
    return false;
  }
}
