/** The screen *Network*: subgroups as columns, their operators and members in them. */

import type { Keyshare, Member, Operator, Reachability, Subgroup } from '@keyshare/sdk';
import type { Connection } from './connection.js';
import { short } from './format.js';
import { useShareCounts, useSubgroups } from './hooks.js';
import type { ShareCounts } from './share-counts.js';

/** The subgroups, live. */
export function Network(props: {
  connection: Connection | undefined;
  reachability: readonly Reachability[] | undefined;
}) {
  const { connection, reachability } = props;
  return (
    <section aria-labelledby="network">
      <h2 id="network">Network</h2>
      <p>
        A private key is split into one share a subgroup. The members of a subgroup all hold the
        same share, and have proved it on the chain. Its operators run them: these are whom you rely
        on.
      </p>
      {connection ? (
        <Subgroups keyshare={connection.keyshare} reachability={reachability} />
      ) : (
        <p role="status">Reading the subgroups…</p>
      )}
    </section>
  );
}

function Subgroups(props: {
  keyshare: Keyshare;
  reachability: readonly Reachability[] | undefined;
}) {
  const { keyshare, reachability } = props;
  const subgroups = useSubgroups(keyshare);
  const shares = useShareCounts(keyshare);
  if (subgroups === undefined) return <p role="status">Reading the subgroups…</p>;
  const errorOf = (account: string) =>
    reachability?.find(({ server }) => server.account === account)?.error;
  return (
    <>
      <p>
        {subgroups.length} subgroups: the shares of any {keyshare.parameters.threshold}, or of more
        if its owner says so, make up a key; fewer reveal nothing.
      </p>
      <div class="columns">
        {subgroups.map((one) => (
          <article key={one.subgroup} aria-labelledby={`subgroup-${one.subgroup}`}>
            <h3 id={`subgroup-${one.subgroup}`}>Subgroup {one.subgroup}</h3>
            <p>{quorumInWords(one)}</p>
            <h4>Operators</h4>
            <ul>
              {one.operators.map((operator) => (
                <OperatorLine key={operator.account} operator={operator} />
              ))}
            </ul>
            <h4>Members</h4>
            <ul>
              {one.members.map((member) => (
                <MemberCard
                  key={member.account}
                  member={member}
                  held={heldInWords(shares, member.account)}
                  error={errorOf(member.account)}
                />
              ))}
            </ul>
          </article>
        ))}
      </div>
    </>
  );
}

/** How many must confirm a key; who is not ready does not count. */
export function quorumInWords({ quorum, members }: Pick<Subgroup, 'quorum' | 'members'>): string {
  const ready = members.filter((member) => member.ready).length;
  if (members.length === 0) return 'It has no members: nothing can be registered.';
  if (quorum === null) return 'None of its members is ready: nothing can be registered.';
  return `${quorum} of ${ready} ready members must confirm a key.`;
}

/** Since when an operator is what it is. */
export function standingInWords({ standing, since, blocksLeft }: Operator): string {
  switch (standing) {
    case 'pending':
      return `in force in ${blocksLeft ?? 0} blocks, from block ${since} on`;
    case 'admitted':
      return `since block ${since}`;
    case 'dismissed':
      return `dismissed in block ${since}`;
  }
}

const STANDING_CLASSES = { pending: 'busy', admitted: 'good', dismissed: 'bad' } as const;

function OperatorLine({ operator }: { operator: Operator }) {
  const { account, name, standing } = operator;
  return (
    <li class="operator">
      <strong title={account}>{name}</strong>
      <span class={STANDING_CLASSES[standing]}>{standingInWords(operator)}</span>
    </li>
  );
}

function heldInWords(shares: ShareCounts | undefined, account: string): string {
  if (shares === undefined) return 'counting its shares…';
  const count = shares.counts.get(account) ?? 0;
  const least = shares.isPartial ? 'at least ' : '';
  return `holds the shares of ${least}${count} ${count === 1 ? 'key' : 'keys'}`;
}

function MemberCard(props: { member: Member; held: string; error: Reachability['error'] }) {
  const { member, held, error } = props;
  return (
    <li class="member">
      <strong title={member.account}>{short(member.account)}</strong>
      <span>{member.operator ? `operated by ${member.operator.name}` : 'has no operator'}</span>
      <span class={member.ready ? 'good' : 'busy'}>
        {member.ready ? 'ready' : 'syncing: it does not count yet'}
      </span>
      {member.kept && (
        <span class="busy">
          kept: it is no validator any more, and stays until another member is ready
        </span>
      )}
      <span>{held}</span>
      <span class="endpoint">{member.endpoint}</span>
      {error && (
        <span class="bad">
          cannot be reached from here: {error.message}. {error.hint}
        </span>
      )}
    </li>
  );
}
