/** What a user should know before a signature, or before shares leave. */

import type { Constraints, Cost, Reachability } from '@keyshare/sdk';
import { useEffect, useRef } from 'preact/hooks';
import type { Connection } from './connection.js';
import { inWords } from './constraints-editor.js';
import { amount } from './format.js';

/** Whether the account cannot pay it. */
export function isTooMuch({ deposit, fee, spendable }: Cost): boolean {
  return spendable < deposit + fee;
}

/** The cost of an attempt that is not under way yet, its constraints, and whom the user believes. */
export function Review(props: {
  connection: Connection;
  cost: Cost | undefined;
  /** Absent with a swap, which keeps them. */
  constraints: Constraints | undefined;
  isTrusted: boolean;
  onTrust: (isTrusted: boolean) => void;
}) {
  const { connection, cost, constraints, isTrusted, onTrust } = props;
  const card = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (cost) card.current?.focus();
  }, [cost]);
  return (
    <div ref={card} tabIndex={-1} class="card" role="group" aria-label="Before you go on">
      {cost && <CostInWords cost={cost} isSwap={constraints === undefined} />}
      {cost && constraints && <p>{inWords(constraints)}</p>}
      <p>
        The shares go to the servers that <code>{connection.url}</code> names, on {connection.chain}{' '}
        with the genesis hash <code>{connection.keyshare.api.genesisHash.toHex()}</code>. A node
        that lies can name servers of its own, and get the key: use one that you trust.
      </p>
      {!connection.isLocal && (
        <label>
          <input
            type="checkbox"
            checked={isTrusted}
            onChange={({ currentTarget }) => {
              onTrust(currentTarget.checked);
            }}
          />{' '}
          I run this node, or trust whoever does
        </label>
      )}
    </div>
  );
}

function CostInWords({ cost, isSwap }: { cost: Cost; isSwap: boolean }) {
  const { deposit, fee, spendable } = cost;
  return (
    <>
      <p>
        Deposit {amount(deposit)}, which comes back when the key is removed
        {isSwap && '; that of the old key when it is replaced'}. Fee about {amount(fee)}. The
        account has {amount(spendable)} for both.
      </p>
      {isTooMuch(cost) && (
        <p class="bad">
          That is too little: send it {amount(deposit + fee - spendable)} more, or choose another
          account.
        </p>
      )}
    </>
  );
}

/** Which servers cannot be reached from here, while there is time to do something about it. */
export function Unreachable(props: { reachability: readonly Reachability[] | undefined }) {
  if (props.reachability === undefined) {
    return <p role="status">Trying whether the servers can be reached from here…</p>;
  }
  const unreachable = props.reachability.filter(({ error }) => error);
  if (unreachable.length === 0) return null;
  return (
    <div class="problem" role="alert">
      <p>
        {unreachable.length === 1 ? 'One server' : `${unreachable.length} servers`} cannot be
        reached from here. The others will get their shares; a key is registered when every subgroup
        has its quorum.
      </p>
      <ul>
        {unreachable.map(({ server, error }) => (
          <li key={server.account}>
            Subgroup {server.subgroup}, {error?.message}. {error?.hint}
          </li>
        ))}
      </ul>
    </div>
  );
}
