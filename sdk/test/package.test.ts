/** What is published: it installs into an empty project, imports, bundles, and is small. */

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { afterAll, beforeAll, expect, it } from 'vitest';

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
  await run('npm', ['install', '--no-audit', '--no-fund', tarball], { cwd: project });
}, 300_000);

afterAll(() => {
  rmSync(project, { recursive: true });
});

it('is imported by Node', async () => {
  const code =
    "import { Keyshare, splitKey } from '@keyshare/sdk'; console.log(typeof Keyshare.connect, typeof splitKey)";
  const { stdout } = await run('node', ['--input-type=module', '--eval', code], { cwd: project });
  expect(stdout.trim()).toBe('function function');
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
  const code = built.output.map((chunk) => (chunk.type === 'chunk' ? chunk.code : '')).join('');
  expect(code).toContain('keyshare/registration/v1');
  expect(gzipSync(code).length).toBeLessThan(MOST_BYTES);
}, 60_000);
