/** What a best block shows is news; only what is final ends anything. */

import { describe, expect, it, vi } from 'vitest';
import { type Dealer, type Dealt, dealer } from '../src/index.js';
import type { Chain } from './chain.js';
import { failure } from './failure.js';
import {
  account,
  hurried,
  input,
  isRegistered,
  key,
  listener,
  made,
  nothing,
  signer,
  stalled,
} from './following.js';

const servers = hurried();

describe('a registration', () => {
  it('is done in a final block, and not before', async () => {
    const chain = stalled();
    chain.onSent = () => (chain.account = made(1, 'registering'));
    let blocks = 0;
    const { onProgress, types } = listener((progress) => {
      if (progress.type === 'open') chain.account = made(1, 'registered');
      if (isRegistered(progress) && (blocks += 1) === 3) chain.final = undefined;
    });
    const registration = await (await chain.connect()).register({ ...input, onProgress });
    expect(registration.status).toBe('registered');
    expect(blocks).toBeGreaterThanOrEqual(3);
    expect(types().slice(0, 3)).toEqual(['signing', 'submitted', 'open']);
    expect(types().indexOf('registered')).toBe(types().length - 1);
    expect(types()).not.toContain('retracted');
    expect(chain.isHeard).toBe(false);
  });

  it('is none when it is in the best block and is never final', async () => {
    const chain = stalled();
    chain.onSent = () => (chain.account = made(1, 'registered'));
    const { onProgress, types } = listener();
    const waiting = { ...input, onProgress, deadlineMs: 300 };
    const late = await failure((await chain.connect()).register(waiting));
    expect(late.name).toBe('DeadlinePassed');
    expect(types()).toContain('coverage');
    expect(types()).not.toContain('registered');
  });

  it('that the chain takes back is none; its shares go out again when it returns', async () => {
    const chain = stalled();
    chain.onSent = () => (chain.account = made(1, 'registering'));
    let before = 0;
    const { onProgress, of } = listener((progress, count) => {
      if (progress.type === 'open' && count === 1) chain.account = made(1, 'registered');
      if (isRegistered(progress) && of('open').length === 1) chain.account = nothing();
      if (progress.type === 'retracted') {
        before = servers.asked.length;
        chain.account = made(1, 'registering');
      }
      if (progress.type !== 'server' || progress.state !== 'retrying') return;
      if (of('open').length !== 2) return;
      chain.account = made(1, 'registered');
      chain.final = undefined;
    });
    await (await chain.connect()).register({ ...input, onProgress });
    expect([of('open').length, of('retracted').length, of('registered').length]).toEqual([2, 1, 1]);
    expect(servers.asked.length).toBeGreaterThan(before);
  });

  it('sends a share again whose confirmation the chain takes back', async () => {
    const chain = stalled();
    chain.onSent = () => (chain.account = made(1, 'registered'));
    const { onProgress, of } = listener((progress) => {
      if (isRegistered(progress)) chain.account = made(1, 'registering');
      if (progress.type !== 'server' || progress.state !== 'retrying') return;
      chain.account = made(1, 'registered');
      chain.final = undefined;
    });
    await (await chain.connect()).register({ ...input, onProgress });
    const states = of('server').map((one) => (one.type === 'server' ? one.state : ''));
    // Nothing was to be sent as long as the chain showed every confirmation.
    expect(states.slice(0, 3)).toEqual(['confirmed', 'confirmed', 'confirmed']);
    expect(states).toContain('retrying');
  });

  it('is gone when a final block has had its generation, and has it no more', async () => {
    const chain = stalled();
    chain.onSent = () => (chain.account = made(1, 'registering'));
    const { onProgress, types } = listener((progress) => {
      if (progress.type === 'open') chain.account = nothing();
      if (progress.type === 'retracted') chain.final = { ...final(chain), account: gone };
    });
    const gone = nothing(1);
    const error = await failure((await chain.connect()).register({ ...input, onProgress }));
    expect(error.name).toBe('AttemptGone');
    expect(types()).not.toContain('registered');
  });

  it('leaves no timer behind, which would keep a program running', async () => {
    const keyshare = await stalled(made(1, 'registered')).connect();
    expect((await keyshare.register(input)).status).toBe('registered');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('that is there already is done when it is final, too', async () => {
    const chain = stalled();
    chain.account = made(1, 'registered');
    let blocks = 0;
    const { onProgress, types } = listener((progress) => {
      if (isRegistered(progress) && (blocks += 1) === 2) chain.final = undefined;
    });
    await (await chain.connect()).register({ ...input, onProgress });
    expect(blocks).toBeGreaterThanOrEqual(2);
    expect(types()).not.toContain('signing');
  });
});

function final({ final: known, block, account: shown }: Chain): NonNullable<Chain['final']> {
  return known ?? { block, account: shown };
}

it('a status says whether it is final', async () => {
  const chain = stalled();
  const keyshare = await chain.connect();
  expect((await keyshare.status(account)).isFinal).toBe(true);
  chain.account = made(1, 'registered');
  const news = await keyshare.status(account);
  expect([news.registered?.status, news.isFinal, news.block]).toEqual([
    'registered',
    false,
    chain.block,
  ]);
  const seen: boolean[] = [];
  // A key that is gone, as well.
  chain.final = { block: 1, account: { ...chain.account, registered: null } };
  expect((await keyshare.status(account)).isFinal).toBe(false);
  for await (const { isFinal } of keyshare.watch(account)) {
    seen.push(isFinal);
    chain.final = undefined;
    if (isFinal) break;
  }
  expect(seen[0]).toBe(false);
});

describe('what is dealt too late', () => {
  /** A dealer that deals when it is told to, and says what was wiped. */
  function slow(): { dealer: Dealer; deal: () => void; wiped: () => number; begun: Promise<void> } {
    let deal: () => void = () => undefined;
    let begin: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    let wiped = 0;
    const real = dealer('ed25519', key);
    const source: Dealer = {
      scheme: 'ed25519',
      async deal(parameters, attempt): Promise<Dealt> {
        const made = await real.deal(parameters, attempt);
        const wipe = () => {
          wiped += 1;
          made.wipe();
        };
        begin();
        await new Promise<void>((resolve) => (deal = resolve));
        return { ...made, wipe };
      },
    };
    const released = () => {
      deal();
    };
    return { dealer: source, deal: released, wiped: () => wiped, begun };
  }

  it.each([
    ['for a new attempt', nothing()],
    ['to take one up', made(1, 'registering')],
  ])('is wiped: %s', async (_, before) => {
    const chain = stalled(before);
    const keyshare = await chain.connect();
    const { dealer: source, deal, wiped, begun } = slow();
    const abort = new AbortController();
    const registering = failure(
      keyshare.register({ dealer: source, signer, signal: abort.signal }),
    );
    await begun;
    abort.abort();
    expect((await registering).name).toBe('Aborted');
    expect(wiped()).toBe(0);
    deal();
    await vi.waitFor(() => {
      expect(wiped()).toBe(1);
    });
  });
});
