import type { ExtDef } from '@polkadot/types/extrinsic/signedExtensions/types';

/**
 * The transaction extensions of a Keyshare chain that polkadot.js does not know, for
 * `ApiPromise.create({ provider, signedExtensions })`. They add nothing to what is signed; without this,
 * polkadot.js treats them so as well, and warns at each connection.
 */
export const signedExtensions: ExtDef = {
  AuthorizeCall: { extrinsic: {}, payload: {} },
  WeightReclaim: { extrinsic: {}, payload: {} },
};
