/** The screen *Network*: subgroups as columns, their members in them. */

import type { Keyshare, Member, Reachability } from '@keyshare/sdk';
import type { Connection } from './connection.js';
import { short } from './format.js';
import { type ShareCounts, useShareCounts, useSubgroups } from './hooks.js';

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
        same share, and have proved it on the chain.
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
        {subgroups.length} subgroups: the shares of any {keyshare.parameters.threshold} make up a
        key, fewer reveal nothing.
      </p>
      <div class="columns">
        {subgroups.map(({ subgroup, quorum, members }) => (
          <article key={subgroup} aria-labelledby={`subgroup-${subgroup}`}>
            <h3 id={`subgroup-${subgroup}`}>Subgroup {subgroup}</h3>
            <p>
              {quorum === null
                ? 'It has no members: nothing can be registered.'
                : `${quorum} of ${members.length} must confirm a key.`}
            </p>
            <ul>
              {members.map((member) => (
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
      <span class={member.ready ? 'good' : 'busy'}>
        {member.ready ? 'ready' : 'fetching its shares'}
      </span>
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
