// How soon the page can be used over a slow line, beside an empty page over the same line in the
// same run. The line is Lighthouse's "slow 4G" for phones (1.6 Mbit/s down, 750 kbit/s up, 150 ms a
// round trip) and the processor four times slower, set through Chromium's own throttling. The
// connection to the node is not throttled.
//   npm run build && npm run bench -- ws://127.0.0.1:9944
import { chromium } from '@playwright/test';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname } from 'node:path';
import { gzipSync } from 'node:zlib';

const node = process.argv[2] ?? 'ws://127.0.0.1:9944';
const RUNS = 5;
const LINE = {
  offline: false,
  latency: 150,
  downloadThroughput: 200_000,
  uploadThroughput: 93_750,
};

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };
// Compressed, as web servers send it; Vite's own does not.
const server = createServer(async ({ url }, response) => {
  const { pathname } = new URL(url, 'http://localhost');
  const name = pathname === '/' ? '/index.html' : pathname;
  const body = name === '/empty.html' ? '' : await readFile(`dist${name}`).catch(() => undefined);
  if (body === undefined) return response.writeHead(404).end();
  const headers = { 'content-type': TYPES[extname(name)], 'content-encoding': 'gzip' };
  return response.writeHead(200, headers).end(gzipSync(body));
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${server.address().port}/`;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});

/** Milliseconds from the request to each of the moments, in a fresh browser profile. */
async function measure(url, moments) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', LINE);
  await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  const start = performance.now();
  await page.goto(url, { waitUntil: 'commit' });
  const times = [];
  for (const moment of moments) {
    await moment(page);
    times.push(performance.now() - start);
  }
  await context.close();
  return times;
}

async function median(name, url, moments) {
  const runs = [];
  for (let run = 0; run < RUNS; run += 1) runs.push(await measure(url, moments));
  return moments.map(
    (_, index) => runs.map((times) => times[index]).sort((a, b) => a - b)[RUNS >> 1],
  );
}

/** Another screen opens. */
async function takesClicks(page) {
  await page.getByRole('link', { name: 'Register' }).click();
  await page.getByRole('heading', { name: 'Register a key' }).waitFor();
}
/** Its worker has been loaded as well. */
async function makesKey(page) {
  await page.getByRole('button', { name: 'Make a new key' }).click();
  await page.getByText('Save the private key').waitFor();
}
const subgroups = (page) =>
  page.getByText('must confirm a key').first().waitFor({ state: 'attached' });

const [empty] = await median('empty', `${origin}empty.html`, [(page) => page.waitForLoadState()]);
const [clicks, key, live] = await median('page', `${origin}?node=${encodeURIComponent(node)}`, [
  takesClicks,
  makesKey,
  subgroups,
]);
const show = (name, time) => console.log(`${name.padEnd(36)} ${(time / 1000).toFixed(2)} s`);
show('floor: an empty page', empty);
show('the page takes clicks', clicks);
show('a key can be made in it', key);
show('the chain’s subgroups are shown', live);
await browser.close();
server.close();
