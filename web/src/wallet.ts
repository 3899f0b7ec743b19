/** Who can sign: accounts of browser wallets, and on a development chain the well-known ones. */

import { Keyring } from '@polkadot/api';
import { web3Accounts, web3Enable, web3FromSource } from '@polkadot/extension-dapp';
import type { KeypairType } from '@polkadot/util-crypto/types';
import type { Account } from '@keyshare/sdk';

/** An account that can sign. */
export interface Wallet {
  /** Which of all: two wallets may have the same account. */
  readonly id: string;
  /** SS58. */
  readonly address: string;
  /** Its name, and whose it is. */
  readonly label: string;
  readonly signer: Account;
}

const DEVELOPMENT = ['Alice', 'Bob', 'Charlie', 'Dave', 'Eve', 'Ferdie'];

/** The prefix of the chain's addresses. */
const SS58_PREFIX = 42;

/** The well-known accounts. Their secrets are public. */
export function developmentWallets(): Wallet[] {
  const keyring = new Keyring({ type: 'sr25519', ss58Format: SS58_PREFIX });
  return DEVELOPMENT.map((name) => {
    const pair = keyring.addFromUri(`//${name}`);
    const { address } = pair;
    const id = `development:${address}`;
    return { id, address, label: `${name} (development)`, signer: pair };
  });
}

/** The accounts that the user's wallets offer to this page; asks for leave. */
export async function extensionWallets(): Promise<Wallet[]> {
  const extensions = await web3Enable('Keyshare');
  if (extensions.length === 0) {
    throw new Error(
      'No wallet answers. Install one (such as the polkadot.js extension, Talisman or SubWallet), unlock it, allow this page in it, and try again.',
    );
  }
  // Accounts of other kinds, such as Ethereum's, are none of this chain.
  const accountType: KeypairType[] = ['sr25519', 'ed25519', 'ecdsa'];
  const accounts = await web3Accounts({ ss58Format: SS58_PREFIX, accountType });
  if (accounts.length === 0) {
    throw new Error(
      'The wallet shows no account to this page. Unlock it, allow this page to see an account, and try again.',
    );
  }
  return Promise.all(
    accounts.map(async ({ address, meta }): Promise<Wallet> => {
      const { signer } = await web3FromSource(meta.source);
      return {
        id: `${meta.source}:${address}`,
        address,
        label: `${meta.name ?? 'unnamed'} (${meta.source})`,
        signer: { address, signer },
      };
    }),
  );
}
