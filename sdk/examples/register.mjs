// Registers a new key from Node, in one file, and keeps it in new.key; run again, it goes on with that:
//   node register.mjs [ws://127.0.0.1:9944]
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import {
  fromHex,
  generateKey,
  Keyshare,
  rpc,
  signedExtensions,
  toHex,
  warnings,
} from '@keyshare/sdk';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

// Kept before anything else: nobody else has it, and it alone takes up an attempt.
if (!existsSync('new.key')) {
  const made = toHex(generateKey('ed25519')).slice(2);
  writeFileSync('new.key', `ed25519:${made}\n`, { mode: 0o600, flag: 'wx' });
}
const [scheme, digits] = readFileSync('new.key', 'utf8').trim().split(':');
const key = fromHex(`0x${digits}`, 32);

const api = await ApiPromise.create({
  provider: new WsProvider(process.argv[2] ?? 'ws://127.0.0.1:9944'),
  rpc,
  signedExtensions,
  // polkadot.js warns of methods that are newer than it, of whatever node.
  noInitWarn: true,
});
const keyshare = await Keyshare.connect(api);
// A development account; on a real chain, yours.
const signer = new Keyring({ type: 'sr25519' }).addFromUri('//Ferdie');

// What the key may be used for. Nothing else is signed with it; without rules, nothing at all.
const constraints = {
  rules: ['1: solana pay to So11111111111111111111111111111111111111112 up to 1000000000'],
  fees: ['solana=5000'],
  messages: 'never',
};
for (const { message } of warnings(constraints, scheme)) console.log(message);

const registration = await keyshare.register({
  key,
  scheme,
  signer,
  constraints,
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
