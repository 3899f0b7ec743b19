/** Whom a user relies on: operators, and members that are ready, syncing or kept. */

import { expect, it } from 'vitest';
import { address, Chain, dealt, keyOf, member, operator } from './chain.js';
import { failure } from './failure.js';

it('shows who operates a member, and who is to or did', async () => {
  const chain = new Chain();
  chain.operators = [
    operator('Alice', 0, { admitted: { since: 0 } }),
    operator('Dave', 0, { pending: { from: 900, blocksLeft: 12 } }),
    operator('Bob', 1, { dismissed: { since: 400 } }),
    {
      ...operator('Charlie', 2, { admitted: { since: 88 } }),
      nextSeats: { value: 6, from: 99, blocksLeft: 3 },
    },
  ] as typeof chain.operators;
  const keyshare = await chain.connect();
  const operators = await keyshare.operators();
  expect(
    operators.map(({ name, standing, since, blocksLeft }) => [name, standing, since, blocksLeft]),
  ).toEqual([
    ['Alice', 'admitted', 0, null],
    ['Dave', 'pending', 900, 12],
    ['Bob', 'dismissed', 400, null],
    ['Charlie', 'admitted', 88, null],
  ]);
  expect(operators[3]?.nextSeats).toEqual({ value: 6, from: 99, blocksLeft: 3 });
  const [first, second] = await keyshare.subgroups();
  expect(first?.operators.map(({ name }) => name)).toEqual(['Alice', 'Dave']);
  expect(first?.members[0]?.operator).toMatchObject({
    account: address('Alice'),
    name: 'Alice',
    since: 0,
  });
  expect(second?.members[0]?.operator?.standing).toBe('dismissed');
});

it('says which members are syncing, and which are kept', async () => {
  const chain = new Chain();
  chain.subgroups = [
    {
      id: 0,
      quorum: 1,
      members: [member('Alice', 'Ready', null), member('Dave', 'Syncing', 'Dave')],
    },
  ];
  chain.kept = ['Alice'];
  const [subgroup] = await (await chain.connect()).subgroups();
  expect(subgroup?.members.map(({ ready, kept, operator }) => [ready, kept, operator])).toEqual([
    [true, true, null],
    [false, false, null],
  ]);
});

it('counts the confirmations of ready members alone', async () => {
  const chain = new Chain();
  const account = address('Ferdie');
  const two = { members: ['Alice', 'Dave'], ready: ['Alice'] };
  chain.account.registered = dealt(
    'ed25519',
    keyOf('1'),
    { account, generation: 1, threshold: 2 },
    { registered: null },
    [
      { ...two, confirmed: ['Dave'] },
      { ...two, confirmed: ['Alice', 'Dave'] },
      { ...two, ready: [], confirmed: ['Dave'] },
    ],
  );
  const { registered } = await (await chain.connect()).status(account);
  expect(
    registered?.coverage.map(({ quorum, counted, reached }) => [quorum, counted, reached]),
  ).toEqual([
    [1, 0, false],
    [1, 1, true],
    [null, 0, false],
  ]);
});

it('foresees that a key cannot be registered while nobody of a subgroup is ready', async () => {
  const chain = new Chain();
  const members = [member('Charlie', 'Syncing', 'Charlie')];
  chain.subgroups = [...chain.subgroups.slice(0, 2), { id: 2, quorum: null, members }];
  const keyshare = await chain.connect();
  // An address alone cannot sign, and nobody has asked it to.
  const signer = address('Ferdie');
  const input = { key: keyOf('1'), scheme: 'ed25519', signer } as const;
  const refused = [await failure(keyshare.register(input))];
  const shown = { account: signer, generation: 1, threshold: 2 };
  chain.account.registered = dealt('ed25519', keyOf('1'), shown, { registered: null });
  refused.push(await failure(keyshare.swapKey({ ...input, key: keyOf('2') })));
  refused.push(await failure(keyshare.reshare(input)));
  for (const error of refused) {
    expect([error.name, error.chainError]).toEqual(['Refused', 'registration.NoReadyMember']);
    expect(error.message).toContain('no member of subgroup 2 is ready');
    expect(error.hint).toContain('not ready');
  }
});
