/** Constraints as the chain has them, or will have them, and what they open beyond what they say. */

import { type Constraints, type Scheme, type Warning, warnings } from '@keyshare/sdk';

/** What constraints allow. */
export function ConstraintsShown(props: { constraints: Constraints; scheme: Scheme | undefined }) {
  const { constraints, scheme } = props;
  const { rules, fees } = constraints;
  return (
    <>
      <p>{inWords(constraints)}</p>
      {rules.length > 0 && (
        <ul>
          {rules.map((rule) => (
            <li key={rule}>
              <code>{rule}</code>
            </li>
          ))}
        </ul>
      )}
      {fees.length > 0 && (
        <p>
          Largest fees: <code>{fees.join(', ')}</code>
        </p>
      )}
      <Warnings warnings={warnings(constraints, scheme)} />
    </>
  );
}

const MESSAGES: Readonly<Record<Constraints['messages'], string>> = {
  never: 'no messages',
  prefixed: 'messages that cannot be taken for a transaction',
  any: 'any message',
};

/** What constraints allow, in short. */
export function inWords({ rules, messages }: Constraints): string {
  if (rules.length === 0 && messages === 'never') return 'The key is kept and never used.';
  const transactions =
    rules.length === 0
      ? 'No transactions are allowed'
      : `Transactions within ${rules.length === 1 ? '1 rule' : `${rules.length} rules`} are allowed`;
  return `${transactions}; ${MESSAGES[messages]} may be signed.`;
}

/** Warnings, if there are any. */
export function Warnings(props: { warnings: readonly Warning[] }) {
  if (props.warnings.length === 0) return null;
  return (
    <ul class="busy">
      {props.warnings.map(({ name, rule, message }) => (
        <li key={`${name} ${rule ?? ''}`}>Take care, {message}.</li>
      ))}
    </ul>
  );
}
