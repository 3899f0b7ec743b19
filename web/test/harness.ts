/** What every test of the page begins with: a development node, the page's screens, and pictures. */

import AxeBuilder from '@axe-core/playwright';
import { expect, type Locator, type Page, test } from '@playwright/test';
import { cryptoWaitReady } from '@polkadot/util-crypto';
import { type DevNode, freePort, startDevNode } from '../../sdk/test/network.js';

let running: DevNode | undefined;

/** The node that `useDevNode` has started. */
export function devNode(): DevNode {
  if (running === undefined) throw new Error('a file of tests begins with useDevNode');
  return running;
}

/** Gives the tests of a file a development node. */
export function useDevNode(): void {
  test.beforeAll(async () => {
    await cryptoWaitReady();
    running = await startDevNode();
  });
  test.afterAll(() => devNode().stop());
}

type Screen = 'Network' | 'Register' | 'My key';

/** Opens the page, waits for the chain, and chooses a development account. */
export async function open(page: Page, screen: Screen, account?: string): Promise<void> {
  await page.goto(`/?node=${encodeURIComponent(devNode().url)}`);
  await expect(page.getByRole('banner').getByRole('status')).toContainText('Keyshare Development');
  await show(page, screen);
  if (account) await signAs(page, account);
}

/** Chooses a development account. */
export async function signAs(page: Page, account: string): Promise<void> {
  const select = page.getByLabel('Account', { exact: true });
  await select.selectOption({ label: `${account} (development)` });
}

/** Changes to another screen. */
export async function show(page: Page, screen: Screen): Promise<void> {
  await page.getByRole('link', { name: screen, exact: true }).click();
}

/** Pastes a key of one digit, and asks for what it costs. */
export async function prepare(page: Page, digit: string): Promise<void> {
  await page.getByLabel('Paste it').fill(digit.repeat(64));
  await button(page, 'Show the cost').click();
}

/** A button of the screens. */
export function button(page: Page, name: string): Locator {
  return page.locator('main').getByRole('button', { name, exact: true });
}

/** The cells of the board that show this state. */
export function cells(page: Page, state: string): Locator {
  return page.locator(`.cell[data-state="${state}"]`);
}

/** An address on Solana. */
export const SOLANA = 'So11111111111111111111111111111111111111112';

/** What the page says of a key that is registered for good. */
export const REGISTERED = 'Registered: every subgroup has its quorum';

/** A serious finding of axe fails; in both colour schemes. */
export async function expectAccessible(page: Page): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await new AxeBuilder({ page }).analyze();
    const serious = violations.filter(
      ({ impact }) => impact === 'serious' || impact === 'critical',
    );
    expect(serious).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: null });
}

/** Keeps a picture at a phone's and a desktop's width; nothing may stick out at the side. */
export async function keepPictures(page: Page, name: string): Promise<void> {
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    await page.screenshot({ path: `screenshots/${name}-${width}.png`, fullPage: true });
    const tooMuch = await page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      return scrollWidth - clientWidth;
    });
    expect(tooMuch).toBeLessThanOrEqual(0);
  }
}

/** Moves a server to another address, as its operator does. Gives the way back. */
export async function moveServer(
  validator: string,
  endpoint: string,
): Promise<() => Promise<unknown>> {
  const move = (to: string) =>
    devNode().tool('server', 'change-endpoint', '--dev-account', validator, to);
  await move(endpoint);
  return () => move(devNode().endpoint);
}

/** An address at which nothing listens. */
export async function deadEndpoint(): Promise<string> {
  return `http://127.0.0.1:${await freePort()}`;
}
