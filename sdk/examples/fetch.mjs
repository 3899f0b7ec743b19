// Challenges every server that a node hosts to prove custody of a user's share, with nothing but fetch:
//   node fetch.mjs http://127.0.0.1:9955 ACCOUNT
const [endpoint, account] = process.argv.slice(2);
if (account === undefined) throw new Error('usage: node fetch.mjs ENDPOINT ACCOUNT');

async function call(method, ...params) {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const { result, error } = await response.json();
  if (error) throw new Error(`${error.code} ${error.message}`);
  return result;
}

const nonce = `0x${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('hex')}`;
for (const server of (await call('keyshare_servers')).servers) {
  // Check it with verifyCustodyProof, under the verifying share that the chain shows.
  console.log(
    server.account,
    await call('keyshare_proveCustody', { server: server.account, account, nonce }),
  );
}
