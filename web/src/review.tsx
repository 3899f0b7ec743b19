/** What a user should know before a signature, or before shares leave. */

import type { Addresses, Constraints, Cost, Reachability, Scheme } from '@keyshare/sdk';
import { Fragment } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Connection } from './connection.js';
import { ConstraintsShown } from './constraints-shown.js';
import { amount } from './format.js';
import type { HeldKey } from './key-field.js';

/** Whether the account cannot pay it. */
export function isTooMuch({ total, spendable }: Cost): boolean {
  return spendable < total;
}

/** What is held, and what of it comes back. */
export function depositInWords({ deposit, comesBack }: Cost, isSwap: boolean): string {
  const back = 'comes back when the key is removed';
  if (isSwap) {
    return `Deposit ${amount(deposit)}, which ${back}; that of the old key when it is replaced.`;
  }
  return comesBack === deposit
    ? `Deposit ${amount(deposit)}, which ${back}. What is held already for the account’s own record stays held.`
    : `Deposit ${amount(deposit)}, of which ${amount(comesBack)} ${back}. The rest is for the account’s own record, and stays held for ever.`;
}

/** A key's addresses as a list, each with what it is. */
export function namedAddresses(of: Addresses[Scheme]): readonly (readonly [string, string])[] {
  if ('solana' in of) return [['Solana', of.solana]];
  return [
    ['EVM chains', of.evm],
    ['Bitcoin, Taproot (P2TR)', of.p2tr],
    ['Bitcoin, SegWit (P2WPKH)', of.p2wpkh],
  ];
}

/** A key's addresses in a list of descriptions. */
export function AddressList({ of }: { of: Addresses[Scheme] }) {
  return (
    <>
      {namedAddresses(of).map(([network, address]) => (
        <Fragment key={network}>
          <dt>{network}</dt>
          <dd>
            <code>{address}</code>
          </dd>
        </Fragment>
      ))}
    </>
  );
}

/**
 * The key with its addresses and threshold, what an attempt that is not under way yet costs, its
 * constraints, and whom the user believes.
 */
export function Review(props: {
  connection: Connection;
  cost: Cost | undefined;
  held: HeldKey;
  threshold: number;
  /** What is registered with the key, or was; with a swap what stays. */
  rules: { readonly constraints: Constraints; readonly constraintAccount: string } | undefined;
  isSwap: boolean;
  isTrusted: boolean;
  onTrust: (isTrusted: boolean) => void;
}) {
  const { connection, cost, held, threshold, rules, isSwap, isTrusted, onTrust } = props;
  const { subgroups } = connection.keyshare.parameters;
  const card = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (cost) card.current?.focus();
  }, [cost]);
  return (
    <div ref={card} tabIndex={-1} class="card" role="group" aria-label="Before you go on">
      <p>
        The {held.scheme} key with the public key <code>{held.publicKey}</code>: the shares of any{' '}
        {threshold} of {subgroups} subgroups make it up.
      </p>
      <p>Its addresses. Compare them with those that you know the key by:</p>
      <dl>
        <AddressList of={held.addresses} />
      </dl>
      {rules && (
        <>
          {isSwap && <p>Its constraints stay as they are:</p>}
          <ConstraintsShown constraints={rules.constraints} scheme={held.scheme} />
          <p>
            Only <code>{rules.constraintAccount}</code> may change this.
          </p>
        </>
      )}
      {cost && <CostInWords cost={cost} isSwap={isSwap} />}
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
  const { fee, confirmationFee, total, spendable } = cost;
  return (
    <>
      <p>{depositInWords(cost, isSwap)}</p>
      <p>Fee about {amount(fee)}.</p>
      <p>
        Fee for the servers’ confirmations about {amount(confirmationFee)}, which does not come
        back.
      </p>
      <p>
        Together about {amount(total)}. The account has {amount(spendable)} for it.
      </p>
      {isTooMuch(cost) && (
        <p class="bad">
          That is too little: send it {amount(total - spendable)} more, or choose another account.
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
  const reached = new Set(
    props.reachability.filter(({ error }) => !error).map(({ server }) => server.subgroup),
  );
  const silent = new Set(
    unreachable.map(({ server }) => server.subgroup).filter((one) => !reached.has(one)),
  );
  return (
    <div class="problem" role="alert">
      <p>
        {unreachable.length === 1 ? 'One server' : `${unreachable.length} servers`} cannot be
        reached from here.{' '}
        {silent.size === 0
          ? 'The others get their shares; a key is registered when every subgroup has its quorum.'
          : `Of subgroup ${[...silent].join(', ')} none can: until that is mended, an attempt cannot be completed, and in the end it expires.`}
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
