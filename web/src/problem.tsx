/** An error that people can act on. */

import { KeyshareError } from '@keyshare/sdk';

/** What went wrong, and what to do about it. */
export function Problem({ error }: { error: unknown }) {
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof KeyshareError ? error.hint : undefined;
  return (
    <div class="problem" role="alert">
      <p>{capitalized(message)}</p>
      {hint && <p>{hint}</p>}
    </div>
  );
}

/** A sentence; an address or a file's name at its beginning stays as it is. */
function capitalized(text: string): string {
  if (!/^[a-z]+ /.test(text)) return text;
  return text.charAt(0).toUpperCase() + text.slice(1);
}
