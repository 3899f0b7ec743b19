/** Constraints as a form: rules and fees as text, a line each, checked while they are typed. */

import type { Constraints, Scheme } from '@keyshare/sdk';
import { useId } from 'preact/hooks';
import { AddRule } from './add-rule.js';
import {
  type ConstraintsDraft,
  type LineProblem,
  type Reading,
  withRule,
} from './constraints-draft.js';
import { Warnings } from './constraints-shown.js';

const EXAMPLES: Readonly<Record<Scheme, string>> = {
  ed25519: 'solana=5000',
  secp256k1: 'evm:1=2000000000000000',
};

/** The form. */
export function ConstraintsEditor(props: {
  draft: ConstraintsDraft;
  reading: Reading;
  /** The key's, once it is known. */
  scheme: Scheme | undefined;
  isBusy: boolean;
  onChange: (draft: ConstraintsDraft) => void;
}) {
  const { draft, reading, scheme, isBusy, onChange } = props;
  return (
    <fieldset disabled={isBusy}>
      <legend>Constraints: what this key may ever be used for</legend>
      <p class="note">
        What no rule allows is refused; without rules the key is kept and never used. Without a
        largest fee nothing is signed on a network. Amounts are in the smallest unit: wei, satoshi,
        lamports, a token’s own.
      </p>
      <Lines
        label="Rules, one a line"
        rows={4}
        text={draft.rules}
        problems={reading.rules}
        onChange={(rules) => {
          onChange({ ...draft, rules });
        }}
      />
      <AddRule
        // Made anew for another scheme: other rules fit.
        key={scheme}
        scheme={scheme}
        onAdd={(rule) => {
          onChange(withRule(draft, rule));
        }}
      />
      <Lines
        label={`Largest fees, a network a line, as in ${EXAMPLES[scheme ?? 'secp256k1']}`}
        rows={2}
        text={draft.fees}
        problems={reading.fees}
        onChange={(fees) => {
          onChange({ ...draft, fees });
        }}
      />
      <label>
        Messages that may be signed{' '}
        <select
          value={draft.messages}
          onChange={({ currentTarget }) => {
            onChange({ ...draft, messages: currentTarget.value as Constraints['messages'] });
          }}
        >
          <option value="never">none</option>
          <option value="prefixed">those that cannot be taken for a transaction</option>
          <option value="any">any</option>
        </select>
      </label>
      <div role="status">
        {reading.together !== undefined && <p class="bad">{reading.together}</p>}
        <Warnings warnings={reading.warnings} />
      </div>
    </fieldset>
  );
}

function Lines(props: {
  label: string;
  rows: number;
  text: string;
  problems: readonly LineProblem[];
  onChange: (text: string) => void;
}) {
  const { label, rows, text, problems, onChange } = props;
  const id = useId();
  return (
    <>
      <label>
        {label}
        <textarea
          rows={rows}
          spellcheck={false}
          autocapitalize="off"
          aria-invalid={problems.length > 0}
          aria-describedby={id}
          value={text}
          onInput={({ currentTarget }) => {
            onChange(currentTarget.value);
          }}
        />
      </label>
      <div id={id} role="status" class="bad">
        {problems.length > 0 && (
          <ul>
            {problems.map(({ line, message }) => (
              <li key={line}>
                Line {line}: {message}
              </li>
            ))}
          </ul>
        )}
      </div>
    </>
  );
}
