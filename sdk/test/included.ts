/** Calls that are none of the SDK's, for what a test needs beforehand. */

import type { KeyringPair } from '@polkadot/keyring/types';
import type { Call } from '../src/calls.js';

/** Signs and sends a call, and waits until a block has it. */
export async function included(call: Call, signer: KeyringPair): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    call
      .signAndSend(signer, ({ status, dispatchError }) => {
        if (dispatchError) reject(new Error(dispatchError.toString()));
        // A development chain finalizes at once, and polkadot.js may leave the first out.
        else if (status.isInBlock || status.isFinalized) resolve();
      })
      .catch(reject);
  });
}
