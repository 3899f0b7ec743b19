/** Which attempt is delivered, and that no other one is taken for it. */

import { describe, expect, it, vi } from 'vitest';
import { type Constraints, type Dealer, dealer, type Progress, toHex } from '../src/index.js';
import { address, idOf } from './chain.js';
import { failure } from './failure.js';
import {
  account,
  deadlineMs,
  hurried,
  input,
  isRegistered,
  key,
  listener,
  made,
  MEMOS_ALLOWED,
  nothing,
  NOTHING_ALLOWED,
  shown,
  signer,
  stalled,
} from './following.js';

const servers = hurried();

describe('an attempt that another call began with other constraints', () => {
  const eve = address('Eve');
  const wanted: Constraints = { rules: ['1: solana memo'], fees: ['solana=9'], messages: 'never' };

  it.each([
    ['than the rules that are signed', { constraints: wanted }, [account, NOTHING_ALLOWED]],
    ['than none, which are signed', {}, [account, MEMOS_ALLOWED]],
    ['than another account’s', { constraintAccount: eve }, [account, NOTHING_ALLOWED]],
    ['than the account’s own', { constraints: wanted }, [eve, MEMOS_ALLOWED]],
  ] as const)('%s, gets no share', async (_, named, [owner, bytes]) => {
    const chain = stalled();
    chain.onSent = () => {
      // The earlier call has the same commitments, and so the later one is refused.
      chain.account = { ...made(1, 'registering'), constraints: [owner, bytes] };
      chain.tell({ status: 'InBlock', refused: 'AlreadyRegistering' });
      const sentIn = chain.block;
      chain.onBlock = () => {
        if (chain.block === sentIn + 5) chain.final = undefined;
      };
    };
    const { onProgress, types } = listener();
    const keyshare = await chain.connect();
    const error = await failure(keyshare.register({ ...input, ...named, onProgress, deadlineMs }));
    expect(error.name).toBe('ConstraintsDiffer');
    expect(types()).toEqual(['signing', 'submitted']);
    expect(servers.asked).toEqual([]);
  });

  it('is none that is done, though only a final block has shown it', async () => {
    const chain = stalled();
    chain.onSent = () => {
      chain.account = nothing(1);
      const registered = { ...made(1, 'registered'), constraints: [eve, MEMOS_ALLOWED] } as const;
      chain.final = { block: 1, account: { ...registered, constraints: [eve, MEMOS_ALLOWED] } };
    };
    const error = await failure((await chain.connect()).register({ ...input, deadlineMs }));
    expect(error.name).toBe('ConstraintsDiffer');
  });

  it('gets its shares with the constraints that are signed', async () => {
    const chain = stalled();
    chain.onSent = () => {
      chain.account = { ...made(1, 'registered'), constraints: [eve, MEMOS_ALLOWED] };
      chain.final = undefined;
    };
    const signed = { ...input, constraints: wanted, constraintAccount: eve };
    expect((await (await chain.connect()).register(signed)).status).toBe('registered');
  });
});

describe('a deal whose call is submitted again as a later attempt is not delivered', () => {
  const again = { signedFor: 1 };
  /** Expects that it is refused, and no server asked. */
  async function expectRefused(registering: Promise<unknown>): Promise<void> {
    const error = await failure(registering);
    expect([error.name, error.message]).toEqual([
      'DealtBefore',
      'attempt 3 has the commitments that were dealt for attempt 1',
    ]);
    expect(error.hint).toContain('Cancel the attempt');
    expect(servers.asked).toEqual([]);
  }

  it('when it is taken up', async () => {
    const keyshare = await stalled(made(3, 'registering', again)).connect();
    await expectRefused(keyshare.register(input));
    await expectRefused(keyshare.register({ ...input, onlyResume: true }));
    const owned = { ...made(3, 'registered', again) };
    const registered = await stalled(owned).connect();
    await expectRefused(registered.register(input));
    const registering = shown(3, 'registering', again);
    const swapping = stalled({ ...made(2, 'registered', { signedFor: 2 }), registering });
    await expectRefused((await swapping.connect()).swapKey(input));
  });

  it('when others came first while it was signed', async () => {
    const chain = stalled();
    chain.onSent = () => {
      chain.account = made(3, 'registering', again);
      chain.final = undefined;
    };
    await expectRefused((await chain.connect()).register({ ...input, deadlineMs }));
  });

  it('when the chain leaves its block, and others come first then', async () => {
    const chain = stalled();
    chain.onSent = () => (chain.account = made(1, 'registering'));
    const { onProgress, types } = listener((progress) => {
      if (progress.type === 'retracted') chain.final = undefined;
      if (progress.type !== 'open') return;
      servers.asked.length = 0;
      chain.account = made(3, 'registering', again);
    });
    vi.mocked(fetch).mockImplementation((_, init) => {
      const body = init?.body as string;
      if (body.includes('"generation":3')) servers.asked.push(body);
      return Promise.reject(new TypeError('offline'));
    });
    const registering = (await chain.connect()).register({ ...input, onProgress, deadlineMs });
    await expectRefused(registering);
    expect(types().at(-1)).toBe('retracted');
  });
});

describe('an attempt that was over before it was seen', () => {
  it.each(['is known to be final', 'is not heard of any more'])(
    'is gone when its call %s',
    async (how) => {
      const chain = stalled();
      chain.onSent = () => {
        chain.account = nothing(1);
        chain.final = undefined;
        if (how.includes('final')) chain.tell({ status: 'Finalized' });
        else chain.lose();
      };
      const error = await failure((await chain.connect()).register({ ...input, deadlineMs }));
      expect(error.name).toBe('AttemptGone');
    },
  );

  it('is not taken for gone while its call is on its way', async () => {
    const chain = stalled();
    chain.onSent = () => {
      // Another attempt has come and gone.
      chain.account = nothing(1);
      chain.final = undefined;
      const sentIn = chain.block;
      chain.onBlock = () => {
        if (chain.block !== sentIn + 5) return;
        chain.tell({ status: 'Finalized', refused: 'AlreadyRegistering' });
      };
    };
    const error = await failure((await chain.connect()).register({ ...input, deadlineMs }));
    expect(error.name).toBe('Refused');
  });
});

it('an attempt that was over before it was seen is gone, though the node did not answer the call', async () => {
  const chain = stalled();
  chain.sendError = new Error('No response received from RPC endpoint in 60s');
  const { onProgress } = listener(({ type }) => {
    if (type !== 'submitted') return;
    chain.account = nothing(1);
    chain.final = undefined;
  });
  const keyshare = await chain.connect();
  const error = await failure(keyshare.register({ ...input, onProgress, deadlineMs }));
  expect(error.name).toBe('AttemptGone');
});

describe('an attempt that is taken up', () => {
  it('is given up when its block is left and it does not return', async () => {
    const chain = stalled();
    chain.account = made(1, 'registering');
    let left = 0;
    const { onProgress } = listener((progress) => {
      if (progress.type !== 'open') return;
      left = chain.block;
      chain.account = nothing();
    });
    const keyshare = await chain.connect();
    const error = await failure(keyshare.register({ ...input, onProgress, deadlineMs }));
    expect(error.name).toBe('Dropped');
    expect(chain.block).toBeGreaterThan(left + 10);
  });

  it('is not given up for a node that is behind, once a final block had it', async () => {
    const chain = stalled(made(1, 'registering'));
    let lacking = 0;
    const { onProgress } = listener((progress, count) => {
      if (progress.type !== 'open' || count > 1) return;
      chain.account = nothing();
      chain.final = undefined;
      chain.onBlock = () => {
        lacking += 1;
        if (lacking === 20) chain.account = made(1, 'registered');
      };
    });
    const keyshare = await chain.connect();
    const done = await keyshare.register({ ...input, onProgress, deadlineMs });
    expect([done.status, lacking >= 20]).toEqual(['registered', true]);
  });

  it('is not refused by a node that is behind, once a final block had it', async () => {
    const chain = stalled();
    chain.onSent = () => {
      chain.account = made(1, 'registering');
      chain.final = undefined;
      chain.tell({ status: 'Finalized', unread: 'State already discarded' });
    };
    let lacking = 0;
    const { onProgress } = listener((progress, count) => {
      if (progress.type !== 'open' || count > 1) return;
      chain.account = nothing();
      chain.onBlock = () => {
        lacking += 1;
        if (lacking === 3) chain.account = made(1, 'registered');
      };
    });
    const keyshare = await chain.connect();
    const done = await keyshare.register({ ...input, onProgress, deadlineMs });
    expect([done.status, lacking >= 3]).toEqual(['registered', true]);
  });

  it('is told to servers in SS58, however the account is given', async () => {
    const keyshare = await stalled(made(1, 'registering')).connect();
    const bytes = toHex(idOf(account));
    await failure(keyshare.register({ ...input, signer: bytes, deadlineMs: 500 }));
    expect(servers.asked).not.toEqual([]);
    expect(servers.asked.filter((body) => !body.includes(`"account":"${account}"`))).toEqual([]);
  });

  it('is not another program’s, which has dealt the same key', async () => {
    // A deal that this program makes for no generation up to the attempt's.
    const chain = stalled(made(1, 'registering', { signedFor: 99 }));
    const keyshare = await chain.connect();
    for (const onlyResume of [true, false]) {
      const error = await failure(keyshare.register({ ...input, onlyResume }));
      expect([error.name, error.chainError]).toEqual([
        'Refused',
        'registration.AlreadyRegistering',
      ]);
      expect(error.message).toContain('another program');
      expect(error.hint).toContain('that began it');
    }
  });
});

it('what the dealer fails at is told in its words, and not as a server’s failure', async () => {
  const chain = stalled(made(1, 'registering'));
  const real = dealer('ed25519', key);
  const failing: Dealer = {
    scheme: 'ed25519',
    deal: async (parameters, attempt) => ({
      ...(await real.deal(parameters, attempt)),
      seal: () => Promise.reject(new Error('the thread ran out of memory')),
    }),
  };
  const keyshare = await chain.connect();
  const resumed = { dealer: failing, signer, onlyResume: true, deadlineMs };
  const error = await failure(keyshare.register(resumed));
  expect([error.name, error.message]).toEqual([
    'Incomplete',
    expect.stringContaining('the thread ran out of memory'),
  ]);
  expect(servers.asked).toEqual([]);
});

it('a server that refused and has confirmed since is heard again when that is taken back', async () => {
  const chain = stalled();
  chain.onSent = () => (chain.account = made(1, 'registering'));
  const alice = address('Alice/server');
  let isAsked = false;
  vi.mocked(fetch).mockImplementation((_, init) => {
    const isFirst = !isAsked && (init?.body as string).includes(alice);
    if (!isFirst) return new Promise(() => undefined);
    isAsked = true;
    const error = { code: 9005, message: 'DecryptionFailed' };
    return Promise.resolve(Response.json({ jsonrpc: '2.0', id: 1, error }));
  });
  const states: string[] = [];
  const next = (progress: Progress): void => {
    if (isRegistered(progress)) chain.final = undefined;
    if (progress.type !== 'server' || progress.server.account !== alice) return;
    states.push(progress.state);
    if (progress.state === 'failed') {
      chain.account = made(1, 'registering', { confirmed: ['Alice'] });
    }
    if (progress.state === 'confirmed') chain.account = made(1, 'registering');
    // It is asked once more.
    if (states.filter((state) => state === 'sent').length === 2) {
      chain.account = made(1, 'registered');
    }
  };
  const { onProgress } = listener(next);
  const done = await (await chain.connect()).register({ ...input, onProgress, deadlineMs });
  expect(done.status).toBe('registered');
  expect(states.slice(0, 6)).toEqual(['sealed', 'sent', 'failed', 'confirmed', 'sealed', 'sent']);
});

it('a status shows what the block has whose number it tells', async () => {
  const chain = stalled();
  const keyshare = await chain.connect();
  // The next block comes between two questions.
  chain.onTold = () => (chain.account = made(1, 'registered'));
  const before = await keyshare.status(account);
  expect(before.registered).toBeNull();
  const after = await keyshare.status(account);
  expect([after.registered?.status, after.block]).toEqual(['registered', before.block + 1]);
});
