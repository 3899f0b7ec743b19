/** What is asked of share listeners, protocol §5 and §6: JSON-RPC 2.0 over HTTP. */

import pLimit, { type LimitFunction } from 'p-limit';
import { equal, fromHex, toHex } from './bytes.js';
import { type ErrorName, KeyshareError } from './errors.js';
import { challengeMessage, custodyMessage } from './messages.js';
import { verifyCustodyProof } from './proof.js';
import type { Scheme } from './scheme.js';
import type { SealedShare } from './seal.js';
import { isMixedContent } from './urls.js';

/** How long a server may take for one answer, which follows a durable write. */
const ANSWER_MS = 20_000;
/** How long it may take to say who it is. */
const TRY_MS = 5_000;
/** How many calls are open at a time. */
const CALLS_AT_A_TIME = 8;
/** Far more than any answer has. */
const MOST_ANSWER_CHARACTERS = 65_536;

/** A server, as the chain publishes it. */
export interface Server {
  readonly subgroup: number;
  /** Its account, SS58. */
  readonly account: string;
  /** The same, 32 bytes. */
  readonly accountId: Uint8Array;
  /** Its X25519 key, 32 bytes. */
  readonly encryptionKey: Uint8Array;
  /** An http or https URL. */
  readonly endpoint: string;
}

/** The attempt or key that a server is asked about. */
export interface Subject {
  /** The user's account, SS58. */
  readonly account: string;
  readonly generation: number;
  /** The registration id, 32 bytes. */
  readonly id: Uint8Array;
  readonly scheme: Scheme;
  /** The verifying share of each subgroup. */
  readonly verifyingShares: readonly Uint8Array[];
}

/** A server's answer to a share, once it has been checked. */
export type SubmitStatus = 'stored' | 'already-stored';

/** Names of the protocol's errors by their code, §5. */
export const CODES: Readonly<Record<number, ErrorName>> = {
  [-32602]: 'InvalidParams',
  9001: 'UnknownServer',
  9002: 'NotRegistering',
  9003: 'WrongGeneration',
  9004: 'WrongSubgroup',
  9005: 'DecryptionFailed',
  9006: 'ShareMismatch',
  9007: 'Busy',
  9008: 'StorageFailed',
  9009: 'NoShare',
  9010: 'BadSignature',
  9011: 'WrongBlock',
  9012: 'NotFinal',
};

/** Runs so many calls at a time, in the order in which they come. */
export const callLimit = (): LimitFunction => pLimit(CALLS_AT_A_TIME);

/** Sends a sealed share, and checks that the answer proves custody of exactly this share. */
export async function submitShare(
  server: Server,
  subject: Subject,
  sealed: SealedShare,
  signal?: AbortSignal,
): Promise<SubmitStatus> {
  const result = await call(
    server.endpoint,
    'keyshare_submitShare',
    {
      server: server.account,
      account: subject.account,
      generation: subject.generation,
      subgroup: server.subgroup,
      enc: toHex(sealed.enc),
      ciphertext: toHex(sealed.ciphertext),
    },
    signal,
  );
  const { registrationId, status, custodyProof } = fields(result);
  requireProof(
    server,
    subject,
    registrationId,
    custodyProof,
    custodyMessage(subject.id, server.accountId),
  );
  if (status !== 'stored' && status !== 'already-stored') throw unexpected('its status is unknown');
  return status;
}

/** Challenges a server to prove, with fresh randomness, that it holds the share now. */
export async function proveCustody(
  server: Server,
  subject: Subject,
  signal?: AbortSignal,
): Promise<void> {
  const nonce = crypto.getRandomValues(new Uint8Array(32));
  const result = await call(
    server.endpoint,
    'keyshare_proveCustody',
    { server: server.account, account: subject.account, nonce: toHex(nonce) },
    signal,
  );
  const { registrationId, custodyProof } = fields(result);
  const message = challengeMessage(subject.id, server.accountId, nonce);
  requireProof(server, subject, registrationId, custodyProof, message);
}

/** The servers behind an endpoint: protocol version, genesis hash and accounts. */
export interface HostedServers {
  readonly protocolVersion: number;
  readonly genesisHash: string;
  readonly servers: readonly { readonly account: string }[];
}

/** Asks an endpoint which servers it hosts; the cheapest way to see whether it can be reached. */
export async function hostedServers(
  endpoint: string,
  signal?: AbortSignal,
): Promise<HostedServers> {
  const { protocolVersion, genesisHash, servers } = fields(
    await call(endpoint, 'keyshare_servers', undefined, signal, TRY_MS),
  );
  if (
    typeof protocolVersion !== 'number' ||
    typeof genesisHash !== 'string' ||
    !Array.isArray(servers)
  ) {
    throw unexpected('it does not describe servers');
  }
  return {
    protocolVersion,
    genesisHash,
    servers: servers.map((server) => ({ account: String(fields(server)['account']) })),
  };
}

/** One JSON-RPC call. */
async function call(
  endpoint: string,
  method: string,
  parameters: object | undefined,
  signal?: AbortSignal,
  answerMs = ANSWER_MS,
): Promise<unknown> {
  if (signal?.aborted) throw new KeyshareError('Aborted', 'aborted');
  const url = endpointUrl(endpoint);
  const deadline = AbortSignal.timeout(answerMs);
  const both = signal ? AbortSignal.any([signal, deadline]) : deadline;
  const request = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method,
    params: parameters === undefined ? [] : [parameters],
  });
  let text: string;
  try {
    text = await post(url, request, both);
  } catch (cause) {
    if (signal?.aborted) throw new KeyshareError('Aborted', 'aborted', { cause });
    if (cause instanceof KeyshareError) throw cause;
    const why = deadline.aborted ? 'no answer in time' : 'no connection';
    throw new KeyshareError('ServerUnreachable', `${endpoint}: ${why}`, { cause });
  }
  return outcome(text);
}

function endpointUrl(endpoint: string): URL {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new KeyshareError('ServerUnreachable', `${endpoint} is no http or https URL`);
  }
  if (isMixedContent(url)) {
    throw new KeyshareError(
      'MixedContent',
      `this page cannot reach ${endpoint}: it is not encrypted`,
    );
  }
  return url;
}

async function post(url: URL, request: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: request,
    signal,
    // What a server is sent is for the endpoint on chain, and for nobody it points to.
    redirect: 'error',
    credentials: 'omit',
    referrerPolicy: 'no-referrer',
  });
  // A proxy whose server is down, or a listener with too many connections: no JSON-RPC.
  if (!response.ok) {
    // Nobody reads it, and it would keep the connection.
    await response.body?.cancel().catch(() => undefined);
    throw new KeyshareError('ServerUnreachable', `${url.href}: HTTP status ${response.status}`);
  }
  let text = '';
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  while (reader && text.length <= MOST_ANSWER_CHARACTERS) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += value;
  }
  await reader?.cancel();
  return text;
}

/** The result of an answer. Whoever made it is not trusted to have made what JSON-RPC says. */
function outcome(text: string): unknown {
  if (text.length > MOST_ANSWER_CHARACTERS) throw unexpected('it is too long');
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (cause) {
    throw unexpected('it is not JSON', cause);
  }
  const { error, result } = fields(answer);
  if (error === undefined) return result;
  const { code, message, data } = fields(error);
  const words = plain(String(message));
  const name = CODES[Number(code)] ?? (isFailure(Number(code)) ? 'ServerFailed' : undefined);
  if (name === undefined) throw unexpected(`error ${plain(String(code))}, ${words}`);
  const { retryAfterMs, generation } = isObject(data) ? data : {};
  throw new KeyshareError(name, words, {
    ...(isCount(retryAfterMs) ? { retryAfterMs } : {}),
    ...(isCount(generation) ? { generation } : {}),
  });
}

/** JSON-RPC's own codes for overload and failures inside a server. */
function isFailure(code: number): boolean {
  return code === -32603 || (code >= -32099 && code <= -32000);
}

/** What a stranger wrote, fit for a terminal: no control characters, and not too long. */
function plain(text: string): string {
  return text.replace(/\p{Cc}/gu, '').slice(0, 200);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function fields(result: unknown): Record<string, unknown> {
  if (!isObject(result)) throw unexpected('it is no object');
  return result;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function unexpected(why: string, cause?: unknown): KeyshareError {
  return new KeyshareError('UnexpectedAnswer', `the server's answer cannot be used: ${why}`, {
    cause,
  });
}

function requireProof(
  server: Server,
  subject: Subject,
  registrationId: unknown,
  custodyProof: unknown,
  message: Uint8Array,
): void {
  const expected = subject.verifyingShares[server.subgroup];
  let id: Uint8Array, signature: Uint8Array;
  try {
    id = fromHex(String(registrationId), 32);
    signature = fromHex(String(custodyProof));
  } catch (cause) {
    throw unexpected('it has no proof', cause);
  }
  const holds =
    equal(id, subject.id) &&
    expected !== undefined &&
    verifyCustodyProof({ scheme: subject.scheme, signature }, message, expected);
  if (!holds) {
    throw new KeyshareError(
      'WrongProof',
      `server ${server.account} does not prove that it holds the share`,
    );
  }
}
