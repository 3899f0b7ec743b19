import type { DefinitionRpc } from '@polkadot/types/types';

/**
 * The node's own methods in polkadot.js's form, for `ApiPromise.create({ provider, rpc })`, which warns of those
 * that it does not know. The share listener's are served by the ordinary RPC too, so that
 * `api.rpc.keyshare.servers()` works. What the chain itself says comes from its metadata, as
 * `api.call.keyshareApi`.
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
    requestShares: {
      description: 'For members of the same subgroup: shares, sealed to who asks',
      params: [{ name: 'request', type: 'Json' }],
      type: 'Json',
    },
    newEncryptionKey: {
      description: 'For the operator: an encryption key that waits to be published, or a new one',
      params: [{ name: 'request', type: 'Json' }],
      type: 'Json',
    },
    provePossession: {
      description: 'For the operator: a proof that the node has what a server publishes',
      params: [{ name: 'request', type: 'Json' }],
      type: 'Json',
    },
  },
  author: {
    rotateKeysWithOwner: {
      description: 'For the operator: new session keys, and a proof that its validator has them',
      params: [{ name: 'owner', type: 'Bytes' }],
      type: 'Json',
    },
  },
};
