/** What is asked of servers. */

import { afterEach, expect, it, vi } from 'vitest';
import { hostedServers } from '../src/servers.js';
import { failure } from './failure.js';

afterEach(() => {
  vi.restoreAllMocks();
});

it.each([undefined, new Error('reset')])(
  'an answer that is none is not left open: %s',
  async (broken) => {
    let isCancelled = false;
    const body = new ReadableStream({
      cancel: () => {
        isCancelled = true;
        if (broken) throw broken;
      },
    });
    vi.spyOn(globalThis, 'fetch').mockResolvedValue(new Response(body, { status: 502 }));
    const error = await failure(hostedServers('http://127.0.0.1:1'));
    expect([error.name, error.message]).toEqual([
      'ServerUnreachable',
      expect.stringContaining('502'),
    ]);
    expect(isCancelled).toBe(true);
  },
);
