// The share listener's RPC over polkadot-api, which reaches methods it does not know by _request:
//   npm install polkadot-api && node papi.mjs [ws://127.0.0.1:9944]
import { createClient } from 'polkadot-api';
import { getWsProvider } from 'polkadot-api/ws';
// Browsers and Node 22 have a WebSocket of their own.
import { WebSocket } from '@polkadot/x-ws';

const url = process.argv[2] ?? 'ws://127.0.0.1:9944';
const client = createClient(getWsProvider(url, { websocketClass: WebSocket }));
// A client that is destroyed before it follows the chain fails.
const { number } = await client.getFinalizedBlock();
console.log(`block ${number}`);
console.log(await client._request('keyshare_servers', []));
client.destroy();
