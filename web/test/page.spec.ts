/** The page in a real browser, against the real development node. */

import { expect, type Locator, type Page, test } from '@playwright/test';
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import { u8aToHex } from '@polkadot/util';
import { base58Encode, ed25519PairFromSeed } from '@polkadot/util-crypto';
import { readFile } from 'node:fs/promises';
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
  show,
  signAs,
  SOLANA,
  useDevNode,
} from './harness.js';

useDevNode();

test('shows the subgroups', async ({ page }) => {
  await open(page, 'Network');
  for (const [subgroup, name] of ['Alice', 'Bob', 'Charlie'].entries()) {
    const column = page.getByRole('article', { name: `Subgroup ${subgroup}` });
    await expect(column).toContainText('1 of 1 ready members must confirm a key.');
    await expect(column.locator('.operator')).toHaveText(`${name}since block 0`);
    await expect(column).toContainText(`operated by ${name}`);
    await expect(column).toContainText('ready');
    await expect(column).toContainText('holds the shares of 0 keys');
    await expect(column).toContainText(devNode().endpoint);
  }
  await expectAccessible(page);
  await keepPictures(page, 'network');
});

test('registers an Ed25519 key, and keeps it to itself', async ({ page }) => {
  const complaints: string[] = [];
  const sent: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('request', (request) => sent.push(request.url() + (request.postData() ?? '')));
  page.on('websocket', (socket) => {
    socket.on('framesent', ({ payload }) => sent.push(payload.toString()));
  });
  await open(page, 'Register', 'Dave');
  await expect(button(page, 'Show the cost')).toBeDisabled();
  await page.getByLabel('Paste it').fill('a1'.repeat(32));
  await expect(page.getByLabel('Paste it')).toHaveValue('');
  const form = page.getByRole('region', { name: 'Register a key' });
  const rules = form.getByLabel('Rules, one a line');
  await rules.fill(`1: solana pay to ${SOLANA.slice(1)} up to 1000000000`);
  await expect(form.getByText('Line 1:')).toContainText('is no Solana address');
  await expect(button(page, 'Show the cost')).toBeDisabled();
  await rules.fill(`1: evm:1 pay to anyone up to 7`);
  await form.getByLabel('Largest fees').fill('evm:1=7');
  await expect(form.getByText('this one’s is ed25519')).toBeVisible();
  await rules.fill(`1: solana pay to ${SOLANA} up to 1000000000`);
  await form.getByText('Add a rule', { exact: true }).click();
  const kinds = form.getByLabel('What it allows');
  await expect(kinds).not.toContainText('EVM');
  await kinds.selectOption({ label: 'Solana: pay a token' });
  await button(page, 'Add it to the rules').click();
  await expect(form.getByText('Fill in “The token’s mint”')).toBeVisible();
  await form.getByLabel('The token’s mint').fill(SOLANA);
  await form.getByLabel('Recipient').fill('anyone');
  await form.getByLabel('Largest amount').fill('5');
  await button(page, 'Add it to the rules').click();
  const token = `2: solana token ${SOLANA} to anyone up to 5`;
  await expect(rules).toHaveValue(`1: solana pay to ${SOLANA} up to 1000000000\n${token}`);
  await expect(form.getByText('rule 2: anyone may be paid')).toBeVisible();
  await form.getByLabel('Largest fees').fill('');
  await expect(form.getByText('add solana=AMOUNT')).toBeVisible();
  await expect(button(page, 'Show the cost')).toBeDisabled();
  await form.getByLabel('Largest fees').fill('solana=5000');
  await form.getByLabel('Messages that may be signed').selectOption('any');
  await expect(form.getByText('lifts every rule of an Ed25519 key')).toBeVisible();
  await form.getByLabel('Messages that may be signed').selectOption('prefixed');
  await button(page, 'Show the cost').click();
  await expect(page.getByText(/Deposit [\d.]+ KEY/)).toBeVisible();
  const review = page.getByRole('group', { name: 'Before you go on' });
  const costs = await review.innerText();
  const shown = (before: string) => Number(new RegExp(`${before} ([\\d.]+) KEY`).exec(costs)?.[1]);
  const confirmationFee = shown('Fee for the servers’ confirmations about');
  expect(confirmationFee).toBeGreaterThan(0);
  const sum = shown('Deposit') + shown('Fee about') + confirmationFee;
  expect(shown('Together about')).toBeCloseTo(sum, 11);
  await expect(review).toContainText('Transactions within 2 rules are allowed; messages that');
  await expect(review).toContainText(token);
  await expect(review).toContainText('Largest fees: solana=5000');
  await expect(review).toContainText('rule 2: anyone may be paid');
  const dave = new Keyring({ type: 'sr25519' }).addFromUri('//Dave').address;
  await expect(review).toContainText(`Only ${dave} may change this`);
  const publicKey = ed25519PairFromSeed(new Uint8Array(32).fill(0xa1)).publicKey;
  await expect(review).toContainText(u8aToHex(publicKey));
  await expect(review).toContainText(`Solana${base58Encode(publicKey)}`);
  await expect(page.getByText('use one that you trust')).toContainText(devNode().url);
  await expectAccessible(page);
  await keepPictures(page, 'register');
  const [thread] = page.workers();
  if (thread === undefined) throw new Error('the key is in a thread of its own');
  await button(page, 'Sign and register').click();
  await expect(page.getByText(REGISTERED)).toBeVisible();
  // The key is gone, with its thread.
  await expect.poll(() => page.workers().includes(thread)).toBe(false);
  await expect(page.getByText('Give a key.')).toHaveCount(0);
  await expect(form.getByText('Public key')).toHaveCount(0);
  await expect(cells(page, 'confirmed')).toHaveCount(3);
  await expectAccessible(page);
  await keepPictures(page, 'registered');

  await show(page, 'My key');
  await expect(page.getByRole('article', { name: 'Registered key' })).toBeVisible();
  const constraints = page.getByRole('article', { name: 'Constraints' });
  await expect(constraints).toContainText(token);
  await expect(constraints.getByLabel('Rules, one a line')).toHaveValue(
    `1: solana pay to ${SOLANA} up to 1000000000\n${token}`,
  );
  await expect(constraints.getByLabel('Largest fees')).toHaveValue('solana=5000');
  await expect(constraints.getByLabel('Messages that may be signed')).toHaveValue('prefixed');
  await button(page, 'Have every server prove it now').click();
  await expect(page.getByText('holds its share')).toHaveCount(3);
  await expectAccessible(page);
  await keepPictures(page, 'my-key');

  await show(page, 'Network');
  await expect(page.getByText('holds the shares of 1 key')).toHaveCount(3);

  expect(complaints).toEqual([]);
  // The ids of what was sent show that these are all the ways out of the page.
  expect(sent.join()).toContain('keyshare_submitShare');
  expect(sent.join()).toContain('author_submitAndWatchExtrinsic');
  expect(sent.filter((text) => text.toLowerCase().includes('a1'.repeat(32)))).toEqual([]);
  const stored = await page.evaluate(async () => [
    localStorage.length,
    sessionStorage.length,
    document.cookie.length,
    (await indexedDB.databases()).length,
    (await caches.keys()).length,
  ]);
  expect(stored).toEqual([0, 0, 0, 0, 0]);
});

test('registers a secp256k1 key that was made here, with the keyboard alone', async ({ page }) => {
  await open(page, 'Network', 'Eve');
  const reach = async (target: Locator) => {
    for (let presses = 0; presses < 60; presses += 1) {
      if (await target.evaluate((element) => element === document.activeElement)) return;
      await page.keyboard.press('Tab');
    }
    throw new Error('Tab does not lead there');
  };
  await reach(page.getByRole('link', { name: 'Register', exact: true }));
  await page.keyboard.press('Enter');
  await reach(page.getByLabel('Scheme'));
  await page.keyboard.press('ArrowDown');
  await reach(button(page, 'Make a new key'));
  await page.keyboard.press('Enter');
  await expect(page.getByText('Save the private key before you go on')).toBeVisible();
  const isSaved = page.getByLabel('The file is saved');
  await expect(isSaved).toHaveCount(0);
  const saving = page.waitForEvent('download');
  await reach(button(page, 'Save it to a file'));
  await page.keyboard.press('Enter');
  const saved = await readFile(await (await saving).path(), 'utf8');
  expect(saved).toMatch(/^secp256k1:[0-9a-f]{64}\n$/);
  await expect(button(page, 'Show the cost')).toBeDisabled();
  await reach(isSaved);
  await page.keyboard.press('Space');
  await reach(button(page, 'Show the cost'));
  await page.keyboard.press('Enter');
  // What was asked for has the focus, and so is read out.
  const review = page.getByRole('group', { name: 'Before you go on' });
  await expect(review).toBeFocused();
  await expect(review).toContainText(/EVM chains0x[0-9a-fA-F]{40}/);
  await expect(review).toContainText(/\(P2TR\)bc1p[0-9a-z]{58}/);
  await expect(review).toContainText(/\(P2WPKH\)bc1q[0-9a-z]{38}/);
  await reach(button(page, 'Sign and register'));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('region', { name: 'Progress' })).toBeFocused();
  await expect(page.getByText(REGISTERED)).toBeVisible();
  await expect(cells(page, 'confirmed')).toHaveCount(3);
});

test('goes on without a server, and after a reload', async ({ page }) => {
  const back = await moveServer('charlie', await deadEndpoint());
  await open(page, 'Network');
  const network = page.getByRole('region', { name: 'Network' });
  await expect(network.getByText('cannot be reached from here')).toHaveCount(1);
  await show(page, 'Register');
  await signAs(page, 'Ferdie');
  await expect(page.getByRole('alert')).toContainText('--share-rpc-cors');
  await expect(page.getByRole('alert')).toContainText('Of subgroup 2 none can');
  await prepare(page, 'b');
  await button(page, 'Sign and register').click();
  await expect(cells(page, 'confirmed')).toHaveCount(2);
  await expect(cells(page, 'retrying')).toContainText('no connection');
  await expect(
    page.getByText(/2 of 3 subgroups have their quorum, 1 server is asked/),
  ).toBeVisible();
  await expect(page.getByText(/attempt expires in \d+ blocks, about \d+ (min|s)/)).toBeVisible();
  const bars = page.getByRole('progressbar');
  await expect(bars).toHaveCount(3);
  const values = await bars.evaluateAll((all) =>
    all.map((bar) => (bar as HTMLProgressElement).value),
  );
  expect(values).toEqual([1, 1, 0]);
  await expectAccessible(page);
  await keepPictures(page, 'one-server-down');

  await page.reload();
  await signAs(page, 'Ferdie');
  await page.getByLabel('Paste it').fill('c'.repeat(64));
  await expect(page.getByText('An attempt with another key is under way')).toBeVisible();
  await page.getByLabel('Paste it').fill('b'.repeat(64));
  await expect(page.getByText('takes no signature')).toBeVisible();
  // What the chain has is shown, and other constraints than these are not taken for them.
  const review = page.getByRole('group', { name: 'Before you go on' });
  await expect(review).toContainText('The key is kept and never used.');
  const form = page.getByRole('region', { name: 'Register a key' });
  await form.getByLabel('Messages that may be signed').selectOption('prefixed');
  await button(page, 'Go on').click();
  const refused = page.getByText('messages are “never” there, not “prefixed”');
  await expect(refused).toBeVisible();
  await form.getByLabel('Messages that may be signed').selectOption('never');
  await button(page, 'Go on').click();
  await expect(refused).toHaveCount(0);
  await expect(cells(page, 'confirmed')).toHaveCount(2);
  await button(page, 'Stop').click();
  // Nothing is asked again any more.
  await expect(page.getByText('Stopped', { exact: true })).toBeVisible();

  await back();
  await button(page, 'Go on').click();
  await expect(page.getByRole('region', { name: 'Progress' })).toBeFocused();
  await expect(page.getByText(REGISTERED)).toBeVisible();
});

test('is told when its attempt is gone', async ({ page, context }) => {
  const back = await moveServer('charlie', await deadEndpoint());
  await open(page, 'Register', 'Alice');
  await prepare(page, 'd');
  await button(page, 'Sign and register').click();
  await expect(cells(page, 'confirmed')).toHaveCount(2);
  const other = await context.newPage();
  await open(other, 'My key', 'Alice');
  await button(other, 'Cancel it').click();
  await expect(other.getByText('no attempt is under way')).toBeVisible();
  await expect(page.getByText('the deposit, is back')).toBeVisible();
  await back();
});

test('swaps a key, and removes it', async ({ page }) => {
  await open(page, 'My key', 'Dave');
  await expect(page.getByText('generation 1')).toBeVisible();
  await button(page, 'Swap it').click();
  const swap = page.getByRole('region', { name: 'Swap the key' });
  // The file says which scheme it is, as the tool writes it. A swap keeps it.
  for (const scheme of ['secp256k1', 'ed25519']) {
    const isOther = scheme === 'secp256k1';
    await swap.getByLabel('or open a key file').setInputFiles({
      name: 'new.key',
      mimeType: 'text/plain',
      buffer: Buffer.from(`${scheme}:${'e1'.repeat(32)}\n`),
    });
    await expect(swap.getByLabel('Scheme')).toHaveValue(scheme);
    await expect(swap.getByText('A swap keeps the scheme')).toHaveCount(isOther ? 1 : 0);
    await expect(swap.getByRole('button', { name: 'Show the cost' })).toBeEnabled({
      enabled: !isOther,
    });
  }
  await swap.getByRole('button', { name: 'Show the cost' }).click();
  await expect(swap.getByText(/that of the old key when it is replaced/)).toBeVisible();
  await keepPictures(page, 'swap');
  const back = await moveServer('charlie', await deadEndpoint());
  await swap.getByRole('button', { name: 'Sign and swap' }).click();
  await expect(cells(page, 'confirmed')).toHaveCount(2);
  // Nothing on the page ends it by the way.
  await expect(button(page, 'Swap it')).toBeDisabled();
  await expect(button(page, 'Deregister it')).toBeDisabled();
  await expect(page.getByLabel('Look at another account')).toBeDisabled();
  await expect(page.getByRole('article', { name: 'Registered key' })).toContainText('generation 1');
  await back();
  await swap.getByRole('button', { name: 'Stop' }).click();
  await swap.getByRole('button', { name: 'Go on' }).click();
  await expect(swap.getByText(REGISTERED)).toBeVisible();
  await expect(page.getByText('generation 2')).toBeVisible();

  page.on('dialog', (dialog) => void dialog.accept());
  await button(page, 'Deregister it').click();
  await expect(page.getByText('Nothing is registered, and no attempt is under way')).toBeVisible();
});

test('lets the owner choose the threshold, and deals the key anew', async ({ page }) => {
  await open(page, 'Register', 'Charlie');
  await expect(page.getByLabel('Threshold')).toHaveValue('2');
  const warning = 'one lost subgroup is the end of the key';
  await expect(page.getByText(warning)).toHaveCount(0);
  await page.getByLabel('Threshold').selectOption({ label: 'any 3 of 3' });
  await expect(page.getByText(warning)).toContainText('keep a backup');
  await page.getByLabel('Messages that may be signed').selectOption('any');
  await prepare(page, '4');
  const review = page.getByRole('group', { name: 'Before you go on' });
  await expect(review).toContainText('any 3 of 3 subgroups make it up');
  await expectAccessible(page);
  await keepPictures(page, 'threshold');
  await button(page, 'Sign and register').click();
  await expect(page.getByText(REGISTERED)).toBeVisible();

  await show(page, 'My key');
  const registered = page.getByRole('article', { name: 'Registered key' });
  await expect(registered).toContainText('The shares of any 3 of 3 subgroups make up the key');
  await expect(registered).toContainText(warning);
  await expect(registered).toContainText('fewer than 3 subgroups of the old deal');
  await button(page, 'Reshare it').click();
  const reshare = page.getByRole('region', { name: 'Reshare the key' });
  await expect(reshare.getByLabel('Threshold')).toHaveValue('3');
  // A swap keeps the threshold too, and constraints whose warnings belong to the new key as well.
  await button(page, 'Swap it').click();
  const swap = page.getByRole('region', { name: 'Swap the key' });
  await expect(swap.getByLabel('Threshold')).toHaveValue('3');
  await swap.getByLabel('Paste it').fill('5'.repeat(64));
  await swap.getByRole('button', { name: 'Show the cost' }).click();
  await expect(review).toContainText('constraints stay as they are');
  await expect(review).toContainText('Take care, any message may be signed');
  await button(page, 'Reshare it').click();
  await expect(reshare.getByRole('button', { name: 'Make a new key' })).toHaveCount(0);
  await reshare.getByLabel('Paste it').fill('5'.repeat(64));
  await expect(reshare.getByText('Another key is in force')).toBeVisible();
  await expect(reshare.getByRole('button', { name: 'Show the cost' })).toBeDisabled();
  await reshare.getByLabel('Paste it').fill('4'.repeat(64));
  await reshare.getByRole('button', { name: 'Show the cost' }).click();
  await expectAccessible(page);
  await keepPictures(page, 'reshare');
  await reshare.getByRole('button', { name: 'Sign and reshare' }).click();
  await expect(reshare.getByText(REGISTERED)).toBeVisible();
  await expect(registered).toContainText('generation 2');
  await expect(registered).toContainText('The shares of any 3 of 3 subgroups make up the key');
});

test('lets the right account change the constraints, and no other', async ({ page }) => {
  const eve = new Keyring({ type: 'sr25519' }).addFromUri('//Eve').address;
  await open(page, 'My key', 'Alice');
  await page.getByLabel('Look at another account').fill(eve);
  await page.getByLabel('Look at another account').press('Enter');
  const editor = page.getByRole('article', { name: 'Constraints' });
  await expect(editor).toContainText('you sign as Alice');
  await editor.getByLabel('Rules, one a line').fill('1: solana memo');
  await editor.getByLabel('Largest fees').fill('solana=5000');
  await expect(editor).toContainText('this one’s is secp256k1');
  await expect(button(page, 'Change the constraints')).toBeDisabled();
  // Who looks at the key knows it by its addresses.
  const registered = page.getByRole('article', { name: 'Registered key' });
  await expect(registered).toContainText(/EVM chains0x[0-9a-fA-F]{40}/);
  await expect(registered).toContainText(/\(P2TR\)bc1p[0-9a-z]{58}/);
  const review = editor.getByRole('group', { name: 'Before you change them' });
  const typeRules = async () => {
    await editor.getByLabel('Rules, one a line').fill('1: bitcoin data');
    await editor.getByLabel('Largest fees').fill('bitcoin=50000');
    await button(page, 'Change the constraints').click();
    // They are shown as the chain will have them, and signed with a second click.
    await expect(review).toBeFocused();
    await expect(review).toContainText('Transactions within 1 rule are allowed');
    await expect(review).toContainText('1: bitcoin data');
    await expect(review).toContainText('whoever asks chooses');
    await button(page, 'Sign and change them').click();
  };
  await editor.getByLabel('Rules, one a line').fill('1: bitcoin data');
  await editor.getByLabel('Largest fees').fill('bitcoin=50000');
  await button(page, 'Change the constraints').click();
  await expectAccessible(page);
  await keepPictures(page, 'constraints');
  // What is typed afterwards is to be looked at anew.
  await editor.getByLabel('Rules, one a line').fill('2: bitcoin data');
  await expect(review).toHaveCount(0);
  await expect(button(page, 'Sign and change them')).toHaveCount(0);
  await typeRules();
  await expect(page.getByText('Sign with the constraint-modification account')).toBeVisible();
  await expect(editor).toContainText('The key is kept and never used.');

  await page.getByLabel('Look at another account').fill('');
  await page.getByLabel('Look at another account').press('Enter');
  await signAs(page, 'Eve');
  await typeRules();
  await expect(editor).toContainText('Transactions within 1 rule are allowed');
});

/** Sends one KEY from a development account, and waits until the chain has it. */
async function fund(uri: string): Promise<void> {
  const provider = new WsProvider(devNode().url);
  const api = await ApiPromise.create({ provider, noInitWarn: true });
  const keyring = new Keyring({ type: 'sr25519' });
  const { address } = keyring.addFromUri(uri);
  const call = api.tx['balances']?.['transferKeepAlive']?.(address, 1_000_000_000_000n);
  await call?.signAndSend(keyring.addFromUri('//Charlie'));
  await expect
    .poll(async () => {
      const account = await api.query['system']?.['account']?.(address);
      return JSON.stringify(account);
    })
    .toContain('"providers":1');
  await api.disconnect();
}

/** A wallet's side of the interface that extensions offer, over a real key pair in this process. */
async function installWallet(page: Page, uri: string | undefined): Promise<{ locked: boolean }> {
  const state = { locked: true };
  const pair = uri && new Keyring({ type: 'sr25519' }).addFromUri(uri);
  await page.exposeFunction('walletSigns', (data: `0x${string}`): string => {
    if (state.locked || !pair) return '';
    const signature = pair.sign(data, { withType: true });
    return `0x${Buffer.from(signature).toString('hex')}`;
  });
  await page.addInitScript(
    (address) => {
      const wallet = window as unknown as { walletSigns(data: string): Promise<string> };
      // One of another kind is none of this chain's, and comes first.
      const other = { address: `0x${'11'.repeat(20)}`, name: 'Other', type: 'ethereum' };
      const accounts = address ? [other, { address, name: 'Mine', type: 'sr25519' }] : [];
      const extension = {
        accounts: { get: () => Promise.resolve(accounts), subscribe: () => () => undefined },
        signer: {
          async signRaw({ data }: { data: string }) {
            const signature = await wallet.walletSigns(data);
            if (signature === '') throw new Error('Cancelled');
            return { id: 1, signature };
          },
        },
      };
      const enable = () => Promise.resolve(extension);
      Object.assign(window, { injectedWeb3: { 'a-wallet': { version: '1', enable } } });
    },
    pair ? pair.address : undefined,
  );
  return state;
}

test('registers with a wallet, once it is unlocked', async ({ page }) => {
  const wallet = await installWallet(page, '//Bob');
  await open(page, 'Register');
  await page.getByRole('button', { name: 'Connect a wallet' }).click();
  const accounts = page.getByLabel('Account', { exact: true });
  await expect(accounts.locator('option:checked')).toHaveText('Mine (a-wallet)');
  await expect(accounts).not.toContainText('Other');
  await prepare(page, 'f');
  await button(page, 'Sign and register').click();
  await expect(page.getByText('Unlock the wallet')).toBeVisible();
  wallet.locked = false;
  await button(page, 'Show the cost').click();
  await button(page, 'Sign and register').click();
  await expect(page.getByText(REGISTERED)).toBeVisible();
});

test('says what an account lacks', async ({ page }) => {
  const wallet = await installWallet(page, '//Nobody');
  wallet.locked = false;
  await open(page, 'Register');
  await page.getByRole('button', { name: 'Connect a wallet' }).click();
  await prepare(page, '1');
  await expect(page.getByText('The account has 0 KEY for it')).toBeVisible();
  await expect(page.getByText(/too little: send it [\d.]+ KEY more/)).toBeVisible();
  await expect(button(page, 'Sign and register')).toHaveCount(0);
  await fund('//Nobody');
  await button(page, 'Show the cost').click();
  await button(page, 'Sign and register').click();
  await expect(page.getByText(REGISTERED)).toBeVisible();
});

test('says what a wallet lacks', async ({ page }) => {
  await open(page, 'Register');
  await page.getByRole('button', { name: 'Connect a wallet' }).click();
  await expect(page.getByRole('alert')).toContainText('No wallet answers');
  await installWallet(page, undefined);
  await page.reload();
  await page.getByRole('button', { name: 'Connect a wallet' }).click();
  await expect(page.getByRole('alert')).toContainText('shows no account to this page');
});
