// Registers a new key from Node, in one file, and keeps it in new.key:
//   node register.mjs [ws://127.0.0.1:9944]
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import { generateKey, Keyshare, toHex } from '@keyshare/sdk';
import { writeFileSync } from 'node:fs';

const api = await ApiPromise.create({
  provider: new WsProvider(process.argv[2] ?? 'ws://127.0.0.1:9944'),
  noInitWarn: true,
});
const keyshare = await Keyshare.connect(api);
// A development account; on a real chain, yours.
const signer = new Keyring({ type: 'sr25519' }).addFromUri('//Ferdie');
const key = generateKey('ed25519');
// Kept before anything else: nobody else has it, and it takes up the attempt after an interruption.
writeFileSync('new.key', `ed25519:${toHex(key).slice(2)}\n`, { mode: 0o600, flag: 'wx' });

const registration = await keyshare.register({
  key,
  scheme: 'ed25519',
  signer,
  onProgress: (progress) => {
    if (progress.type === 'server') {
      console.log(`subgroup ${progress.server.subgroup}: ${progress.state}`);
    } else {
      console.log(progress.type);
    }
  },
});
key.fill(0);
console.log(`registered ${toHex(registration.publicKey)} as ${toHex(registration.id)}`);
for (const { server, error } of await keyshare.challenge(signer.address)) {
  console.log(
    `server ${server.account}: ${error ? error.message : 'proves that it holds the share'}`,
  );
}
await api.disconnect();
