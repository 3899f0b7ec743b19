/** Which addresses may be reached from here, and which node may be believed over them. */

import type { ApiPromise } from '@polkadot/api';
import { KeyshareError } from './errors.js';

/** Whether a browser refuses it: http and ws from an https page, except to the machine itself. */
export function isMixedContent(url: URL): boolean {
  const page = (globalThis as { location?: { protocol?: string } }).location;
  return page?.protocol === 'https:' && isPlaintext(url) && !isLocal(url);
}

/** Whether it names this machine itself. */
export function isLocal(url: URL): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
}

function isPlaintext(url: URL): boolean {
  return /^(http|ws):$/.test(url.protocol);
}

/** What is allowed of a node's address. */
export interface NodeOptions {
  /**
   * Allows a node on another machine over `ws` or `http`. Whoever is on the way to it can name servers of
   * their own, and gets the key. A provider that does not tell the address of its node needs it as well:
   * check that address yourself.
   */
  readonly allowPlaintextNode?: boolean;
}

/**
 * Throws `InsecureNode` for a node that is reached over `ws` or `http` on another machine, unless it is
 * allowed by name, `MixedContent` for one that a browser does not reach from this page, and `Input` for
 * what is no node's address. `Keyshare.connect` does it for a `WsProvider`, with the address that it is
 * connected to; do it yourself for every address of a `WsProvider` that has several, and for any other
 * provider.
 */
export function requireSafeNode(url: string, { allowPlaintextNode }: NodeOptions = {}): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^(ws|http)s?:$/.test(parsed.protocol)) {
    throw new KeyshareError('Input', `${url} is no address of a node: give a ws or wss URL`);
  }
  if (isMixedContent(parsed)) {
    throw new KeyshareError('MixedContent', `this page cannot reach ${url}: it is not encrypted`);
  }
  if (allowPlaintextNode === true || !isPlaintext(parsed) || isLocal(parsed)) return;
  throw new KeyshareError(
    'InsecureNode',
    `${url} is on another machine, and not encrypted: whoever is on the way can name servers of their own, and gets the key`,
  );
}

/**
 * `requireSafeNode` for the node that a connection goes to now. Throws `InsecureNode` where its provider
 * does not tell, unless that is allowed; while it is connecting, one that will tell has time.
 */
export function requireSafeConnection(
  api: ApiPromise,
  options: NodeOptions,
  when: 'connecting' | 'connected' = 'connected',
): void {
  interface Inside {
    readonly _rpcCore?: { readonly provider?: { readonly endpoint?: unknown } };
  }
  const provider = (api as unknown as Inside)._rpcCore?.provider ?? {};
  const { endpoint } = provider;
  if (typeof endpoint === 'string') {
    requireSafeNode(endpoint, options);
    return;
  }
  if (options.allowPlaintextNode === true) return;
  if (when === 'connecting' && 'endpoint' in provider) return;
  throw new KeyshareError(
    'InsecureNode',
    'the provider does not tell the address of its node: check it with requireSafeNode, and say so with allowPlaintextNode',
  );
}
