/** Changing what a key may be used for, and who may change that. */

import type { Constraints, Keyshare, OnProgress, Scheme, Status } from '@keyshare/sdk';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { beginEditing, keepUp, readDraft } from './constraints-draft.js';
import { ConstraintsEditor } from './constraints-editor.js';
import { ConstraintsShown } from './constraints-shown.js';
import type { Wallet } from './wallet.js';

/** The constraints, and the forms that change them and hand them over. */
export function EditConstraints(props: {
  keyshare: Keyshare;
  status: Status;
  /** What the chain has. */
  now: Constraints;
  wallet: Wallet | undefined;
  isBusy: boolean;
  act: (work: (signer: Wallet['signer'], onProgress: OnProgress) => Promise<unknown>) => void;
}) {
  const { keyshare, status, now, wallet, isBusy, act } = props;
  const { account, constraintAccount, registered, registering, isFinal } = status;
  const scheme = (registered ?? registering)?.scheme;
  const [editing, setEditing] = useState(() => beginEditing(now));
  const text = JSON.stringify(now);
  useEffect(() => {
    setEditing((before) => keepUp(before, now, isFinal));
    // What is shown at each block is another object.
  }, [text, isFinal]);
  const { draft } = editing;
  const [to, setTo] = useState('');
  const reading = useMemo(() => readDraft(draft, scheme), [draft, scheme]);
  const { constraints } = reading;
  /** What is shown as it will be, until anything else is typed. */
  const [reviewed, setReviewed] = useState<Constraints>();
  const isReviewed = constraints !== undefined && reviewed === constraints;
  return (
    <article aria-label="Constraints">
      <h3>Constraints</h3>
      <ConstraintsShown constraints={now} scheme={scheme} />
      {constraintAccount !== null && (
        <p>
          Only <code>{constraintAccount}</code> may change them
          {!wallet && '; connect a wallet to sign'}
          {wallet && wallet.address !== constraintAccount && `, and you sign as ${wallet.label}`}.
        </p>
      )}
      <ConstraintsEditor
        draft={draft}
        reading={reading}
        scheme={scheme}
        isBusy={isBusy}
        onChange={(draft) => {
          setEditing({ ...editing, draft });
        }}
      />
      {isReviewed && <ReviewConstraints constraints={constraints} scheme={scheme} />}
      {/* Each its own element, so that no second click or key press lands on the next one. */}
      <p class="buttons">
        {isReviewed ? (
          <button
            key="sign"
            type="button"
            class="primary"
            disabled={isBusy}
            onClick={() => {
              setReviewed(undefined);
              act((signer, onProgress) =>
                keyshare.setConstraints({ account, signer, constraints, onProgress }),
              );
            }}
          >
            Sign and change them
          </button>
        ) : (
          <button
            key="review"
            type="button"
            disabled={isBusy || constraints === undefined}
            onClick={() => {
              setReviewed(constraints);
            }}
          >
            Change the constraints
          </button>
        )}
      </p>
      <label>
        Hand them over to another constraint-modification account
        <input
          type="text"
          spellcheck={false}
          disabled={isBusy}
          value={to}
          onInput={({ currentTarget }) => {
            setTo(currentTarget.value);
          }}
        />
      </label>
      <p class="buttons">
        <button
          type="button"
          disabled={isBusy || to.trim() === ''}
          onClick={() => {
            act((signer, onProgress) =>
              keyshare.changeConstraintAccount({ account, signer, to: to.trim(), onProgress }),
            );
          }}
        >
          Hand them over
        </button>
      </p>
    </article>
  );
}

/** The constraints as the chain will have them, before they are signed. */
function ReviewConstraints(props: { constraints: Constraints; scheme: Scheme | undefined }) {
  const card = useRef<HTMLDivElement>(null);
  useEffect(() => {
    card.current?.focus();
  }, []);
  return (
    <div ref={card} tabIndex={-1} class="card" role="group" aria-label="Before you change them">
      <p>This replaces what the chain has. The constraints as they will be:</p>
      <ConstraintsShown {...props} />
    </div>
  );
}
