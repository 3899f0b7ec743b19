/** The real development node and the real tool, as processes. */

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const target = process.env['CARGO_TARGET_DIR'] ?? join(homedir(), '.cache/keyshare/target');

/** One of our binaries. */
export function binary(name: string): string {
  return join(target, 'release', name);
}

/** A development network in one process. */
export interface DevNode {
  /** Of its RPC. */
  readonly url: string;
  /** Of its share listener, as the chain publishes it. */
  readonly endpoint: string;
  /** Runs the tool with `--json`, and gives the last line of its data. */
  tool(...parameters: string[]): Promise<unknown>;
  stop(): Promise<void>;
}

/** A TCP port of this machine that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts one, and waits until it answers. */
export async function startDevNode(): Promise<DevNode> {
  const folder = mkdtempSync(join(tmpdir(), 'keyshare-sdk-'));
  const listener = `127.0.0.1:${await freePort()}`;
  const node = spawn(
    binary('keyshare-node'),
    [
      ...['--dev', '--base-path', folder, '--no-prometheus', '--no-telemetry'],
      ...['--port', '0', '--rpc-port', '0', '--dev-block-time', '1000'],
      ...['--share-rpc-addr', listener],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const url = await address(node);
  return {
    url,
    endpoint: `http://${listener}`,
    async tool(...parameters) {
      const { stdout } = await promisify(execFile)(binary('keyshare'), [
        '--json',
        '--url',
        url,
        ...parameters,
      ]);
      return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as unknown;
    },
    async stop() {
      const ended = new Promise((resolve) => node.once('exit', resolve));
      node.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}

function address(node: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let log = '';
    node.once('error', reject);
    node.once('exit', () => {
      reject(new Error(`the node stopped:\n${log}`));
    });
    node.stderr?.on('data', (chunk: Buffer) => {
      log += chunk.toString();
      const found = /Running JSON-RPC server: addr=([\d.:]+)/.exec(log);
      if (found?.[1] && log.includes('Imported #1')) resolve(`ws://${found[1]}`);
    });
  });
}
