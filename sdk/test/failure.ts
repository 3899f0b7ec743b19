import { KeyshareError } from '../src/index.js';

/** The error that a promise ends with. */
export async function failure(promise: Promise<unknown>): Promise<KeyshareError> {
  const error: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(error instanceof KeyshareError)) throw new Error(`no KeyshareError: ${String(error)}`);
  return error;
}
