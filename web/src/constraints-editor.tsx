/** Constraints as a form: a list for each architecture, checked while it is typed. */

import type { Acl, Constraints } from '@keyshare/sdk';
import { useId } from 'preact/hooks';
import { parseBtc, parseEvm, parseList, showEvm } from './addresses.js';

type Kind = 'off' | 'allow' | 'deny';

/** What was typed for one architecture. */
interface Draft {
  readonly kind: Kind;
  readonly text: string;
  readonly allowNullRecipient: boolean;
}

/** What was typed. */
export interface ConstraintsDraft {
  readonly evm: Draft;
  readonly btc: Draft;
}

function draftOf(acl: Acl | null, show = (address: string) => address): Draft {
  return acl === null
    ? { kind: 'off', text: '', allowNullRecipient: false }
    : {
        kind: acl.kind,
        text: acl.addresses.map(show).join('\n'),
        allowNullRecipient: acl.allowNullRecipient,
      };
}

/** A form filled in with these constraints. */
export function constraintsDraft({ evmAcl, btcAcl }: Constraints): ConstraintsDraft {
  return { evm: draftOf(evmAcl, showEvm), btc: draftOf(btcAcl) };
}

/** What the form says, and what is wrong with it. */
export function readDraft(
  { evm, btc }: ConstraintsDraft,
  most: number,
): { constraints: Constraints; problems: string[] } {
  const problems: string[] = [];
  const acl = (draft: Draft, parse: (one: string) => string): Acl | null => {
    if (draft.kind === 'off') return null;
    const list = parseList(draft.text, parse, most);
    problems.push(...list.problems);
    const { kind, allowNullRecipient } = draft;
    return { kind, addresses: list.addresses, allowNullRecipient };
  };
  const constraints = { evmAcl: acl(evm, parseEvm), btcAcl: acl(btc, parseBtc) };
  return { constraints, problems };
}

/** What constraints mean. */
export function inWords({ evmAcl, btcAcl }: Constraints): string {
  return `EVM chains: ${aclInWords(evmAcl)}. Bitcoin: ${aclInWords(btcAcl)}.`;
}

function aclInWords(acl: Acl | null): string {
  if (acl === null) return 'switched off, nothing can be signed';
  const count = acl.addresses.length;
  const who = count === 1 ? '1 recipient' : `${count} recipients`;
  const rule =
    acl.kind === 'allow' ? `only ${who}` : count === 0 ? 'every recipient' : `all but ${who}`;
  return acl.allowNullRecipient ? `${rule}, and transactions without one` : rule;
}

/** The form. */
export function ConstraintsEditor(props: {
  draft: ConstraintsDraft;
  problems: readonly string[];
  isBusy: boolean;
  onChange: (draft: ConstraintsDraft) => void;
}) {
  const { draft, problems, isBusy, onChange } = props;
  return (
    <fieldset disabled={isBusy}>
      <legend>Constraints: whom this key may ever pay</legend>
      <One
        name="EVM chains"
        hint="0x and 40 hex digits each, one a line"
        draft={draft.evm}
        onChange={(evm) => {
          onChange({ ...draft, evm });
        }}
      />
      <One
        name="Bitcoin"
        hint="addresses that start with bc1, or 64 hex digits of a script hash or taproot key, one a line"
        draft={draft.btc}
        onChange={(btc) => {
          onChange({ ...draft, btc });
        }}
      />
      {problems.length > 0 && (
        <div role="alert" class="bad">
          <ul>
            {problems.map((problem) => (
              <li key={problem}>{problem}</li>
            ))}
          </ul>
        </div>
      )}
    </fieldset>
  );
}

function One(props: {
  name: string;
  hint: string;
  draft: Draft;
  onChange: (draft: Draft) => void;
}) {
  const { name, hint, draft, onChange } = props;
  const id = useId();
  return (
    <div class="acl">
      <label for={id}>{name}</label>
      <select
        id={id}
        value={draft.kind}
        onChange={({ currentTarget }) => {
          onChange({ ...draft, kind: currentTarget.value as Kind });
        }}
      >
        <option value="off">switched off</option>
        <option value="allow">only these recipients</option>
        <option value="deny">all but these recipients</option>
      </select>
      {draft.kind !== 'off' && (
        <>
          <label>
            Recipients on {name} ({hint})
            <textarea
              rows={3}
              spellcheck={false}
              value={draft.text}
              onInput={({ currentTarget }) => {
                onChange({ ...draft, text: currentTarget.value });
              }}
            />
          </label>
          <label class="inline">
            <input
              type="checkbox"
              checked={draft.allowNullRecipient}
              onChange={({ currentTarget }) => {
                onChange({ ...draft, allowNullRecipient: currentTarget.checked });
              }}
            />{' '}
            allow transactions without a recipient, such as contract creations
          </label>
        </>
      )}
    </div>
  );
}
