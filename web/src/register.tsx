/**
 * The screen *Register*: a key, its threshold and constraints, what it costs, and the shares on
 * their way.
 */

import {
  type Constraints,
  type Cost,
  type Keyshare,
  type Progress,
  type Reachability,
  type RegisterInput,
  type Registration,
  type Status,
  type SwapInput,
  toHex,
} from '@keyshare/sdk';
import { useEffect, useId, useMemo, useRef, useState } from 'preact/hooks';
import { Board, type BoardState, EMPTY, observe, stopped } from './board.js';
import type { Connection } from './connection.js';
import { constraintsDraft, isUntouched, readDraft } from './constraints-draft.js';
import { ConstraintsEditor } from './constraints-editor.js';
import { useStatus } from './hooks.js';
import { type HeldKey, KeyField } from './key-field.js';
import { Problem } from './problem.js';
import { isTooMuch, Review, Unreachable } from './review.js';
import { ThresholdField } from './threshold.js';
import { Vault } from './vault.js';
import type { Wallet } from './wallet.js';

/** What an attempt is for. */
export type Purpose = 'register' | 'swap' | 'reshare';

const TITLES: Record<Purpose, string> = {
  register: 'Register a key',
  swap: 'Swap the key',
  reshare: 'Reshare the key',
};

/** What stands between the user and a signature. */
type Plan =
  | { readonly kind: 'wait'; readonly why: string }
  /** This key's attempt is under way, or it is registered and not final: nothing is left to sign. */
  | { readonly kind: 'resume'; readonly threshold: number }
  | { readonly kind: 'sign' };

function plan(
  wallet: Wallet | undefined,
  held: HeldKey | undefined,
  status: Status | undefined,
  purpose: Purpose,
): Plan {
  const wait = (why: string): Plan => ({ kind: 'wait', why });
  if (wallet === undefined) return wait('Connect a wallet, and choose an account above.');
  if (status === undefined) return wait('Reading what the chain holds for the account…');
  if (held?.isUnsaved) return wait('Save the new key to a file first.');
  const isThis = (one: Registration | null) =>
    held !== undefined && one?.scheme === held.scheme && toHex(one.publicKey) === held.publicKey;
  const { registering, registered } = status;
  if (purpose !== 'register' && !registered) return wait('The account has no key in force.');
  if (purpose === 'reshare' && held && !isThis(registered)) {
    return wait('Another key is in force: give that one, or swap it for this.');
  }
  if (registering && isThis(registering)) {
    return { kind: 'resume', threshold: registering.threshold };
  }
  if (registering) {
    const which = held ? 'An attempt with another key' : 'An attempt';
    return wait(`${which} is under way: give its key, or cancel it on the screen My key.`);
  }
  if (purpose !== 'reshare' && registered && isThis(registered)) {
    if (!status.isFinal) return { kind: 'resume', threshold: registered.threshold };
    return wait('This key is registered. On the screen My key you can reshare it.');
  }
  if (registered && purpose === 'register') {
    return wait('The account has a key in force. On the screen My key you can swap it.');
  }
  if (held === undefined) return wait('Give a key.');
  if (purpose === 'swap' && registered && registered.scheme !== held.scheme) {
    return wait(
      `A swap keeps the scheme, ${registered.scheme}: give a key of that, or deregister the key and register this one.`,
    );
  }
  return { kind: 'sign' };
}

/** Registers a key, or takes up its attempt; by default it is the account's first. */
export function Register(props: {
  connection: Connection | undefined;
  wallet: Wallet | undefined;
  reachability: readonly Reachability[] | undefined;
  onBusy: (isBusy: boolean) => void;
  purpose?: Purpose;
}) {
  const { connection, wallet, reachability, onBusy, purpose = 'register' } = props;
  const keyshare = connection?.keyshare;
  const heading = useId();
  const [vault, setVault] = useState(() => new Vault());
  const [held, setHeld] = useState<HeldKey>();
  const [draft, setDraft] = useState(() => constraintsDraft());
  const [constraintAccount, setConstraintAccount] = useState('');
  const [chosen, setChosen] = useState<number>();
  const [cost, setCost] = useState<Cost>();
  const [isAsking, setAsking] = useState(false);
  const [isTrusted, setTrusted] = useState(false);
  const [board, setBoard] = useState<BoardState>();
  const [error, setError] = useState<unknown>();
  const [running, setRunning] = useState<AbortController>();
  const { status, error: statusError } = useStatus(keyshare, wallet?.address);
  const isBusy = running !== undefined;
  const next = plan(wallet, held, status, purpose);
  // A swap keeps that of the key in force, and what is under way has one.
  const preset =
    purpose === 'register' ? keyshare?.parameters.threshold : status?.registered?.threshold;
  const threshold = next.kind === 'resume' ? next.threshold : (chosen ?? preset);

  // What was shown before signing must be what is signed.
  const question = useRef(0);
  // Each run has a board of its own, which takes the focus.
  const run = useRef(0);
  useEffect(() => {
    question.current += 1;
    setCost(undefined);
    setAsking(false);
  }, [held, draft, constraintAccount, threshold, wallet, keyshare]);
  useEffect(() => {
    setBoard(undefined);
    setError(undefined);
  }, [wallet]);
  const stop = useRef<() => void>(() => undefined);
  stop.current = () => running?.abort();
  useEffect(
    () => () => {
      stop.current();
    },
    [],
  );
  useEffect(
    () => () => {
      void vault.close();
    },
    [vault],
  );
  useLeaveWarning(isBusy || held?.isUnsaved === true);

  const scheme = held?.scheme;
  const reading = useMemo(() => readDraft(draft, scheme), [draft, scheme]);
  const { constraints } = reading;
  const isAllowed = connection !== undefined && (isTrusted || connection.isLocal);
  // What will not work is known before anything is signed.
  const maySign = isAllowed && reachability !== undefined;

  // What is under way has constraints already: what was typed must be those, and nothing need be.
  const isUnnamed = next.kind === 'resume' && isUntouched(draft);

  /** `named` is of the constraints: a swap takes none, since they stay. */
  const withInput = <T,>(
    work: (
      keyshare: Keyshare,
      input: SwapInput,
      named: Pick<RegisterInput, 'constraints' | 'constraintAccount'>,
    ) => Promise<T>,
  ): Promise<T> => {
    if (keyshare === undefined || wallet === undefined || held === undefined) {
      return Promise.reject(new Error('Choose an account and a key first.'));
    }
    const other = constraintAccount.trim();
    const input = {
      dealer: vault.dealer(held.scheme),
      signer: wallet.signer,
      ...(threshold === undefined ? {} : { threshold }),
    };
    return work(keyshare, input, {
      ...(constraints === undefined || isUnnamed ? {} : { constraints }),
      ...(other === '' ? {} : { constraintAccount: other }),
    });
  };
  const review = () => {
    setError(undefined);
    const asked = question.current;
    const ifStill = (then: () => void) => {
      if (question.current === asked) then();
    };
    setCost(undefined);
    setAsking(true);
    withInput((chain, input, named) => {
      if (purpose === 'register') return chain.cost({ ...input, ...named });
      return purpose === 'swap' ? chain.swapCost(input) : chain.reshareCost(input);
    })
      .then((answer) => {
        ifStill(() => {
          setCost(answer);
        });
      })
      .catch((problem: unknown) => {
        ifStill(() => {
          setError(problem);
        });
      })
      .finally(() => {
        ifStill(() => {
          setAsking(false);
        });
      });
  };
  const start = (onlyResume: boolean) => {
    setError(undefined);
    run.current += 1;
    setCost(undefined);
    setBoard(EMPTY);
    const abort = new AbortController();
    setRunning(abort);
    onBusy(true);
    const onProgress = (progress: Progress) => {
      setBoard((before) => observe(before ?? EMPTY, progress));
    };
    withInput((chain, input, named) => {
      const waiting = { ...input, onlyResume, signal: abort.signal, onProgress };
      if (purpose === 'register') return chain.register({ ...waiting, ...named });
      return purpose === 'swap' ? chain.swapKey(waiting) : chain.reshare(waiting);
    })
      .then(
        () => {
          // It is final: the key goes, and its thread with it.
          setHeld(undefined);
          setVault(new Vault());
        },
        (problem: unknown) => {
          setBoard((before) => before && stopped(before));
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
      <h2 id={heading}>{TITLES[purpose]}</h2>
      <p>
        The key stays in the memory of this page, in a thread of its own. There it is split, and
        only shares sealed to their servers leave. Nothing is stored: after a reload give the same
        key, and its attempt goes on. No browser can wipe its memory, so for keys worth a lot use
        the command line tool.
      </p>
      <KeyField
        vault={vault}
        held={held}
        isBusy={isBusy}
        isKnown={purpose === 'reshare'}
        onHeld={setHeld}
      />
      {keyshare && threshold !== undefined && (
        <ThresholdField
          chain={keyshare.parameters}
          threshold={threshold}
          isBusy={isBusy || next.kind === 'resume'}
          onChange={setChosen}
        />
      )}
      {purpose === 'register' && (
        <>
          <ConstraintsEditor
            draft={draft}
            reading={reading}
            scheme={scheme}
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
        <p role="status">
          The attempt of this key is under way. To go on takes no signature. Its constraints are
          what the chain has: what you type for them must be the same.
        </p>
      )}
      {!isBusy &&
        connection &&
        held &&
        wallet &&
        threshold !== undefined &&
        (cost ?? next.kind === 'resume') && (
          <Review
            connection={connection}
            cost={next.kind === 'resume' ? undefined : cost}
            held={held}
            threshold={threshold}
            rules={
              purpose === 'register' && next.kind !== 'resume'
                ? constraints && {
                    constraints,
                    constraintAccount: constraintAccount.trim() || wallet.address,
                  }
                : rulesOnChain(status)
            }
            isSwap={purpose !== 'register'}
            isTrusted={isTrusted}
            onTrust={setTrusted}
          />
        )}
      {/* Each its own element, so that no second click or key press lands on the next one. */}
      <p class="buttons">
        {isBusy ? (
          <button
            key="stop"
            type="button"
            onClick={() => {
              running.abort();
            }}
          >
            Stop
          </button>
        ) : next.kind === 'resume' ? (
          <button
            key="resume"
            type="button"
            class="primary"
            disabled={!isAllowed || constraints === undefined}
            onClick={() => {
              start(true);
            }}
          >
            Go on
          </button>
        ) : cost && !isTooMuch(cost) ? (
          <button
            key="sign"
            type="button"
            class="primary"
            disabled={!maySign}
            onClick={() => {
              start(false);
            }}
          >
            Sign and {purpose}
          </button>
        ) : (
          <button
            key="review"
            type="button"
            class="primary"
            disabled={isAsking || next.kind === 'wait' || constraints === undefined}
            onClick={review}
          >
            Show the cost
          </button>
        )}
      </p>
      {statusError !== undefined && <Problem error={statusError} />}
      {error !== undefined && <Problem error={error} />}
      {board && connection && <Board key={run.current} connection={connection} state={board} />}
    </section>
  );
}

interface Rules {
  readonly constraints: Constraints;
  readonly constraintAccount: string;
}

/** What the chain has for an attempt under way, or for the key in force. */
function rulesOnChain(status: Status | undefined): Rules | undefined {
  if (!status?.constraints || status.constraintAccount === null) return undefined;
  return { constraints: status.constraints, constraintAccount: status.constraintAccount };
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
