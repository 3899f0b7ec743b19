/** The connection to the chain. Loaded apart from the page's frame: it is most of the code. */

import { ApiPromise, WsProvider } from '@polkadot/api';
import { isLocal, Keyshare, requireSafeNode, rpc } from '@keyshare/sdk';

/** A chain that the page follows. */
export interface Connection {
  readonly keyshare: Keyshare;
  /** The node's. */
  readonly url: string;
  /** Whether the node is on this machine. Any other may have been named by a link. */
  readonly isLocal: boolean;
  /** The chain's name. */
  readonly chain: string;
  /** Whether the well-known accounts have money on it. */
  readonly isDevelopment: boolean;
  /** Time between two blocks, in milliseconds. */
  readonly blockMs: number;
}

const RECONNECT_MS = 2_500;

/**
 * Connects to a node, however long it takes; `onLost` hears when the connection comes and goes. Throws as
 * `requireSafeNode` does: `InsecureNode` for one on another machine over `ws`, unless the user allows it.
 */
export async function connect(
  url: string,
  allowPlaintextNode: boolean,
  onLost: (isLost: boolean) => void,
): Promise<Connection> {
  requireSafeNode(url, { allowPlaintextNode });
  const provider = new WsProvider(url, RECONNECT_MS);
  const api = await ApiPromise.create({ provider, rpc, noInitWarn: true, initWasm: false });
  try {
    const keyshare = await Keyshare.connect(api, { allowPlaintextNode });
    const [chain, kind, slot] = await Promise.all([
      api.rpc.system.chain(),
      api.rpc.system.chainType(),
      api.call['auraApi']?.['slotDuration']?.(),
    ]);
    provider.on('disconnected', () => {
      onLost(true);
    });
    provider.on('connected', () => {
      onLost(false);
    });
    return {
      keyshare,
      url,
      isLocal: isLocal(new URL(url)),
      chain: chain.toString(),
      isDevelopment: kind.isDevelopment || kind.isLocal,
      blockMs: Number(slot?.toString() ?? NaN),
    };
  } catch (error) {
    void api.disconnect();
    throw error;
  }
}
