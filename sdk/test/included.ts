/** Calls that are none of the SDK's, for what a test needs beforehand. */

import type { KeyringPair } from '@polkadot/keyring/types';
import type { DispatchError } from '@polkadot/types/interfaces';
import type { Call } from '../src/calls.js';

/** Signs and sends a call, and waits until a block has it. Gives the names of its events. */
export async function included(call: Call, signer: KeyringPair): Promise<string[]> {
  return new Promise<string[]>((resolve, reject) => {
    call
      .signAndSend(signer, ({ status, dispatchError, events }) => {
        if (dispatchError) reject(new Error(nameOf(dispatchError)));
        // A development chain finalizes at once, and polkadot.js may leave the first out.
        else if (status.isInBlock || status.isFinalized) {
          resolve(events.map(({ event }) => `${event.section}.${event.method}`));
        }
      })
      .catch(reject);
  });
}

function nameOf(error: DispatchError): string {
  if (!error.isModule) return error.toString();
  const { section, name } = error.registry.findMetaError(error.asModule);
  return `${section}.${name}`;
}
