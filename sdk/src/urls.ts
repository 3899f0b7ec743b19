/** Which addresses may be reached from here, and which node may be believed over them. */

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
   * their own, and gets the key.
   */
  readonly allowPlaintextNode?: boolean;
}

/**
 * Throws `InsecureNode` for a node that is reached over `ws` or `http` on another machine, unless it is
 * allowed by name, and `Input` for what is no node's address. `Keyshare.connect` does it for a
 * `WsProvider`, whose address it can read; do it yourself for another provider, and for each address of a
 * `WsProvider` that has several.
 */
export function requireSafeNode(url: string, { allowPlaintextNode }: NodeOptions = {}): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^(ws|http)s?:$/.test(parsed.protocol)) {
    throw new KeyshareError('Input', `${url} is no address of a node: give a ws or wss URL`);
  }
  if (allowPlaintextNode === true || !isPlaintext(parsed) || isLocal(parsed)) return;
  throw new KeyshareError(
    'InsecureNode',
    `${url} is on another machine, and not encrypted: whoever is on the way can name servers of their own, and gets the key`,
  );
}
