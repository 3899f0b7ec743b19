/** What the chain answers in a form that nobody knows is told at once, and not waited for. */

import { expect, it } from 'vitest';
import { Chain } from './chain.js';
import { failure } from './failure.js';
import {
  account,
  deadlineMs,
  hurried,
  input,
  listener,
  made,
  signer,
  stalled,
} from './following.js';

hurried();

const unknown = { expiresAt: 7 };

it('an answer of another form is of another chain', async () => {
  const chain = new Chain();
  const keyshare = await chain.connect();
  chain.account = { ...made(1, 'registered'), registered: unknown };
  for (const call of [
    () => keyshare.status(account),
    () => keyshare.watch(account, { deadlineMs }).next(),
    () => keyshare.register({ ...input, deadlineMs }),
    () => keyshare.deregister({ signer, deadlineMs }),
  ]) {
    const error = await failure(call());
    expect([error.name, error.message]).toEqual([
      'WrongChain',
      'the chain answers what this SDK cannot read',
    ]);
    expect(error.cause).toBeInstanceOf(TypeError);
  }
  chain.subgroups = [{ id: 0, quorum: 1, members: [{ validator: account }] }] as never;
  expect((await failure(keyshare.subgroups())).name).toBe('WrongChain');
  chain.operators = [{ account }] as never;
  expect((await failure(keyshare.operators())).name).toBe('WrongChain');
});

it('an answer of another form ends what waits for the next block', async () => {
  const chain = stalled();
  chain.onSent = () => (chain.account = { ...made(1, 'registering'), registering: unknown });
  const { onProgress, types } = listener();
  const keyshare = await chain.connect();
  const error = await failure(keyshare.register({ ...input, onProgress, deadlineMs }));
  expect([error.name, types()]).toEqual(['WrongChain', ['signing', 'submitted']]);
});

it('what the SDK itself fails at ends what waits, and is not taken for a lost connection', async () => {
  const chain = new Chain();
  const keyshare = await chain.connect();
  chain.onTold = () => {
    throw new TypeError('it is broken');
  };
  await expect(keyshare.watch(account, { deadlineMs }).next()).rejects.toThrow('it is broken');
});
