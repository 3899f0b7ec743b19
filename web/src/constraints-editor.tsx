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

/** What is wrong with each list. */
export interface Problems {
  readonly evm: readonly string[];
  readonly btc: readonly string[];
}

/** Whether anything is. */
export function hasProblems({ evm, btc }: Problems): boolean {
  return evm.length > 0 || btc.length > 0;
}

/** A form filled in with these constraints. */
export function constraintsDraft({ evmAcl, btcAcl }: Constraints): ConstraintsDraft {
  return { evm: draftOf(evmAcl, showEvm), btc: draftOf(btcAcl) };
}

/** What the form says, and what is wrong with it. */
export function readDraft(
  { evm, btc }: ConstraintsDraft,
  most: number,
): { constraints: Constraints; problems: Problems } {
  const read = (
    { kind, text, allowNullRecipient }: Draft,
    parse: (one: string) => string,
  ): { acl: Acl | null; problems: string[] } => {
    if (kind === 'off') return { acl: null, problems: [] };
    const { addresses, problems } = parseList(text, parse, most);
    return { acl: { kind, addresses, allowNullRecipient }, problems };
  };
  const [onEvm, onBtc] = [read(evm, parseEvm), read(btc, parseBtc)];
  return {
    constraints: { evmAcl: onEvm.acl, btcAcl: onBtc.acl },
    problems: { evm: onEvm.problems, btc: onBtc.problems },
  };
}

/** What constraints mean. */
export function inWords({ evmAcl, btcAcl }: Constraints): string {
  return `EVM chains: ${aclInWords(evmAcl)}. Bitcoin: ${aclInWords(btcAcl)}.`;
}

function aclInWords(acl: Acl | null): string {
  if (acl === null) return 'switched off, nothing can be signed';
  const count = acl.addresses.length;
  const who = count === 1 ? '1 recipient' : `${count} recipients`;
  const isAllow = acl.kind === 'allow';
  const none = isAllow ? 'no recipient at all' : 'every recipient';
  const rule = count === 0 ? none : `${isAllow ? 'only' : 'all but'} ${who}`;
  return acl.allowNullRecipient ? `${rule}, and transactions without one` : rule;
}

/** The form. */
export function ConstraintsEditor(props: {
  draft: ConstraintsDraft;
  problems: Problems;
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
        withoutRecipient="such as contract creations"
        draft={draft.evm}
        problems={problems.evm}
        onChange={(evm) => {
          onChange({ ...draft, evm });
        }}
      />
      <One
        name="Bitcoin"
        hint="addresses that start with bc1, or 64 hex digits of a script hash or taproot key, one a line"
        withoutRecipient="such as outputs that carry nothing but data"
        draft={draft.btc}
        problems={problems.btc}
        onChange={(btc) => {
          onChange({ ...draft, btc });
        }}
      />
    </fieldset>
  );
}

function One(props: {
  name: string;
  hint: string;
  withoutRecipient: string;
  draft: Draft;
  problems: readonly string[];
  onChange: (draft: Draft) => void;
}) {
  const { name, hint, withoutRecipient, draft, problems, onChange } = props;
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
              aria-invalid={problems.length > 0}
              aria-describedby={`${id}-problems`}
              value={draft.text}
              onInput={({ currentTarget }) => {
                onChange({ ...draft, text: currentTarget.value });
              }}
            />
          </label>
          <div id={`${id}-problems`} role="status" class="bad">
            {problems.length > 0 && (
              <ul>
                {problems.map((problem) => (
                  <li key={problem}>{problem}</li>
                ))}
              </ul>
            )}
          </div>
          <label class="inline">
            <input
              type="checkbox"
              checked={draft.allowNullRecipient}
              onChange={({ currentTarget }) => {
                onChange({ ...draft, allowNullRecipient: currentTarget.checked });
              }}
            />{' '}
            allow transactions without a recipient, {withoutRecipient}
          </label>
        </>
      )}
    </div>
  );
}
