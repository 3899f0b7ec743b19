/** Whatever waits comes to an end. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { Patience, sleep } from '../src/patience.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const never = new Promise<never>(() => undefined);

it.each([undefined, new AbortController().signal])('has a deadline beside %s', async (signal) => {
  const patience = new Patience({ deadlineMs: 200, ...(signal ? { signal } : {}) });
  // What was made in this job is not collected before the next one.
  await sleep(1, new AbortController().signal);
  collectGarbage();
  await expect(patience.race(never, 'anything')).rejects.toMatchObject({ name: 'DeadlinePassed' });
  expect(() => {
    patience.check('anything');
  }).toThrow('before anything');
});

it.each([2 ** 31, Infinity])('is not over at once after %s milliseconds', async (deadlineMs) => {
  const patience = new Patience({ deadlineMs });
  await sleep(50, new AbortController().signal);
  expect(patience.signal.aborted).toBe(false);
});

it.each([NaN, -1])('is wrong input for %s milliseconds', (deadlineMs) => {
  expect(() => new Patience({ deadlineMs })).toThrow(expect.objectContaining({ name: 'Input' }));
});

it('ends when the caller says so, and with what was waited for', async () => {
  const abort = new AbortController();
  const patience = new Patience({ signal: abort.signal });
  expect(await patience.race(Promise.resolve(7), 'seven')).toBe(7);
  const waiting = [patience.race(never, 'anything'), sleep(2 ** 31 - 1, patience.signal)];
  abort.abort();
  await expect(waiting[0]).rejects.toMatchObject({ name: 'Aborted' });
  await waiting[1];
  await sleep(2 ** 31 - 1, abort.signal);
});
