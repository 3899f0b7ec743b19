/** What the chain shows on one fork and not on the other, and what another node shows. */

import { describe, expect, it, vi } from 'vitest';
import { type Account, address, member } from './chain.js';
import { failure } from './failure.js';
import {
  account,
  deadlineMs,
  hurried,
  input,
  isRegistered,
  listener,
  made,
  MEMOS_ALLOWED,
  nothing,
  NOTHING_ALLOWED,
  signer,
  stalled,
} from './following.js';

const servers = hurried();
const eve = address('Eve');

/** The attempt, or the key that became of it, with what nobody signed. */
const withOthers = (status: 'registering' | 'registered' = 'registering'): Account => ({
  ...made(1, status),
  constraints: [eve, MEMOS_ALLOWED],
});

describe('constraints that differ under the same registration id', () => {
  it('on another fork get no share, and no registration when that is final', async () => {
    const chain = stalled();
    chain.onSent = () => (chain.account = made(1, 'registering'));
    const { onProgress, types } = listener((progress) => {
      if (progress.type === 'server' && progress.state === 'retrying') {
        chain.account = withOthers();
      }
      if (progress.type !== 'retracted') return;
      servers.asked.length = 0;
      const leftIn = chain.block;
      chain.onBlock = () => {
        if (chain.block < leftIn + 20) return;
        chain.account = withOthers('registered');
        chain.final = undefined;
      };
    });
    const keyshare = await chain.connect();
    const error = await failure(keyshare.register({ ...input, onProgress, deadlineMs }));
    expect(error.name).toBe('ConstraintsDiffer');
    expect(types().slice(-1)).toEqual(['retracted']);
    expect(servers.asked).toEqual([]);
  });

  it('in the final block alone are no registration, though the best block had the right ones', async () => {
    const chain = stalled();
    chain.onSent = () => (chain.account = made(1, 'registered'));
    const { onProgress, types } = listener((progress) => {
      if (isRegistered(progress)) chain.final = { block: 1, account: withOthers('registered') };
    });
    const keyshare = await chain.connect();
    const error = await failure(keyshare.register({ ...input, onProgress, deadlineMs }));
    expect(error.name).toBe('ConstraintsDiffer');
    expect(types()).not.toContain('registered');
  });

  it('in the best block alone end nothing, and get no share', async () => {
    const chain = stalled();
    let askedBefore = NaN;
    chain.onSent = () => {
      chain.account = withOthers();
      const sentIn = chain.block;
      chain.onBlock = () => {
        if (chain.block !== sentIn + 20) return;
        askedBefore = servers.asked.length;
        chain.account = made(1, 'registering');
      };
    };
    const { onProgress, types } = listener((progress) => {
      if (progress.type !== 'server' || progress.state !== 'retrying') return;
      chain.account = made(1, 'registered');
      chain.final = undefined;
    });
    const keyshare = await chain.connect();
    const done = await keyshare.register({ ...input, onProgress, deadlineMs });
    expect([done.status, askedBefore]).toEqual(['registered', 0]);
    expect(types()).not.toContain('retracted');
  });

  it('are their owner’s once a final block had those that were signed', async () => {
    const chain = stalled();
    chain.onSent = () => {
      chain.account = made(1, 'registering');
      chain.final = undefined;
    };
    const { onProgress, of } = listener((progress, count) => {
      if (progress.type !== 'coverage') return;
      chain.account = count === 1 ? withOthers() : withOthers('registered');
    });
    const keyshare = await chain.connect();
    const done = await keyshare.register({ ...input, onProgress, deadlineMs });
    expect([done.status, of('retracted')]).toEqual(['registered', []]);
  });
});

describe('what only the best block shows', () => {
  it('is no deal that was made before, and ends nothing', async () => {
    const chain = stalled();
    let askedBefore = NaN;
    chain.onSent = () => {
      chain.account = made(3, 'registering', { signedFor: 1 });
      const sentIn = chain.block;
      chain.onBlock = () => {
        if (chain.block !== sentIn + 20) return;
        askedBefore = servers.asked.length;
        chain.account = made(1, 'registered');
        chain.final = undefined;
      };
    };
    const keyshare = await chain.connect();
    const done = await keyshare.register({ ...input, deadlineMs });
    expect([done.status, askedBefore]).toEqual(['registered', 0]);
  });

  it('is no subgroup that lacks its quorum for good', async () => {
    const error = { code: 9005, message: 'DecryptionFailed' };
    vi.mocked(fetch).mockImplementation(() =>
      Promise.resolve(Response.json({ jsonrpc: '2.0', id: 1, error })),
    );
    const chain = stalled();
    chain.onSent = () => (chain.account = made(1, 'registering'));
    let failed = 0;
    let isFinal = false;
    const { onProgress } = listener((progress) => {
      if (progress.type !== 'server' || progress.state !== 'failed') return;
      failed += 1;
      if (failed < 3) return;
      const failedIn = chain.block;
      chain.onBlock = () => {
        if (chain.block !== failedIn + 20) return;
        isFinal = true;
        chain.final = undefined;
      };
    });
    const registering = failure(
      (await chain.connect()).register({ ...input, onProgress, deadlineMs }),
    );
    expect([(await registering).name, isFinal]).toEqual(['Incomplete', true]);
  });
});

describe('a node that may not be believed, and was gone to meanwhile,', () => {
  const elsewhere = { endpoint: 'ws://192.0.2.1:9944' };

  it('is not believed that a key is registered', async () => {
    const chain = stalled();
    // Every server has confirmed, so that nothing is sealed any more.
    chain.onSent = () => (chain.account = made(1, 'registered'));
    const { onProgress, types } = listener((progress, count) => {
      if (!isRegistered(progress) || count < 2) return;
      chain.provider = elsewhere;
      chain.final = undefined;
    });
    const keyshare = await chain.connect();
    const error = await failure(keyshare.register({ ...input, onProgress, deadlineMs }));
    expect(error.name).toBe('InsecureNode');
    expect(types()).not.toContain('registered');
  });

  it('is not believed that a change is final', async () => {
    const chain = stalled(made(1, 'registered'));
    const keyshare = await chain.connect();
    chain.onSent = () => {
      chain.account = { ...made(1, 'registered'), constraints: [eve, NOTHING_ALLOWED] };
      chain.final = undefined;
      chain.provider = elsewhere;
    };
    const change = { account, signer, to: eve, deadlineMs };
    const error = await failure(keyshare.changeConstraintAccount(change));
    expect(error.name).toBe('InsecureNode');
  });
});

describe('a member of the best block', () => {
  const dave = member('Dave', 'Ready', 'Alice');
  const asked = () => servers.asked.filter((body) => body.includes(dave.server.account));

  it.each([
    ['that is none in the final one', undefined],
    ['that the final one has in another subgroup', 1],
  ])('%s gets no share until it is final there', async (_, elsewhere) => {
    const chain = stalled(nothing());
    const [before, joined] = [undefined, 0].map((subgroup) =>
      chain.subgroups.map((one) => ({
        ...one,
        members: one.id === subgroup ? [...one.members, dave] : one.members,
      })),
    );
    if (before === undefined || joined === undefined) throw new Error('two are made');
    chain.finalSubgroups = before.map((one) => ({
      ...one,
      members: one.id === elsewhere ? [...one.members, dave] : one.members,
    }));
    chain.subgroups = joined;
    const withDave = { joined: ['Dave'] };
    /** Whether anybody was asked before, and whether it was. */
    let askedBefore: boolean[] = [];
    chain.onSent = () => {
      chain.account = made(1, 'registering', withDave);
      const sentIn = chain.block;
      chain.onBlock = () => {
        if (chain.block !== sentIn + 20) return;
        askedBefore = [servers.asked.length > 0, asked().length > 0];
        chain.finalSubgroups = joined;
      };
    };
    const { onProgress } = listener((progress) => {
      if (progress.type !== 'server' || progress.server.account !== dave.server.account) return;
      if (progress.state !== 'retrying') return;
      chain.account = made(1, 'registered', withDave);
      chain.final = undefined;
    });
    const keyshare = await chain.connect();
    const done = await keyshare.register({ ...input, onProgress, deadlineMs });
    expect([done.status, askedBefore]).toEqual(['registered', [true, false]]);
    expect(asked()).not.toEqual([]);
    expect(asked().every((body) => body.includes('"subgroup":0'))).toBe(true);
  });
});
