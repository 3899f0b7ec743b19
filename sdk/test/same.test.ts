/** A key that is there already: what is named for it must be what the chain has. */

import { describe, expect, it, vi } from 'vitest';
import { type Constraints, fromHex, type RegisterInput, toHex } from '../src/index.js';
import { address, Chain, dealt, keyOf } from './chain.js';
import { failure } from './failure.js';

const account = address('Ferdie');
const input = { key: keyOf('1'), scheme: 'secp256k1', signer: account } as const;
const eve = address('Eve');

/** What the chain has: version 2, one rule, one fee, prefixed messages. */
const there: Constraints = {
  rules: ['1: bitcoin data'],
  fees: ['bitcoin=9'],
  messages: 'prefixed',
};
const BYTES = fromHex('0x0204010001010401' + '09000000000000000000000000000000' + '0100');

/** A chain that has the key, in force or under way. */
function chainWith(field: 'registered' | 'registering'): Chain {
  const chain = new Chain();
  const status = field === 'registered' ? { registered: null } : { registering: { expiresAt: 9 } };
  const key = dealt('secp256k1', keyOf('1'), { account, generation: 1, threshold: 2 }, status);
  const none = { registered: null, registering: null };
  chain.account = { generation: 1, constraints: [account, BYTES], ...none, [field]: key };
  return chain;
}

describe.each(['registered', 'registering'] as const)('a key that is %s', (field) => {
  /** How it ends to register it again. */
  async function again(
    named: Pick<RegisterInput, 'constraints' | 'constraintAccount'>,
  ): Promise<string> {
    vi.spyOn(globalThis, 'fetch').mockRejectedValue(new TypeError('offline'));
    const keyshare = await chainWith(field).connect();
    const ended = keyshare.register({ ...input, ...named, deadlineMs: 1_000 }).then(
      ({ status }): string => status,
      (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : ''),
    );
    const text = await ended;
    vi.restoreAllMocks();
    return text;
  }
  const taken = new RegExp(field === 'registered' ? '^registered$' : '^DeadlinePassed');

  it('is taken up when nothing is named, or what the chain has', async () => {
    expect(await again({})).toMatch(taken);
    expect(await again({ constraints: there, constraintAccount: account })).toMatch(taken);
  });

  it('is not when rules, fees, messages or the account differ', async () => {
    const text = await again({
      constraints: { rules: ['2: bitcoin data'], fees: ['bitcoin=8'], messages: 'any' },
      constraintAccount: eve,
    });
    expect(text).toContain('ConstraintsDiffer');
    for (const difference of [
      'only the chain has the rule “1: bitcoin data”',
      'the chain lacks the rule “2: bitcoin data”',
      'only the chain has the fee “bitcoin=9”',
      'the chain lacks the fee “bitcoin=8”',
      'messages are “prefixed” there, not “any”',
      `${account} may change the constraints there, not ${eve}`,
    ]) {
      expect(text).toContain(difference);
    }
    expect(await again({ constraints: { ...there, messages: 'never' } })).toBe(
      'ConstraintsDiffer: the key is there already, with other constraints: messages are “prefixed” there, not “never”',
    );
    // Nothing is what can be named as well.
    const none: Constraints = { rules: [], fees: [], messages: 'never' };
    expect(await again({ constraints: none })).toContain('ConstraintsDiffer');
    expect(await again({ constraintAccount: eve })).toContain('ConstraintsDiffer');
  });
});

it('a clause that only the chain has differs, though no words tell it', async () => {
  const chain = chainWith('registering');
  const withClause = fromHex(`${toHex(BYTES).slice(0, -2)}0400`);
  chain.account = { ...chain.account, constraints: [account, withClause] };
  const again = { ...input, constraints: there, deadlineMs: 1_000 };
  const error = await failure((await chain.connect()).register(again));
  expect(error.name).toBe('ConstraintsDiffer');
});

it('what differs is said with what to do', async () => {
  const keyshare = await chainWith('registering').connect();
  const error = await failure(keyshare.register({ ...input, constraintAccount: eve }));
  expect(error.hint).toContain('Give what the chain has');
});
