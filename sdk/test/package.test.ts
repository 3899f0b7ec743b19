/** What is published: it installs into an empty project, works there and bundled, and is small. */

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { Keyring } from '@polkadot/api';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DevNode, startDevNode } from './network.js';

const run = promisify(execFile);
const sdk = fileURLToPath(new URL('..', import.meta.url));
const project = mkdtempSync(join(tmpdir(), 'keyshare-sdk-project-'));

/** Bytes that the SDK may add to a page, gzipped, beyond `@polkadot/api`. */
const MOST_BYTES = 150_000;

beforeAll(async () => {
  await run('npm', ['run', 'build'], { cwd: sdk });
  await run('npm', ['pack', '--pack-destination', project], { cwd: sdk });
  const { version } = JSON.parse(readFileSync(join(sdk, 'package.json'), 'utf8')) as {
    version: string;
  };
  writeFileSync(join(project, 'package.json'), '{ "type": "module", "private": true }');
  const tarball = `./keyshare-sdk-${version}.tgz`;
  // The last for its example alone.
  const packages = [tarball, 'polkadot-api@2'];
  await run('npm', ['install', '--no-audit', '--no-fund', ...packages], { cwd: project });
}, 300_000);

// A folder of dependencies, on a machine that may be busy.
afterAll(() => {
  rmSync(project, { recursive: true });
}, 120_000);

describe('its examples', () => {
  let node: DevNode;
  beforeAll(async () => {
    node = await startDevNode();
  }, 120_000);
  afterAll(() => node.stop());

  /** Runs one from the installed package, which so is imported as users do. */
  const example = async (name: string, ...parameters: string[]): Promise<string> => {
    const path = `node_modules/@keyshare/sdk/examples/${name}`;
    return (await run('node', [path, ...parameters], { cwd: project })).stdout;
  };
  const count = (text: string, words: string) => text.split(words).length - 1;

  it('register a key, and challenge its servers', async () => {
    const registered = await example('register.mjs', node.url);
    expect(count(registered, ': confirmed')).toBe(3);
    expect(count(registered, 'proves that it holds the share')).toBe(3);
    const ferdie = new Keyring({ type: 'sr25519' }).addFromUri('//Ferdie').address;
    expect(count(await example('fetch.mjs', node.endpoint, ferdie), 'custodyProof: ')).toBe(3);
    expect(await example('papi.mjs', node.url)).toContain('protocolVersion: 2');
  }, 120_000);
});

it('is bundled for browsers, and stays small', async () => {
  const entry = join(project, 'page.js');
  writeFileSync(entry, "import * as sdk from '@keyshare/sdk'; globalThis.sdk = sdk;");
  const built = await build({
    root: project,
    logLevel: 'error',
    build: {
      write: false,
      rollupOptions: { input: entry, external: /^@polkadot\// },
    },
  });
  if (Array.isArray(built) || !('output' in built)) throw new Error('one bundle');
  let bytes = 0;
  mkdirSync(join(project, 'assets'));
  const [{ fileName }] = built.output;
  for (const chunk of built.output) {
    if (chunk.type !== 'chunk') throw new Error('code alone');
    bytes += gzipSync(chunk.code).length;
    writeFileSync(join(project, chunk.fileName), chunk.code);
  }
  expect(bytes).toBeLessThan(MOST_BYTES);
  const use = `await import('./${fileName}'); console.log(sdk.publicKey('ed25519', new Uint8Array(32)).length)`;
  const { stdout } = await run('node', ['--input-type=module', '--eval', use], { cwd: project });
  expect(stdout.trim()).toBe('32');
}, 60_000);
