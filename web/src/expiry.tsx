/** When an attempt is gone. */

import type { Connection } from './connection.js';
import { duration } from './format.js';
import { useBestBlock } from './hooks.js';

/** Counts down to the block `at`. */
export function Expiry({ connection, at }: { connection: Connection; at: number }) {
  const best = useBestBlock(connection.keyshare);
  if (best === undefined) return <>at block {at}</>;
  const blocks = Math.max(0, at - best);
  const { blockMs } = connection;
  return (
    <>
      in {blocks} blocks
      {Number.isFinite(blockMs) && `, about ${duration((blocks * blockMs) / 1_000)}`}
    </>
  );
}
