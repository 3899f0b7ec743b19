/** The connection to the chain. Loaded apart from the page's frame: it is most of the code. */

import { ApiPromise, WsProvider } from '@polkadot/api';
import {
  isLocal,
  isMixedContent,
  Keyshare,
  KeyshareError,
  requireSafeNode,
  rpc,
} from '@keyshare/sdk';

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
 * Connects to a node, however long it takes; `onLost` hears when the connection comes and goes. Throws
 * `InsecureNode` for one on another machine over `ws`, unless the user allows it.
 */
export async function connect(
  url: string,
  allowPlaintextNode: boolean,
  onLost: (isLost: boolean) => void,
): Promise<Connection> {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^wss?:$/.test(parsed.protocol)) {
    throw new KeyshareError('Input', `${url} is no address of a node: give a ws or wss URL`);
  }
  if (isMixedContent(parsed)) {
    throw new KeyshareError('MixedContent', `this page cannot reach ${url}: it is not encrypted`);
  }
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
      isLocal: isLocal(parsed),
      chain: chain.toString(),
      isDevelopment: kind.isDevelopment || kind.isLocal,
      blockMs: Number(slot?.toString() ?? NaN),
    };
  } catch (error) {
    void api.disconnect();
    throw error;
  }
}
