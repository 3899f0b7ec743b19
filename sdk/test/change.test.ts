/** Calls that begin no attempt: done when a final block shows it, and not by what others did. */

import { describe, expect, it } from 'vitest';
import type { Constraints, Keyshare, Status, Waiting } from '../src/index.js';
import { type Account, address, Chain } from './chain.js';
import { failure } from './failure.js';
import {
  account,
  hurried,
  listener,
  made,
  MEMOS_ALLOWED,
  nothing,
  NOTHING_ALLOWED,
  shown,
  signer,
  stalled,
} from './following.js';

hurried();

const MEMOS: Constraints = { rules: ['1: solana memo'], fees: ['solana=9'], messages: 'never' };

describe('a change', () => {
  it('is done in a final block, told before, and told when it is taken back', async () => {
    const chain = stalled(made(1, 'registered'));
    const to = address('Eve');
    const changed = (): Account => ({
      ...made(1, 'registered'),
      constraints: [to, NOTHING_ALLOWED],
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
    chain.onSent = () => (chain.account = nothing(1));
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
    chain.account.constraints = [to, NOTHING_ALLOWED];
    const { onProgress, types } = listener((progress) => {
      if (progress.type === 'inBlock') chain.final = undefined;
    });
    const change = { account, signer, to, onProgress };
    const status = await (await chain.connect()).changeConstraintAccount(change);
    expect(status.constraintAccount).toBe(to);
    expect(types()).toEqual(['inBlock']);
  });

  it('that is there already is made when its block is left', async () => {
    const chain = stalled(made(1, 'registered'));
    const to = address('Eve');
    const changed = (): Account => ({
      ...made(1, 'registered'),
      constraints: [to, NOTHING_ALLOWED],
    });
    const keyshare = await chain.connect();
    chain.account = changed();
    chain.onSent = () => (chain.account = changed());
    const { onProgress, types } = listener((progress, count) => {
      // The call that made it first is lost with that block.
      if (progress.type === 'inBlock' && count === 1) chain.account = made(1, 'registered');
      if (progress.type === 'inBlock' && count === 2) chain.final = undefined;
    });
    const change = { account, signer, to, onProgress, deadlineMs: 4_000 };
    const status = await keyshare.changeConstraintAccount(change);
    expect(status.constraintAccount).toBe(to);
    expect(types()).toEqual(['inBlock', 'retracted', 'signing', 'submitted', 'inBlock']);
    // The same if the block is left before anybody was told.
    chain.account = changed();
    chain.stall();
    const other = address('Dave');
    chain.account = { ...changed(), constraints: [other, NOTHING_ALLOWED] };
    let blocks = 0;
    chain.onBlock = () => {
      blocks += 1;
      // The first one is read to see what there is.
      if (blocks === 2) chain.account = changed();
    };
    chain.onSent = () => {
      chain.account = { ...changed(), constraints: [other, NOTHING_ALLOWED] };
      chain.final = undefined;
    };
    const again = await keyshare.changeConstraintAccount({
      ...change,
      signer: { ...signer, address: to },
      to: other,
    });
    expect(again.constraintAccount).toBe(other);
  });
});

describe('a change that another one replaces before it is seen', () => {
  const [to, other] = [address('Eve'), address('Dave')];
  const owned = (by: string): Account => ({
    ...made(1, 'registered'),
    constraints: [by, NOTHING_ALLOWED],
  });

  it('is done when its own block is final and shows it', async () => {
    const chain = stalled(owned(account));
    const keyshare = await chain.connect();
    chain.onSent = () => {
      chain.block += 1;
      chain.account = owned(to);
      chain.tell({ status: 'Finalized' });
      chain.account = owned(other);
      chain.final = undefined;
    };
    const change = { account, signer, to, deadlineMs: 4_000 };
    const status = await keyshare.changeConstraintAccount(change);
    expect([status.constraintAccount, status.isFinal]).toEqual([to, true]);
  });

  it('is waited for as long as the chain has its block', async () => {
    const chain = stalled(owned(account));
    const keyshare = await chain.connect();
    chain.onSent = () => {
      chain.block += 1;
      chain.account = owned(to);
      const sentIn = chain.block;
      chain.tell({ status: 'InBlock' });
      chain.onBlock = () => {
        if (chain.block === sentIn + 2) chain.account = owned(other);
        if (chain.block !== sentIn + 20) return;
        chain.final = { block: sentIn + 2, account: owned(other) };
        chain.tellIn(sentIn, { status: 'Finalized' });
      };
    };
    const change = { account, signer, to, deadlineMs: 4_000 };
    const status = await keyshare.changeConstraintAccount(change);
    expect(status.constraintAccount).toBe(to);
  });

  it('is done when its own block is final, though the connection was lost', async () => {
    const chain = stalled(owned(account));
    const keyshare = await chain.connect();
    chain.onSent = () => {
      chain.block += 1;
      chain.account = owned(to);
      const sentIn = chain.block;
      chain.tell({ status: 'InBlock' });
      chain.account = owned(other);
      chain.onBlock = () => {
        if (chain.block === sentIn + 5) chain.final = undefined;
      };
    };
    const { onProgress } = listener(({ type }) => {
      if (type === 'submitted') chain.lose();
    });
    const change = { account, signer, to, onProgress, deadlineMs: 4_000 };
    const status = await keyshare.changeConstraintAccount(change);
    expect([status.constraintAccount, status.isFinal]).toEqual([to, true]);
  });

  it('is dropped when the chain has left its block and no other takes it', async () => {
    const chain = stalled(owned(account));
    const keyshare = await chain.connect();
    chain.onSent = () => {
      chain.block += 1;
      chain.account = owned(to);
      chain.tell({ status: 'InBlock' });
    };
    const { onProgress } = listener((progress) => {
      if (progress.type !== 'inBlock') return;
      // The node says nothing of it.
      chain.account = owned(account);
      for (let block = 0; block <= chain.block; block++) chain.left.add(block);
    });
    const change = { account, signer, to, onProgress, deadlineMs: 4_000 };
    const dropped = await failure(keyshare.changeConstraintAccount(change));
    expect([dropped.name, dropped.message]).toEqual([
      'Dropped',
      expect.stringContaining('no block has had it since'),
    ]);
  });

  it('is refused when the same block has both', async () => {
    const chain = stalled(owned(account));
    const keyshare = await chain.connect();
    chain.onSent = () => {
      chain.block += 1;
      chain.account = owned(other);
      chain.final = undefined;
      chain.tell({ status: 'Finalized' });
    };
    const change = { account, signer, to, deadlineMs: 4_000 };
    const refused = await failure(keyshare.changeConstraintAccount(change));
    expect([refused.name, refused.message]).toEqual([
      'Refused',
      expect.stringContaining('another call in there'),
    ]);
  });
});

describe('a node that is behind, after another one', () => {
  const to = address('Eve');
  const has = (by: string, constraints: Uint8Array): Account => ({
    ...made(1, 'registered'),
    constraints: [by, constraints],
  });
  const others = has(account, NOTHING_ALLOWED);
  const changed = has(to, NOTHING_ALLOWED);
  type Ask = (keyshare: Keyshare, waiting: Waiting) => Promise<Status>;
  const ask: Ask = (keyshare, waiting) =>
    keyshare.changeConstraintAccount({ account, signer, to, ...waiting });
  const set: Ask = (keyshare, waiting) =>
    keyshare.setConstraints({ account, signer, constraints: MEMOS, ...waiting });

  it.each([
    ['setConstraints', set, has(account, MEMOS_ALLOWED)],
    ['changeConstraintAccount', ask, changed],
  ] as const)('shows nothing of a call that was sent since: %s', async (_, call, wanted) => {
    const chain = new Chain();
    chain.block = 50;
    chain.account = others;
    const keyshare = await chain.connect();
    chain.onSent = () => {
      // What is asked for was so there, and is not any more later.
      chain.block = 10;
      chain.account = wanted;
      chain.onBlock = () => {
        if (chain.block === 15) chain.account = others;
        if (chain.block === 60) chain.account = wanted;
      };
    };
    const { onProgress, seen } = listener();
    const status = await call(keyshare, { onProgress, deadlineMs: 4_000 });
    expect([status.block, status.isFinal]).toEqual([60, true]);
    expect(seen.filter((one) => 'block' in one && one.block < 60)).toEqual([]);
  });

  it('does not show as final what only the best block of the other had', async () => {
    const chain = new Chain();
    chain.block = 50;
    chain.account = others;
    chain.stall();
    const keyshare = await chain.connect();
    chain.account = changed;
    // The first node is asked once.
    chain.onTold = () => {
      chain.onTold = () => undefined;
      chain.block = 10;
      chain.final = undefined;
      chain.onBlock = () => {
        if (chain.block === 15) chain.account = others;
        if (chain.block === 45) chain.account = changed;
      };
    };
    const { onProgress, types } = listener();
    const status = await ask(keyshare, { onProgress, deadlineMs: 4_000 });
    expect(status.block).toBeGreaterThan(50);
    expect(types()).not.toContain('signing');
  });
});

describe('what is removed', () => {
  it.each(['cancel', 'deregister'] as const)(
    'is not removed by a final fork that never had it: %s',
    async (name) => {
      const chain = stalled();
      chain.account = made(1, name === 'cancel' ? 'registering' : 'registered');
      const keyshare = await chain.connect();
      chain.onSent = () => {
        // The call comes into no block of this fork; there, nothing is to be removed yet.
        chain.account = nothing();
        chain.final = undefined;
      };
      const waiting = { signer, deadlineMs: 300 };
      expect((await failure(keyshare[name](waiting))).name).toBe('DeadlinePassed');
    },
  );
});

describe('a cancel', () => {
  it('that came too late, after the attempt was completed, is refused', async () => {
    for (const isTold of [true, false]) {
      const chain = stalled(made(1, 'registering'));
      chain.onSent = () => {
        chain.account = made(1, 'registered');
        chain.final = undefined;
        if (isTold) chain.tell({ status: 'Finalized', refused: 'NotRegistering' });
      };
      const late = await failure((await chain.connect()).cancel({ signer, deadlineMs: 4_000 }));
      expect([late.name, late.chainError]).toEqual(['Refused', 'registration.NotRegistering']);
      expect(late.message).toContain('it came too late');
    }
  });

  it('that comes too late in the best block alone is not refused yet', async () => {
    const chain = stalled(made(1, 'registering'));
    let blocks = 0;
    chain.onSent = () => {
      chain.account = made(1, 'registered');
      chain.onBlock = () => {
        blocks += 1;
        // The chain leaves it for one in which the cancel was first.
        if (blocks === 3) chain.account = nothing(1);
        if (blocks === 5) chain.final = undefined;
      };
    };
    const cancelled = await (await chain.connect()).cancel({ signer, deadlineMs: 4_000 });
    expect([cancelled.registering, cancelled.registered]).toEqual([null, null]);
  });

  it('is done though another attempt begins right after', async () => {
    const chain = stalled(made(1, 'registering'));
    chain.onSent = () => {
      chain.account = made(2, 'registering', { signedFor: 2 });
      chain.final = undefined;
    };
    const cancelled = await (await chain.connect()).cancel({ signer, deadlineMs: 4_000 });
    expect(cancelled.registering?.generation).toBe(2);
  });
});

describe('a deregistration', () => {
  it('is done though another attempt begins right after', async () => {
    const chain = stalled(made(1, 'registered'));
    chain.onSent = () => {
      chain.account = made(2, 'registering', { signedFor: 2 });
      chain.final = undefined;
    };
    const gone = await (await chain.connect()).deregister({ signer, deadlineMs: 4_000 });
    expect([gone.registered, gone.registering?.generation]).toEqual([null, 2]);
  });

  it('is not done when the swap under way is completed first', async () => {
    const swap = { signedFor: 2 };
    const registering = shown(2, 'registering', swap);
    const chain = stalled({ ...made(1, 'registered'), generation: 2, registering });
    let blocks = 0;
    chain.onSent = () => {
      chain.account = made(2, 'registered', swap);
      chain.final = undefined;
      chain.onBlock = () => {
        blocks += 1;
        if (blocks === 5) chain.account = nothing(2);
      };
    };
    const gone = await (await chain.connect()).deregister({ signer, deadlineMs: 4_000 });
    expect([gone.registered, blocks]).toEqual([null, 5]);
  });

  it('is not done when a swap begins and is completed while the wallet asks', async () => {
    const chain = stalled(made(1, 'registered'));
    const keyshare = await chain.connect();
    let blocks = 0;
    chain.onSigned = () => {
      chain.account = made(2, 'registered', { signedFor: 2 });
      chain.final = undefined;
    };
    chain.onSent = () => {
      chain.onBlock = () => {
        blocks += 1;
        if (blocks === 5) chain.account = nothing(2);
      };
    };
    const gone = await keyshare.deregister({ signer, deadlineMs: 4_000 });
    expect([gone.registered, blocks]).toEqual([null, 5]);
  });

  it('is not sent when the key is gone while the wallet asks', async () => {
    const chain = stalled(made(1, 'registered'));
    const keyshare = await chain.connect();
    let isSent = false;
    chain.onSigned = () => (chain.account = nothing(1));
    chain.onSent = () => (isSent = true);
    const refused = await failure(keyshare.deregister({ signer, deadlineMs: 4_000 }));
    expect([refused.chainError, isSent]).toEqual(['registration.NotRegistered', false]);
  });
});
