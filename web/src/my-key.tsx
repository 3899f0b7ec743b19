/** The screen *My key*: what the chain holds for an account, and what can be done about it. */

import {
  addresses,
  type Coverage,
  type Custody,
  type Keyshare,
  type OnProgress,
  type Reachability,
  type Registration,
  type Scheme,
  toHex,
} from '@keyshare/sdk';
import type { ComponentChildren } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { Connection } from './connection.js';
import { EditConstraints } from './edit-constraints.js';
import { Expiry } from './expiry.js';
import { short } from './format.js';
import { useAction, useStatus, useStillShown } from './hooks.js';
import { Problem } from './problem.js';
import { type Purpose, Register } from './register.js';
import { AddressList } from './review.js';
import { NothingToSpare } from './threshold.js';
import type { Wallet } from './wallet.js';

interface Shared {
  readonly wallet: Wallet | undefined;
  readonly reachability: readonly Reachability[] | undefined;
  /** While anything runs, nothing may take it off the page, or cross it. */
  readonly isBusy: boolean;
  readonly onBusy: (isBusy: boolean) => void;
}

/** The account's key, or another one's. */
export function MyKey(props: Shared & { connection: Connection | undefined }) {
  const { connection, wallet, isBusy } = props;
  const [other, setOther] = useState('');
  const account = other.trim() === '' ? wallet?.address : other.trim();
  return (
    <section aria-labelledby="my-key">
      <h2 id="my-key">My key</h2>
      <label>
        Look at another account, for example one whose constraints you may change
        <input
          type="text"
          spellcheck={false}
          value={other}
          disabled={isBusy}
          placeholder={wallet?.address}
          onChange={({ currentTarget }) => {
            setOther(currentTarget.value);
          }}
        />
      </label>
      {account === undefined && <p>Connect a wallet, and choose an account above.</p>}
      {account !== undefined && connection && (
        <AccountKey
          key={`${account} ${wallet?.id ?? ''}`}
          {...props}
          connection={connection}
          account={account}
        />
      )}
    </section>
  );
}

function AccountKey(props: Shared & { connection: Connection; account: string }) {
  const { connection, wallet, account } = props;
  const { keyshare } = connection;
  const { status, error } = useStatus(keyshare, account);
  const action = useAction(props.onBusy);
  const [form, setForm] = useState<Exclude<Purpose, 'register'>>();
  // What is typed into these stays while a best block lacks what they are for: it may be left again.
  const isFinal = status?.isFinal === true;
  const editable = useStillShown(status?.constraints ?? null, isFinal);
  const swappable = useStillShown(status?.registered ?? null, isFinal);
  if (error !== undefined) return <Problem error={error} />;
  if (status === undefined) return <p role="status">Reading what the chain holds…</p>;

  const isOwn = account === wallet?.address;
  const act = (work: (signer: Wallet['signer'], onProgress: OnProgress) => Promise<unknown>) => {
    if (wallet === undefined) return;
    action.run((onProgress) => work(wallet.signer, onProgress), 'Done, and final');
  };
  const { registering, registered } = status;
  return (
    <>
      <p role="status">
        {!isFinal && 'This is in the best block and not final yet: it can still be taken back.'}
      </p>
      {!registered && !registering && (
        <p role="status">
          Nothing is registered, and no attempt is under way.{' '}
          {isOwn && <a href="#register">Register a key</a>}
        </p>
      )}
      {registering && (
        <Entry title="Attempt under way" registration={registering}>
          {registering.expiresAt !== null && (
            <p>
              It expires <Expiry connection={connection} at={registering.expiresAt} />.{' '}
              {isOwn && form === undefined && howToComplete(registering, registered)}
            </p>
          )}
          {isOwn && (
            <button
              type="button"
              disabled={props.isBusy}
              onClick={() => {
                act((signer, onProgress) => keyshare.cancel({ signer, onProgress }));
              }}
            >
              Cancel it
            </button>
          )}
        </Entry>
      )}
      {registered && (
        <Entry title="Registered key" registration={registered}>
          <Challenge key={toHex(registered.id)} keyshare={keyshare} account={account} />
          {isOwn && (
            <>
              <p class="note">
                To reshare the key is to deal it anew. It helps after a first operator was
                dismissed, only while fewer than {registered.threshold} subgroups of the old deal
                are in such hands.
              </p>
              <p class="buttons">
                {(['swap', 'reshare'] as const).map((one) => (
                  <button
                    key={one}
                    type="button"
                    aria-expanded={form === one}
                    disabled={props.isBusy}
                    onClick={() => {
                      setForm(form === one ? undefined : one);
                    }}
                  >
                    {one === 'swap' ? 'Swap it' : 'Reshare it'}
                  </button>
                ))}
                <button
                  type="button"
                  class="danger"
                  disabled={props.isBusy}
                  onClick={() => {
                    if (confirm('Remove the key? Its servers erase their shares.')) {
                      act((signer, onProgress) => keyshare.deregister({ signer, onProgress }));
                    }
                  }}
                >
                  Deregister it
                </button>
              </p>
            </>
          )}
        </Entry>
      )}
      {/* Nor is what is running taken off the page. */}
      {form && (swappable !== null || props.isBusy) && (
        <Register key={form} {...props} purpose={form} />
      )}
      {editable && (
        <EditConstraints
          keyshare={keyshare}
          status={status}
          now={editable}
          wallet={wallet}
          isBusy={props.isBusy || wallet === undefined}
          act={act}
        />
      )}
      <p role="status">{action.stage}</p>
      {action.error !== undefined && <Problem error={action.error} />}
    </>
  );
}

/** What takes an attempt up. */
function howToComplete(registering: Registration, registered: Registration | null): string {
  if (!registered) return 'To complete it, give the same key on the screen Register.';
  return toHex(registering.publicKey) === toHex(registered.publicKey)
    ? 'To complete it, reshare it again.'
    : 'To complete it, swap again with the same key.';
}

/** The addresses of a key that a node shows; none if it makes up what is no key. */
function addressesOf(scheme: Scheme, publicKey: Uint8Array) {
  try {
    return addresses(scheme, publicKey);
  } catch {
    return undefined;
  }
}

function Entry(props: { title: string; registration: Registration; children: ComponentChildren }) {
  const { title, registration, children } = props;
  const { threshold, coverage, scheme, publicKey } = registration;
  const key = toHex(publicKey);
  const known = useMemo(() => addressesOf(scheme, publicKey), [scheme, key]);
  return (
    <article aria-label={title}>
      <h3>{title}</h3>
      <dl>
        <dt>Public key</dt>
        <dd>
          {scheme} <code>{key}</code>
        </dd>
        {known && <AddressList of={known} />}
        <dt>Registration id</dt>
        <dd>
          <code>{toHex(registration.id)}</code>, generation {registration.generation}
        </dd>
        <dt>Threshold</dt>
        <dd>
          The shares of any {threshold} of {coverage.length} subgroups make up the key
        </dd>
        <dt>Coverage</dt>
        {coverage.map((one) => (
          <dd key={one.subgroup} class={one.reached ? 'good' : 'busy'}>
            Subgroup {one.subgroup}: {coverageInWords(one)}
          </dd>
        ))}
      </dl>
      <NothingToSpare threshold={threshold} subgroups={coverage.length} />
      {children}
    </article>
  );
}

/** Whose confirmations a subgroup has; only those of ready members count. */
export function coverageInWords({ counted, ready, confirmed, quorum }: Coverage): string {
  const syncing = confirmed.length - counted;
  const others =
    syncing === 0 ? '' : `, and ${syncing} that ${syncing === 1 ? 'is' : 'are'} syncing`;
  const needed = quorum === null ? 'nobody is ready' : `${quorum} needed`;
  return `${counted} of ${ready.length} ready members confirmed${others}; ${needed}`;
}

/** Has every server prove that it holds its share now. */
function Challenge({ keyshare, account }: { keyshare: Keyshare; account: string }) {
  const action = useAction();
  const [answers, setAnswers] = useState<readonly Custody[]>();
  return (
    <>
      <p class="buttons">
        <button
          type="button"
          disabled={action.isRunning}
          onClick={() => {
            setAnswers(undefined);
            action.run(async () => {
              setAnswers(await keyshare.challenge(account));
            }, 'Every server has answered, or failed to:');
          }}
        >
          Have every server prove it now
        </button>
      </p>
      <p role="status">{action.stage}</p>
      {action.error !== undefined && <Problem error={action.error} />}
      {answers && (
        <ul>
          {answers.map(({ server, error }) => (
            <li key={server.account} class={error ? 'bad' : 'good'}>
              Subgroup {server.subgroup}, {short(server.account)}:{' '}
              {error ? error.message : 'holds its share'}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
