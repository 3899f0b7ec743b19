/** What becomes of a call that was sent, and that what was lost is noticed. */

import { describe, expect, it, vi } from 'vitest';
import { failure } from './failure.js';
import {
  hurried,
  input,
  isRegistered,
  listener,
  made,
  nothing,
  signer,
  stalled,
} from './following.js';

hurried();

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
          // The node says nothing of it: its pool never tells that a block was left.
          chain.account = nothing();
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

  it('is not given up for what the best block lacks and a final one has', async () => {
    const chain = stalled(made(1, 'registering'));
    let lacking = 0;
    const { onProgress } = listener((progress) => {
      if (progress.type === 'open') chain.account = nothing(1);
      if (progress.type !== 'retracted') return;
      chain.onBlock = () => {
        lacking += 1;
        if (lacking < 20) return;
        chain.account = made(1, 'registered');
        chain.final = undefined;
      };
    });
    const keyshare = await chain.connect();
    const done = await keyshare.register({ ...input, onProgress, deadlineMs: 4_000 });
    expect([done.status, lacking >= 20]).toEqual(['registered', true]);
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

  it('is refused by a final block for what has no name', async () => {
    const chain = stalled();
    const keyshare = await chain.connect();
    chain.onSent = () => {
      chain.tell({ status: 'Finalized', refused: 'Module 99', isUnknown: true });
    };
    const refused = await failure(keyshare.register({ ...input, deadlineMs: 4_000 }));
    expect([refused.name, refused.message]).toEqual([
      'Refused',
      expect.stringContaining('Module 99'),
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

  it('and is dropped, is given up at once, while there is no new block', async () => {
    const chain = stalled();
    chain.onSent = () => {
      chain.isStill = true;
      // Between two looks at the chain.
      setTimeout(() => {
        chain.tell({ status: 'Dropped' });
      }, 1_500);
    };
    const keyshare = await chain.connect();
    const dropped = await failure(keyshare.register({ ...input, deadlineMs: 4_000 }));
    expect(dropped.name).toBe('Dropped');
  });

  it('and did nothing in a final block that cannot be read, is refused', async () => {
    const chain = stalled();
    chain.onSent = () => {
      chain.tell({ status: 'Finalized', unread: 'State already discarded' });
    };
    const keyshare = await chain.connect();
    const refused = await failure(keyshare.register({ ...input, deadlineMs: 4_000 }));
    expect([refused.name, refused.message]).toEqual([
      'Refused',
      expect.stringContaining('cannot be read'),
    ]);
    const owned = stalled(made(1, 'registered'));
    owned.onSent = () => {
      owned.tell({ status: 'Finalized', unread: 'State already discarded' });
    };
    const removing = (await owned.connect()).deregister({ signer, deadlineMs: 4_000 });
    expect((await failure(removing)).name).toBe('Refused');
  });

  it('is not given up for a block that cannot be read', async () => {
    const chain = stalled();
    chain.onSent = () => {
      chain.tell({ status: 'InBlock', unread: 'State already discarded' });
      const sentIn = chain.block;
      chain.onBlock = () => {
        if (chain.block !== sentIn + 20) return;
        chain.account = made(1, 'registered');
        chain.final = undefined;
      };
    };
    const keyshare = await chain.connect();
    const done = await keyshare.register({ ...input, deadlineMs: 4_000 });
    expect(done.status).toBe('registered');
  });

  it('and did what it should in a final block that cannot be read, is done', async () => {
    const chain = stalled();
    chain.onSent = () => {
      chain.account = made(1, 'registered');
      chain.final = undefined;
      chain.tell({ status: 'Finalized', unread: 'State already discarded' });
    };
    expect((await (await chain.connect()).register(input)).status).toBe('registered');
  });

  it('and is refused by a block, is refused once that is final, and the connection lost', async () => {
    const chain = stalled();
    let refusedIn = 0;
    chain.onSent = () => {
      refusedIn = chain.block += 1;
      chain.tell({ status: 'InBlock', refused: 'Exhausted' });
      chain.onBlock = () => {
        if (chain.block === refusedIn + 5) chain.final = undefined;
      };
    };
    const { onProgress } = listener(({ type }) => {
      if (type === 'submitted') chain.lose();
    });
    const keyshare = await chain.connect();
    const refused = await failure(keyshare.register({ ...input, onProgress, deadlineMs: 4_000 }));
    expect([refused.name, refused.message]).toEqual([
      'Refused',
      expect.stringContaining('Exhausted'),
    ]);
    expect(chain.block).toBeGreaterThanOrEqual(refusedIn + 5);
  });

  it.each([true, false])(
    'and is refused by a block that is left while the connection is lost, may come back: %s',
    async (returns) => {
      const chain = stalled();
      chain.onSent = () => {
        const refusedIn = (chain.block += 1);
        chain.tell({ status: 'InBlock', refused: 'Exhausted' });
        chain.left.add(refusedIn);
        chain.onBlock = () => {
          if (chain.block === refusedIn + 3) chain.final = undefined;
          if (chain.block === refusedIn + 6 && returns) chain.account = made(1, 'registered');
        };
      };
      const { onProgress } = listener(({ type }) => {
        if (type === 'submitted') chain.lose();
      });
      const keyshare = await chain.connect();
      const registering = keyshare.register({ ...input, onProgress, deadlineMs: 4_000 });
      if (returns) expect((await registering).status).toBe('registered');
      else expect((await failure(registering)).name).toBe('Dropped');
    },
  );
});

describe('a call that was given to the connection', () => {
  it('may still get on chain when the deadline passes before the node answers', async () => {
    const chain = stalled();
    chain.isMute = true;
    const keyshare = await chain.connect();
    const late = await failure(keyshare.register({ ...input, deadlineMs: 200 }));
    expect([late.name, late.message]).toEqual([
      'DeadlinePassed',
      expect.stringContaining('may still get on chain'),
    ]);
    const abort = new AbortController();
    chain.onSent = () => {
      abort.abort();
    };
    const ended = await failure(keyshare.register({ ...input, signal: abort.signal }));
    expect([ended.name, ended.message]).toEqual([
      'Aborted',
      expect.stringContaining('may still get on chain'),
    ]);
  });

  it('leaves no timer behind when the node says what became of it', async () => {
    const chain = stalled();
    let views = 0;
    chain.onTold = () => {
      if ((views += 1) !== 3) return;
      // Between two questions for the best block.
      setTimeout(() => {
        chain.tell({ status: 'Invalid' });
      }, 100);
    };
    expect((await failure((await chain.connect()).register(input))).name).toBe('Dropped');
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a call that cannot be sent', () => {
  it.each([1013, 1014])('beside an earlier one is told so: pool error %i', async (code) => {
    const chain = stalled();
    chain.sendError = Object.assign(new Error(`${code}: the pool has one`), { code });
    const refused = await failure((await chain.connect()).register(input));
    expect([refused.name, refused.message]).toEqual([
      'Refused',
      expect.stringContaining('an earlier call of this account is on its way'),
    ]);
    expect(refused.hint).toContain('Wait');
    expect(refused.hint).toContain('taken up');
  });

  it.each([
    ['Transaction is outdated', 'Stale'],
    ['Transaction has a bad signature', 'BadProof'],
    ['Transaction has an ancient birth block', 'AncientBirthBlock'],
    ['Inability to pay some fees (e.g. account balance too low)', 'Payment'],
  ])('is refused with what to do: %s', async (words, name) => {
    const chain = stalled();
    const message = `1010: Invalid Transaction: ${words}`;
    chain.sendError = Object.assign(new Error(message), { code: 1010 });
    const refused = await failure((await chain.connect()).register(input));
    expect([refused.name, refused.chainError]).toEqual(['Refused', name]);
    expect(refused.message).toContain(words);
    expect(refused.hint).toBeDefined();
  });

  it.each([
    [1012, 'Transaction is temporarily banned', 'Banned'],
    [1016, 'Immediately Dropped: The transaction couldn’t enter the pool', 'PoolFull'],
  ])('is refused for now, and may be sent later: pool error %i', async (code, words, name) => {
    const chain = stalled();
    chain.sendError = Object.assign(new Error(`${code}: ${words}`), { code });
    const refused = await failure((await chain.connect()).register(input));
    expect([refused.name, refused.chainError]).toEqual(['Refused', name]);
    expect(refused.message).toContain(`for now: ${code}: ${words}`);
    expect(refused.hint).toContain('do the same again later');
  });

  it.each([-32603, -32007, 1002, 1040])(
    'is not refused by the chain when the node fails: error %i',
    async (code) => {
      const chain = stalled();
      chain.sendError = Object.assign(new Error(`${code}: Internal error`), { code });
      const failed = await failure((await chain.connect()).register(input));
      expect([failed.name, failed.message]).toEqual([
        'ChainUnreachable',
        expect.stringContaining(`the node failed at the call: ${code}`),
      ]);
      expect(failed.hint).toContain('try again');
    },
  );

  it('is not signed when it is ended as it is told that it will be', async () => {
    const chain = stalled();
    let isSigned = false;
    chain.onSigned = () => (isSigned = true);
    const abort = new AbortController();
    const { onProgress } = listener(({ type }) => {
      if (type === 'signing') abort.abort();
    });
    const { signal } = abort;
    const ended = await failure((await chain.connect()).register({ ...input, onProgress, signal }));
    expect([ended.name, isSigned]).toEqual(['Aborted', false]);
  });

  it('is not sent when the deadline has passed as it is signed', async () => {
    const chain = stalled();
    const abort = new AbortController();
    let isSent = false;
    chain.onSent = () => (isSent = true);
    chain.onSigned = () => {
      abort.abort();
    };
    const { signal } = abort;
    const keyshare = await chain.connect();
    expect((await failure(keyshare.register({ ...input, signal }))).name).toBe('Aborted');
    expect(isSent).toBe(false);
  });

  it('is wrong input, and not waited for', async () => {
    const chain = stalled();
    chain.sendError = new Error('Unable to encode the extrinsic');
    const keyshare = await chain.connect();
    const unsent = await failure(keyshare.register({ ...input, deadlineMs: 4_000 }));
    expect([unsent.name, unsent.message]).toEqual([
      'Input',
      'the call cannot be sent: Unable to encode the extrinsic',
    ]);
  });

  it.each([
    'disconnected from wss://node.example: 1006:: Abnormal Closure',
    'No response received from RPC endpoint in 60s',
  ])('may have been sent, and the chain decides: %s', async (words) => {
    const chain = stalled();
    chain.sendError = new Error(words);
    const { onProgress } = listener(({ type }) => {
      if (type !== 'submitted') return;
      chain.account = made(1, 'registered');
      chain.final = undefined;
    });
    const done = await (await chain.connect()).register({ ...input, onProgress });
    expect(done.status).toBe('registered');
  });
});
