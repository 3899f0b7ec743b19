/** The screen *Register*: a key, its constraints, what it costs, and the shares on their way. */

import {
  type Cost,
  type Keyshare,
  type Progress,
  type Reachability,
  type Registration,
  type Status,
  toHex,
} from '@keyshare/sdk';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Board, type BoardState, EMPTY, observe } from './board.js';
import type { Connection } from './connection.js';
import { constraintsDraft, ConstraintsEditor, inWords, readDraft } from './constraints-editor.js';
import { amount } from './format.js';
import { useStatus } from './hooks.js';
import { type HeldKey, KeyField } from './key-field.js';
import { Problem } from './problem.js';
import { Vault } from './vault.js';
import type { Wallet } from './wallet.js';

/** What stands between the user and a signature. */
type Plan =
  | { readonly kind: 'wait'; readonly why: string }
  /** This key's attempt is under way, or the key in force: nothing is left to sign. */
  | { readonly kind: 'resume' }
  | { readonly kind: 'sign' };

function plan(
  wallet: Wallet | undefined,
  held: HeldKey | undefined,
  status: Status | undefined,
  swap: boolean,
): Plan {
  const wait = (why: string): Plan => ({ kind: 'wait', why });
  if (wallet === undefined) return wait('Connect a wallet, and choose an account above.');
  if (status === undefined) return wait('Reading what the chain holds for the account…');
  if (held?.isUnsaved) return wait('Save the new key to a file first.');
  const isThis = (one: Registration | null) =>
    held !== undefined && one?.scheme === held.scheme && toHex(one.publicKey) === held.publicKey;
  if (isThis(status.registering)) return { kind: 'resume' };
  if (status.registering) {
    const which = held ? 'An attempt with another key' : 'An attempt';
    return wait(`${which} is under way: give its key, or cancel it on the screen My key.`);
  }
  if (isThis(status.registered)) return wait('This key is registered.');
  if (status.registered && !swap) {
    return wait('The account has a key in force. On the screen My key you can swap it.');
  }
  return held === undefined ? wait('Give a key.') : { kind: 'sign' };
}

/** Registers a key, or takes up its attempt; with `swap` it replaces the key in force. */
export function Register(props: {
  connection: Connection | undefined;
  wallet: Wallet | undefined;
  reachability: readonly Reachability[] | undefined;
  onBusy: (isBusy: boolean) => void;
  swap?: boolean;
}) {
  const { connection, wallet, reachability, onBusy, swap = false } = props;
  const keyshare = connection?.keyshare;
  const heading = useId();
  const [vault] = useState(() => new Vault());
  const [held, setHeld] = useState<HeldKey>();
  const [draft, setDraft] = useState(constraintsDraft({ evmAcl: null, btcAcl: null }));
  const [constraintAccount, setConstraintAccount] = useState('');
  const [cost, setCost] = useState<Cost>();
  const [board, setBoard] = useState<BoardState>();
  const [error, setError] = useState<unknown>();
  const [running, setRunning] = useState<AbortController>();
  const { status } = useStatus(keyshare, wallet?.address);
  const isBusy = running !== undefined;

  // What was shown before signing must be what is signed.
  const question = useRef(0);
  useEffect(() => {
    question.current += 1;
    setCost(undefined);
  }, [held, draft, constraintAccount, wallet, keyshare]);
  useEffect(() => {
    setBoard(undefined);
    setError(undefined);
  }, [wallet]);
  const stop = useRef<() => void>(() => undefined);
  stop.current = () => running?.abort();
  useEffect(
    () => () => {
      stop.current();
      void vault.close();
    },
    [vault],
  );
  useLeaveWarning(isBusy || held?.isUnsaved === true);

  const most = keyshare?.parameters.maxAclAddresses ?? Infinity;
  const { constraints, problems } = readDraft(draft, most);
  const next = plan(wallet, held, status, swap);
  const isTooPoor = cost !== undefined && cost.spendable < cost.deposit + cost.fee;

  const withInput = <T,>(
    work: (keyshare: Keyshare, input: Parameters<Keyshare['register']>[0]) => Promise<T>,
  ): Promise<T> => {
    if (keyshare === undefined || wallet === undefined || held === undefined) {
      return Promise.reject(new Error('Choose an account and a key first.'));
    }
    const other = constraintAccount.trim();
    return work(keyshare, {
      dealer: vault.dealer(held.scheme),
      signer: wallet.signer,
      constraints,
      ...(other === '' ? {} : { constraintAccount: other }),
    });
  };
  const review = () => {
    setError(undefined);
    const asked = question.current;
    withInput((chain, input) => (swap ? chain.swapCost(input) : chain.cost(input))).then(
      (answer) => {
        if (question.current === asked) setCost(answer);
      },
      setError,
    );
  };
  const start = () => {
    setError(undefined);
    setCost(undefined);
    setBoard(EMPTY);
    const abort = new AbortController();
    setRunning(abort);
    onBusy(true);
    const onProgress = (progress: Progress) => {
      setBoard((before) => observe(before ?? EMPTY, progress));
    };
    withInput((chain, input) => {
      const waiting = { ...input, signal: abort.signal, onProgress };
      return swap ? chain.swapKey(waiting) : chain.register(waiting);
    })
      .then(
        () => {
          setHeld(undefined);
          void vault.forget();
        },
        (problem: unknown) => {
          setBoard((before) => before && { ...before, stage: 'Stopped' });
          if (!abort.signal.aborted) setError(problem);
        },
      )
      .finally(() => {
        setRunning(undefined);
        onBusy(false);
      });
  };

  return (
    <section aria-labelledby={heading}>
      <h2 id={heading}>{swap ? 'Swap the key' : 'Register a key'}</h2>
      <p>
        The key stays in the memory of this page, in a thread of its own. There it is split, and
        only shares sealed to their servers leave. Nothing is stored: after a reload give the same
        key, and its attempt goes on. No browser can wipe its memory, so for keys worth a lot use
        the command line tool.
      </p>
      <KeyField vault={vault} held={held} isBusy={isBusy} onHeld={setHeld} />
      {!swap && (
        <>
          <ConstraintsEditor
            draft={draft}
            problems={problems}
            isBusy={isBusy}
            onChange={setDraft}
          />
          <label>
            Constraint-modification account: who may change the constraints. Empty, it is the
            account itself; one that is kept elsewhere protects more
            <input
              type="text"
              spellcheck={false}
              disabled={isBusy}
              value={constraintAccount}
              onInput={({ currentTarget }) => {
                setConstraintAccount(currentTarget.value);
              }}
            />
          </label>
        </>
      )}
      <Unreachable reachability={reachability} />
      {!isBusy && next.kind === 'wait' && <p role="status">{next.why}</p>}
      {!isBusy && next.kind === 'resume' && (
        <p role="status">The attempt of this key is under way. To go on takes no signature.</p>
      )}
      {cost && (
        <div class="card" role="status">
          <p>
            Deposit {amount(cost.deposit)}, which comes back{' '}
            {swap
              ? 'when the key is removed; that of the old key when it is replaced'
              : 'when the key is removed'}
            . Fee about {amount(cost.fee)}. The account has {amount(cost.spendable)} for both.
          </p>
          {isTooPoor && (
            <p class="bad">
              That is too little: send it {amount(cost.deposit + cost.fee - cost.spendable)} more,
              or choose another account.
            </p>
          )}
          {!swap && <p>{inWords(constraints)}</p>}
          {connection && <Trust connection={connection} />}
        </div>
      )}
      <p class="buttons">
        {isBusy ? (
          <button
            type="button"
            onClick={() => {
              running.abort();
            }}
          >
            Stop
          </button>
        ) : next.kind === 'resume' ? (
          <button type="button" class="primary" onClick={start}>
            Go on
          </button>
        ) : cost ? (
          <button type="button" class="primary" disabled={isTooPoor} onClick={start}>
            {swap ? 'Sign and swap' : 'Sign and register'}
          </button>
        ) : (
          <button
            type="button"
            class="primary"
            disabled={next.kind === 'wait' || problems.length > 0}
            onClick={review}
          >
            Show the cost
          </button>
        )}
      </p>
      {error !== undefined && <Problem error={error} />}
      {board && connection && <Board connection={connection} state={board} />}
    </section>
  );
}

/** Whom the user believes: the page sees the chain through one node only. */
function Trust({ connection: { keyshare, chain, url } }: { connection: Connection }) {
  const genesis = keyshare.api.genesisHash.toHex();
  return (
    <p>
      The shares go to the servers that <code>{url}</code> names, on {chain} with the genesis hash{' '}
      <code>{genesis}</code>. A node that lies can name servers of its own: use one that you trust.
    </p>
  );
}

/** Which servers cannot be reached from here, while there is time to do something about it. */
function Unreachable(props: { reachability: readonly Reachability[] | undefined }) {
  const unreachable = props.reachability?.filter(({ error }) => error) ?? [];
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

/** Has the browser ask before the page is left. */
function useLeaveWarning(isNeeded: boolean): void {
  useEffect(() => {
    if (!isNeeded) return;
    const warn = (event: BeforeUnloadEvent) => {
      event.preventDefault();
    };
    addEventListener('beforeunload', warn);
    return () => {
      removeEventListener('beforeunload', warn);
    };
  }, [isNeeded]);
}
