/** What a best block shows is news; only what is final ends anything, and what was lost is noticed. */

import type { Signer } from '@polkadot/api/types';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Dealer, type Dealt, dealer, fromHex, type Progress } from '../src/index.js';
import { type Account, address, Chain, dealt, keyOf } from './chain.js';
import { failure } from './failure.js';

const account = address('Ferdie');
const key = keyOf('1');
const signer = { address: account, signer: {} as Signer };
const input = { key, scheme: 'ed25519', signer } as const;
const NO_RULES: [string, Uint8Array] = [account, fromHex('0x0200000000')];

/** The first attempt of the key, as the chain shows it, or the key in force. */
function made(generation: number, status: 'registering' | 'registered'): Account {
  const isDone = status === 'registered';
  const covered = ['Alice', 'Bob', 'Charlie'].map((name) => ({
    members: [name],
    ready: [name],
    confirmed: isDone ? [name] : [],
  }));
  const of = { account, generation, threshold: 2, signedFor: 1 };
  const shown = dealt(
    'ed25519',
    key,
    of,
    isDone ? { registered: null } : { registering: { expiresAt: 300 } },
    covered,
  );
  const none = { generation, constraints: NO_RULES, registered: null, registering: null };
  return { ...none, [status]: shown };
}

const nothing = (): Account => ({
  generation: 0,
  constraints: null,
  registered: null,
  registering: null,
});

let hurrying: ReturnType<typeof setInterval>;
/** What servers were asked; none answers. */
let asked: string[];

beforeEach(() => {
  // A second between two questions for the best block is long, and nothing here is about time.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  hurrying = setInterval(() => vi.advanceTimersByTime(500), 2);
  asked = [];
  vi.spyOn(globalThis, 'fetch').mockImplementation((_, init) => {
    asked.push(init?.body as string);
    return Promise.reject(new TypeError('offline'));
  });
});

afterEach(() => {
  clearInterval(hurrying);
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Hears progress, and makes what comes next of it; `count` is how often its type came. */
function listener(next: (progress: Progress, count: number) => void = () => undefined) {
  const seen: Progress[] = [];
  const of = (type: Progress['type']) => seen.filter((one) => one.type === type);
  const onProgress = (progress: Progress) => {
    seen.push(progress);
    next(progress, of(progress.type).length);
  };
  return { onProgress, seen, of, types: () => seen.map(({ type }) => type) };
}

/** Whether progress shows the key as registered in a best block. */
const isRegistered = (progress: Progress) =>
  progress.type === 'coverage' && progress.registration.status === 'registered';

/** A chain whose last final block is from before anything. */
function stalled(before: Account = nothing()): Chain {
  const chain = new Chain();
  chain.account = before;
  chain.stall();
  return chain;
}

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
        before = asked.length;
        // Another attempt came and went first: a later generation, and another registration id.
        chain.account = made(2, 'registering');
      }
      if (progress.type !== 'server' || progress.state !== 'retrying') return;
      if (of('open').length !== 2) return;
      chain.account = made(2, 'registered');
      chain.final = undefined;
    });
    const registration = await (await chain.connect()).register({ ...input, onProgress });
    expect(registration.generation).toBe(2);
    expect([of('open').length, of('retracted').length, of('registered').length]).toEqual([2, 1, 1]);
    const generations = asked.map((body) => /"generation":(\d+)/.exec(body)?.[1]);
    expect(generations.slice(before).length).toBeGreaterThan(0);
    expect(new Set(generations.slice(before))).toEqual(new Set(['2']));
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
    const gone = { ...nothing(), generation: 1 };
    const error = await failure((await chain.connect()).register({ ...input, onProgress }));
    expect(error.name).toBe('AttemptGone');
    expect(types()).not.toContain('registered');
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

describe('a call that was sent', () => {
  it.each([
    ['Dropped', 'pool is full'],
    ['Invalid', 'valid no more'],
    ['Usurped', 'took its place'],
    ['FinalityTimeout', 'did not become final in time'],
  ])('and is said to be %s, is given up', async (status, words) => {
    const chain = stalled();
    const keyshare = await chain.connect();
    chain.onSent = () => {
      chain.tell({ status });
    };
    const error = await failure(keyshare.register(input));
    expect([error.name, error.message]).toEqual(['Dropped', expect.stringContaining(words)]);
    expect(error.hint).toContain('look at the status');
    // The same for every other call.
    const owned = stalled(made(1, 'registered'));
    owned.onSent = () => {
      owned.tell({ status });
    };
    expect((await failure((await owned.connect()).deregister({ signer }))).name).toBe('Dropped');
  });

  it('is given up when its block is left and it is said to be invalid then', async () => {
    const chain = stalled();
    chain.onSent = () => (chain.account = made(1, 'registered'));
    const { onProgress, types } = listener((progress) => {
      if (!isRegistered(progress)) return;
      chain.account = nothing();
      chain.tell({ status: 'Retracted' });
      chain.tell({ status: 'Invalid' });
    });
    const error = await failure((await chain.connect()).register({ ...input, onProgress }));
    expect(error.name).toBe('Dropped');
    expect(types()).not.toContain('registered');
  });

  it('is not given up while the chain shows what it does', async () => {
    const chain = stalled();
    chain.onSent = () => {
      chain.account = made(1, 'registered');
      chain.tell({ status: 'FinalityTimeout' });
    };
    let blocks = 0;
    const { onProgress } = listener((progress) => {
      if (isRegistered(progress) && (blocks += 1) === 3) chain.final = undefined;
    });
    const done = await (await chain.connect()).register({ ...input, onProgress });
    expect(done.status).toBe('registered');
  });

  it('may come back after its block was left, and is given up if it does not', async () => {
    for (const returns of [true, false]) {
      const chain = stalled();
      chain.onSent = () => (chain.account = made(1, 'registered'));
      let left = 0;
      const { onProgress } = listener((progress) => {
        if (isRegistered(progress) && left === 0) {
          left = chain.block;
          chain.account = nothing();
          chain.tell({ status: 'Retracted' });
        }
        if (progress.type === 'retracted' && returns) {
          chain.account = made(1, 'registered');
          chain.tell({ status: 'InBlock' });
          chain.final = undefined;
        }
      });
      const registering = (await chain.connect()).register({ ...input, onProgress });
      if (returns) {
        expect((await registering).status).toBe('registered');
        continue;
      }
      const error = await failure(registering);
      expect([error.name, error.message]).toEqual([
        'Dropped',
        expect.stringContaining('no block has had it since'),
      ]);
      expect(chain.block).toBeGreaterThan(left + 10);
    }
  });

  it('is refused once the block that refused it is final', async () => {
    const chain = stalled();
    const keyshare = await chain.connect();
    chain.onSent = () => {
      chain.tell({ status: 'InBlock', refused: 'Exhausted' });
      chain.tell({ status: 'Finalized', refused: 'Exhausted' });
    };
    const refused = await failure(keyshare.register(input));
    expect([refused.name, refused.message]).toEqual([
      'Refused',
      expect.stringContaining('Exhausted'),
    ]);
  });

  it('is not refused by a block that is left again', async () => {
    const chain = stalled();
    chain.onSent = () => {
      chain.tell({ status: 'InBlock', refused: 'Exhausted' });
      const sentIn = chain.block;
      chain.onBlock = () => {
        if (chain.block !== sentIn + 3) return;
        chain.tell({ status: 'Retracted' });
        chain.tell({ status: 'InBlock' });
        chain.account = made(1, 'registered');
        chain.final = undefined;
      };
    };
    expect((await (await chain.connect()).register(input)).status).toBe('registered');
  });

  it('that another block refuses after the first was left is refused, and not lost', async () => {
    const chain = stalled();
    chain.onSent = () => {
      chain.tell({ status: 'InBlock' });
      chain.tell({ status: 'Retracted' });
      chain.tell({ status: 'InBlock', refused: 'Exhausted' });
      const sentIn = chain.block;
      chain.onBlock = () => {
        if (chain.block === sentIn + 30) chain.tell({ status: 'Finalized', refused: 'Exhausted' });
      };
    };
    expect((await failure((await chain.connect()).register(input))).name).toBe('Refused');
  });
});

describe('a change', () => {
  it('is done in a final block, told before, and told when it is taken back', async () => {
    const chain = stalled(made(1, 'registered'));
    const to = address('Eve');
    const changed = (): Account => ({
      ...made(1, 'registered'),
      constraints: [to, fromHex('0x0200000000')],
    });
    chain.onSent = () => (chain.account = changed());
    const { onProgress, types } = listener((progress, count) => {
      if (progress.type === 'inBlock' && count === 1) chain.account = made(1, 'registered');
      if (progress.type === 'retracted') chain.account = changed();
      if (progress.type === 'inBlock' && count === 2) chain.final = undefined;
    });
    const status = await (
      await chain.connect()
    ).changeConstraintAccount({ account, signer, to, onProgress });
    expect([status.constraintAccount, status.isFinal]).toEqual([to, true]);
    expect(types()).toEqual(['signing', 'submitted', 'inBlock', 'retracted', 'inBlock']);
  });

  it('is not done by a final block from before what it changes', async () => {
    // The attempt is in the best block alone, so that the final one never had it.
    const chain = stalled();
    chain.account = made(1, 'registering');
    chain.onSent = () => undefined;
    const keyshare = await chain.connect();
    const waiting = { signer, deadlineMs: 200 };
    expect((await failure(keyshare.cancel(waiting))).name).toBe('DeadlinePassed');
    // In the best block it is cancelled: not final yet.
    chain.onSent = () => (chain.account = { ...nothing(), generation: 1 });
    expect((await failure(keyshare.cancel(waiting))).name).toBe('DeadlinePassed');
    chain.account = made(1, 'registering');
    const { onProgress } = listener((progress) => {
      if (progress.type === 'inBlock') chain.final = undefined;
    });
    const cancelled = await keyshare.cancel({ signer, onProgress });
    expect([cancelled.registering, cancelled.isFinal]).toEqual([null, true]);
  });

  it('that is there already is waited for, and not signed again', async () => {
    const chain = stalled(made(1, 'registered'));
    const to = address('Eve');
    chain.account.constraints = [to, fromHex('0x0200000000')];
    const { onProgress, types } = listener((progress) => {
      if (progress.type === 'inBlock') chain.final = undefined;
    });
    const change = { account, signer, to, onProgress };
    const status = await (await chain.connect()).changeConstraintAccount(change);
    expect(status.constraintAccount).toBe(to);
    expect(types()).toEqual(['inBlock']);
  });
});

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
