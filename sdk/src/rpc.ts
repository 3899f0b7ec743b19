import type { DefinitionRpc } from '@polkadot/types/types';

/**
 * The share listener's methods in polkadot.js's form, for `ApiPromise.create({ provider, rpc })`:
 * the node's ordinary RPC serves them too, so that `api.rpc.keyshare.servers()` works. What the
 * chain itself says comes from its metadata, as `api.call.keyshareApi`.
 */
export const rpc: Record<string, Record<string, DefinitionRpc>> = {
  keyshare: {
    servers: {
      description: 'The servers that this node hosts',
      params: [],
      type: 'Json',
    },
    submitShare: {
      description: 'Hands a sealed share to a server; the answer has its custody proof',
      params: [{ name: 'share', type: 'Json' }],
      type: 'Json',
    },
    shareStatus: {
      description: 'How far the share of an account has come at a server',
      params: [{ name: 'request', type: 'Json' }],
      type: 'Json',
    },
    proveCustody: {
      description: 'A fresh proof that a server holds the share of an account',
      params: [{ name: 'challenge', type: 'Json' }],
      type: 'Json',
    },
  },
};
