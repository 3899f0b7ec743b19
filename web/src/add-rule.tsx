/** A rule from fields, for those who do not want to type it: only kinds that fit the key. */

import { parseRule, type Scheme, showRule } from '@keyshare/sdk';
import { useId, useState } from 'preact/hooks';
import { trimmed } from './constraints-draft.js';

/** A kind of rule: its words after the id, with fields in brackets. */
interface Kind {
  readonly scheme: Scheme;
  readonly name: string;
  readonly form: string;
}

const KINDS: readonly Kind[] = [
  {
    scheme: 'secp256k1',
    name: 'EVM chain: pay its coin',
    form: 'evm:<chain> pay to <who> up to <amount>',
  },
  {
    scheme: 'secp256k1',
    name: 'EVM chain: pay a token',
    form: 'evm:<chain> token <token> to <who> up to <amount>',
  },
  {
    scheme: 'secp256k1',
    name: 'EVM chain: let a spender take a token',
    form: 'evm:<chain> approve <token> to <spender> up to <amount>',
  },
  {
    scheme: 'secp256k1',
    name: 'EVM chain: call a contract',
    form: 'evm:<chain> call <selector> to <contract> up to <value>',
  },
  { scheme: 'secp256k1', name: 'Bitcoin: pay', form: 'bitcoin pay to <who> up to <amount>' },
  { scheme: 'secp256k1', name: 'Bitcoin: outputs of data', form: 'bitcoin data' },
  { scheme: 'ed25519', name: 'Solana: pay', form: 'solana pay to <who> up to <amount>' },
  {
    scheme: 'ed25519',
    name: 'Solana: pay a token',
    form: 'solana token <mint> to <holder> up to <amount>',
  },
  { scheme: 'ed25519', name: 'Solana: memos', form: 'solana memo' },
  { scheme: 'ed25519', name: 'Solana: call a program', form: 'solana call <program>' },
];

const FIELDS: Readonly<Record<string, string>> = {
  chain: 'Chain id, as 1 for Ethereum',
  who: 'Recipient: an address, or “anyone”',
  amount: 'Largest amount: a whole number, or “any”',
  token: 'The token’s contract',
  spender: 'The spender’s address',
  selector: 'The function’s selector, as 0xa9059cbb, or “any”',
  contract: 'The contract’s address',
  value: 'Largest amount of the chain’s coin that goes with it',
  mint: 'The token’s mint',
  holder: 'Recipient: “wallet” or “account” and an address, or “anyone”',
  program: 'The program’s address',
};

/** The kinds of rules that fit a key; all, while it is not known. */
export function kindsFor(scheme: Scheme | undefined): readonly Kind[] {
  return KINDS.filter((kind) => scheme === undefined || kind.scheme === scheme);
}

/** The fields that a form has. */
export function fieldsOf(form: string): string[] {
  return Array.from(form.matchAll(/<(\w+)>/g), ([, field = '']) => field);
}

/** The rule without its id. Throws what is missing, or as `parseRule` does. */
export function ruleOf(form: string, values: Readonly<Record<string, string>>): string {
  const missing = fieldsOf(form).find((field) => trimmed(values[field] ?? '') === '');
  if (missing !== undefined) throw new Error(`Fill in “${FIELDS[missing] ?? missing}”`);
  const rule = form.replace(/<(\w+)>/g, (_, field: string) => values[field] ?? '');
  return showRule(parseRule(`0: ${rule}`)).replace(/^0: /, '');
}

/** The form. */
export function AddRule(props: { scheme: Scheme | undefined; onAdd: (rule: string) => void }) {
  const { scheme, onAdd } = props;
  const id = useId();
  const kinds = kindsFor(scheme);
  const [index, setIndex] = useState(0);
  const [values, setValues] = useState<Readonly<Record<string, string>>>({ chain: '1' });
  const [problem, setProblem] = useState<string>();
  const form = kinds[index]?.form ?? '';
  const add = () => {
    try {
      onAdd(ruleOf(form, values));
      setProblem(undefined);
      setValues({ chain: values['chain'] ?? '' });
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <details>
      <summary>Add a rule</summary>
      <label>
        What it allows{' '}
        <select
          value={index}
          onChange={({ currentTarget }) => {
            setIndex(Number(currentTarget.value));
            setProblem(undefined);
          }}
        >
          {kinds.map(({ name }, one) => (
            <option key={name} value={one}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {fieldsOf(form).map((field) => (
        <label key={field}>
          {FIELDS[field]}
          <input
            type="text"
            spellcheck={false}
            autocapitalize="off"
            aria-describedby={id}
            value={values[field] ?? ''}
            onInput={({ currentTarget }) => {
              setValues({ ...values, [field]: currentTarget.value });
            }}
          />
        </label>
      ))}
      <p id={id} role="status" class="bad">
        {problem}
      </p>
      <p class="buttons">
        <button type="button" onClick={add}>
          Add it to the rules
        </button>
      </p>
    </details>
  );
}
