/** A private key: pasted, from a file, or made here. It goes into the vault at once. */

import { type Addresses, type Scheme, toHex } from '@keyshare/sdk';
import { useState } from 'preact/hooks';
import { short } from './format.js';
import { parseKey } from './keytext.js';
import { Problem } from './problem.js';
import type { Vault } from './vault.js';

/** A key that the vault has. */
export interface HeldKey {
  readonly scheme: Scheme;
  /** `0x` and hex. */
  readonly publicKey: string;
  /** By which people know it. */
  readonly addresses: Addresses[Scheme];
  /** Whether it was made here, and its owner has not yet said to have it. */
  readonly isUnsaved: boolean;
}

/** Far more than a key file has. */
const MOST_FILE_BYTES = 1_024;
/** How long a browser may take to begin saving a file. */
const OFFERED_MS = 10_000;

/** The form. */
export function KeyField(props: {
  vault: Vault;
  held: HeldKey | undefined;
  isBusy: boolean;
  /** Whether it can only be one that its owner has. */
  isKnown: boolean;
  onHeld: (held: HeldKey | undefined) => void;
}) {
  const { vault, held, isBusy, isKnown, onHeld } = props;
  const [scheme, setScheme] = useState<Scheme>('ed25519');
  const [wasMadeHere, setMadeHere] = useState(false);
  const [wasOffered, setOffered] = useState(false);
  const [error, setError] = useState<unknown>();

  /** At once: what is signed is for the key that is shown. */
  const letGo = () => {
    onHeld(undefined);
  };
  const attempt = (work: () => Promise<void>) => {
    setError(undefined);
    work().catch((problem: unknown) => {
      letGo();
      setError(problem);
      // What is no key may still be a secret.
      void vault.forget();
    });
  };
  const take = (text: string) => {
    attempt(async () => {
      letGo();
      const parsed = parseKey(text);
      const of = parsed.scheme ?? scheme;
      setScheme(of);
      setMadeHere(false);
      const { publicKey, addresses } = await vault.take(of, parsed.key);
      onHeld({ scheme: of, publicKey: toHex(publicKey), addresses, isUnsaved: false });
    });
  };
  const takeFile = (file: File | undefined) => {
    attempt(async () => {
      if (file === undefined) return;
      letGo();
      if (file.size > MOST_FILE_BYTES) throw new Error(`${file.name} is too long for a key file`);
      take(await file.text());
    });
  };
  const generate = () => {
    if (held?.isUnsaved && !confirm('Forget the key that was made here and is not saved?')) return;
    attempt(async () => {
      letGo();
      const { publicKey, addresses } = await vault.generate(scheme);
      setMadeHere(true);
      setOffered(false);
      onHeld({ scheme, publicKey: toHex(publicKey), addresses, isUnsaved: true });
    });
  };
  const save = () => {
    attempt(async () => {
      if (held === undefined) return;
      const url = URL.createObjectURL(
        new Blob([`${await vault.reveal()}\n`], { type: 'text/plain' }),
      );
      const link = document.createElement('a');
      link.href = url;
      link.download = `keyshare-${held.scheme}-${held.publicKey.slice(2, 10)}.key`;
      link.click();
      // Some browsers read it later.
      setTimeout(() => {
        URL.revokeObjectURL(url);
      }, OFFERED_MS);
      setOffered(true);
    });
  };

  return (
    <fieldset disabled={isBusy}>
      <legend>Private key</legend>
      <label>
        Scheme{' '}
        <select
          value={scheme}
          onChange={({ currentTarget }) => {
            setScheme(currentTarget.value as Scheme);
            setMadeHere(false);
            letGo();
            void vault.forget();
          }}
        >
          <option value="ed25519">Ed25519 (Solana)</option>
          <option value="secp256k1">secp256k1 (EVM chains and Bitcoin)</option>
        </select>
      </label>
      <label>
        Paste it: 64 hex digits
        {/* No password field: password managers would offer to keep it. */}
        <input
          type="text"
          class="secret"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          data-1p-ignore
          data-bwignore
          data-lpignore="true"
          onInput={({ currentTarget }) => {
            // Whole, it leaves the field at once.
            if (!/[0-9a-fA-F]{64}\s*$/.test(currentTarget.value)) return;
            take(currentTarget.value);
            currentTarget.value = '';
          }}
          onChange={({ currentTarget }) => {
            if (currentTarget.value !== '') take(currentTarget.value);
            currentTarget.value = '';
          }}
        />
      </label>
      <label>
        or open a key file{' '}
        <input
          type="file"
          onChange={({ currentTarget }) => {
            takeFile(currentTarget.files?.[0]);
            currentTarget.value = '';
          }}
        />
      </label>
      <p class="buttons">
        {!isKnown && (
          <button type="button" onClick={generate}>
            Make a new key
          </button>
        )}
        {wasMadeHere && held && (
          <button type="button" onClick={save}>
            Save it to a file
          </button>
        )}
      </p>
      <p role="status">
        {held && (
          <>
            Public key <code title={held.publicKey}>{short(held.publicKey)}</code>
            {held.isUnsaved && '. Save the private key before you go on: nobody else has it.'}
          </>
        )}
      </p>
      {wasOffered && held?.isUnsaved && (
        <label>
          <input
            type="checkbox"
            checked={false}
            onChange={() => {
              // Only its owner can know: a browser tells no page whether a file was saved.
              onHeld({ ...held, isUnsaved: false });
            }}
          />{' '}
          The file is saved, and I can find it
        </label>
      )}
      {error !== undefined && <Problem error={error} />}
      {scheme === 'ed25519' && (
        <p class="note">
          An Ed25519 seed cannot be recovered from its shares, which sign like the key: keep your
          own copy.
        </p>
      )}
    </fieldset>
  );
}
