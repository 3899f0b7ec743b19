/** Which node the page follows, over which way, and where its key's thread is, in a real browser. */

import { expect, test } from '@playwright/test';
import { WebSocket } from '@polkadot/x-ws';
import { freePort } from '../../sdk/test/network.js';
import {
  button,
  cells,
  deadEndpoint,
  devNode,
  expectAccessible,
  keepPictures,
  moveServer,
  open,
  prepare,
  REGISTERED,
  signAs,
  useDevNode,
} from './harness.js';

useDevNode();

test('has a node of other people trusted before anything leaves', async ({ page }) => {
  const url = 'ws://node.example:9944';
  await page.routeWebSocket(url, (socket) => {
    const real = new WebSocket(devNode().url);
    const opened = new Promise((resolve) => (real.onopen = resolve));
    real.onmessage = ({ data }) => {
      socket.send(String(data));
    };
    socket.onMessage((message) => {
      void opened.then(() => {
        real.send(message);
      });
    });
    socket.onClose(() => {
      real.close();
    });
  });
  const back = await moveServer('charlie', await deadEndpoint());
  await page.goto(`/?node=${encodeURIComponent(url)}#register`);
  // The way to it is not encrypted, and no link can allow that.
  const consent = page.getByLabel('without encryption');
  await expect(page.getByRole('alert')).toContainText('not encrypted: whoever is on the way');
  await expect(page.getByRole('banner').getByRole('status')).toContainText('Not connected to');
  await expect(consent).not.toBeChecked();
  await expectAccessible(page);
  await keepPictures(page, 'insecure-node');
  await consent.check();
  await expect(page.getByRole('banner').getByRole('status')).toContainText('Keyshare Development');
  await signAs(page, 'Dave');
  await prepare(page, '2');
  await expect(page.getByRole('group', { name: 'Before you go on' })).toContainText(url);
  await expect(button(page, 'Sign and register')).toBeDisabled();
  await page.getByLabel('I run this node').check();
  await button(page, 'Sign and register').click();
  await expect(cells(page, 'confirmed')).toHaveCount(2);
  // To go on takes no signature, so all that stands between a lying node and the key is this.
  await page.reload();
  await consent.check();
  await signAs(page, 'Dave');
  await page.getByLabel('Paste it').fill('2'.repeat(64));
  await expect(page.getByText('takes no signature')).toBeVisible();
  await expect(button(page, 'Go on')).toBeDisabled();
  await back();
  await page.getByLabel('I run this node').check();
  await button(page, 'Go on').click();
  await expect(page.getByText(REGISTERED)).toBeVisible();
});

test('keeps the thread with the key from the network', async ({ page }) => {
  const response = await page.goto('/');
  expect(response?.headers()['content-security-policy']).toContain("frame-ancestors 'none'");
  const worker = page.workers()[0] ?? (await page.waitForEvent('worker'));
  const reaches = (url: string) =>
    fetch(url).then(
      () => true,
      () => false,
    );
  expect(await page.evaluate(reaches, '/')).toBe(true);
  expect(await worker.evaluate(reaches, new URL(page.url()).origin)).toBe(false);
});

test('says that the thread for the key cannot be had', async ({ page }) => {
  await page.route('**/assets/worker-*.js', (route) => route.abort());
  await open(page, 'Register', 'Alice');
  await expect(page.getByText('Give a key.')).toBeVisible();
  await page.getByLabel('Paste it').fill('3'.repeat(64));
  await expect(page.getByText('The key’s thread failed: it cannot be loaded')).toBeVisible();
  await expect(page.getByText('Give a key.')).toBeVisible();
});

test('says that no node answers, and connects to another one', async ({ page }) => {
  const dead = `ws://127.0.0.1:${await freePort()}`;
  await page.goto(`/?node=${encodeURIComponent(dead)}`);
  await expect(page.getByRole('alert')).toContainText(`No node answers at ${dead}`, {
    timeout: 20_000,
  });
  await keepPictures(page, 'no-node');
  await page.getByText(`Connecting to ${dead}`).click();
  await page.getByLabel('Node, a wss URL').fill(devNode().url);
  await button(page, 'Connect to it')
    .or(page.getByRole('button', { name: 'Connect to it' }))
    .click();
  await expect(page.getByRole('banner').getByRole('status')).toContainText('Keyshare Development');
});

test('says what an encrypted page cannot reach', async ({ page, context }) => {
  // Browsers ask before a page from elsewhere reaches the machine itself.
  await context.grantPermissions(['local-network-access']);
  // The same files under an https origin that the development node's RPC admits.
  await page.route('https://localhost:4174/**', async (route) => {
    const { pathname } = new URL(route.request().url());
    const local = await page.request.get(`http://127.0.0.1:4173${pathname}`);
    await route.fulfill({ response: local });
  });
  await page.goto('https://localhost:4174/?node=ws://node.example:9944');
  await expect(page.getByRole('alert')).toContainText('This page cannot reach ws://node.example');
  const back = await moveServer('charlie', 'http://server.example:9955');
  await page.goto(`https://localhost:4174/?node=${encodeURIComponent(devNode().url)}#network`);
  const network = page.getByRole('region', { name: 'Network' });
  await expect(network.getByText('put TLS before it')).toBeVisible();
  await back();
});
