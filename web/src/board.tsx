/** The progress of an attempt: a cell for each server, a bar for each subgroup to its quorum. */

import type { Coverage, Progress, Registration, Server, ServerState } from '@keyshare/sdk';
import { useEffect, useRef } from 'preact/hooks';
import type { Connection } from './connection.js';
import { Expiry } from './expiry.js';
import { short } from './format.js';

interface Cell {
  readonly server: Server;
  readonly state: ServerState;
  readonly reason?: string;
}

/** Everything that was observed so far. */
export interface BoardState {
  readonly stage: string;
  readonly isRunning: boolean;
  readonly registration?: Registration;
  /** By the servers' accounts. */
  readonly cells: ReadonlyMap<string, Cell>;
}

/** Nothing yet. */
export const EMPTY: BoardState = {
  stage: 'Splitting the key',
  isRunning: true,
  cells: new Map(),
};

/** The state after it was stopped, or failed. */
export function stopped(before: BoardState): BoardState {
  return { ...before, stage: 'Stopped', isRunning: false };
}

const STAGES: Partial<Record<Progress['type'], string>> = {
  signing: 'Waiting for your signature',
  submitted: 'Sent; waiting until the chain shows it',
  open: 'On chain; the servers get their shares',
  registered: 'Registered: every subgroup has its quorum',
};

/** What it is at; a registration that is not final can be taken back. */
function stageOf(before: BoardState, progress: Progress): string | undefined {
  if (progress.type === 'retracted') {
    return `The chain has left the block that had it. Waiting until another one after block ${progress.block} has it`;
  }
  if (progress.type !== 'coverage') return STAGES[progress.type];
  const [was, is] = [before.registration?.status, progress.registration.status];
  if (was === is) return undefined;
  return is === 'registered'
    ? `Registered in block ${progress.block}, not final yet: keep this page open`
    : STAGES.open;
}

/** The state after one more thing was observed. */
export function observe(before: BoardState, progress: Progress): BoardState {
  const stage = stageOf(before, progress) ?? before.stage;
  if (progress.type === 'retracted') return { stage, isRunning: true, cells: new Map() };
  if (progress.type === 'server') {
    const { server, state, error } = progress;
    const reason = error && `${error.message}${error.hint ? `. ${error.hint}` : ''}`;
    // While it is asked again, the reason stays to be read.
    if (state === 'sent' && before.cells.get(server.account)?.state === 'retrying') return before;
    const cells = new Map(before.cells);
    cells.set(server.account, { server, state, ...(reason ? { reason } : {}) });
    return { ...before, cells };
  }
  return 'registration' in progress
    ? { ...before, stage, registration: progress.registration }
    : { ...before, stage };
}

/** The board. */
export function Board({ connection, state }: { connection: Connection; state: BoardState }) {
  const { stage, isRunning, registration, cells } = state;
  const top = useRef<HTMLElement>(null);
  // It appears below a long form, whose button is gone.
  useEffect(() => {
    top.current?.focus();
  }, []);
  return (
    <section ref={top} tabIndex={-1} class="board" aria-label="Progress">
      <p role="status" class="stage">
        {stage}
        {isRunning &&
          registration?.status === 'registering' &&
          summary(registration.coverage, cells)}
      </p>
      {registration?.status === 'registering' && registration.expiresAt !== null && (
        <p>
          Without every quorum the attempt expires{' '}
          <Expiry connection={connection} at={registration.expiresAt} />.
        </p>
      )}
      <div class="columns">
        {registration?.coverage.map((coverage) => (
          <Column key={coverage.subgroup} coverage={coverage} cells={cells} />
        ))}
      </div>
    </section>
  );
}

/** The board in words, for who does not see it. */
function summary(coverage: readonly Coverage[], cells: BoardState['cells']): string {
  const reached = coverage.filter((one) => one.reached).length;
  const confirmed = new Set(coverage.flatMap((one) => one.confirmed));
  const count = (state: ServerState) =>
    [...cells].filter(([account, cell]) => cell.state === state && !confirmed.has(account)).length;
  const servers = (state: ServerState, one: string, more: string) => {
    const number = count(state);
    return number === 0 ? '' : `, ${number} ${number === 1 ? one : more}`;
  };
  return `: ${reached} of ${coverage.length} subgroups have their quorum${servers(
    'retrying',
    'server is asked again',
    'servers are asked again',
  )}${servers('failed', 'server refuses', 'servers refuse')}`;
}

function Column(props: { coverage: Coverage; cells: ReadonlyMap<string, Cell> }) {
  const { subgroup, quorum, members, ready, confirmed, counted } = props.coverage;
  const needed = quorum ?? 1;
  return (
    <article>
      <h3>Subgroup {subgroup}</h3>
      <label>
        {quorum === null ? 'nobody is ready' : `${counted} confirmed, ${quorum} needed`}{' '}
        <progress max={needed} value={Math.min(counted, needed)} />
      </label>
      <ul>
        {members.map((account) => {
          const cell = props.cells.get(account);
          // What was confirmed on an earlier run is known from the chain alone.
          const state = confirmed.includes(account) ? 'confirmed' : cell?.state;
          return (
            <ServerCell
              key={account}
              account={account}
              isReady={ready.includes(account)}
              state={state}
              cell={cell}
            />
          );
        })}
      </ul>
    </article>
  );
}

const STEPS: readonly ServerState[] = ['sealed', 'sent', 'stored', 'confirmed'];

function ServerCell(props: {
  account: string;
  isReady: boolean;
  state: ServerState | undefined;
  cell: Cell | undefined;
}) {
  const { account, isReady, state = 'waiting', cell } = props;
  // What is asked again or refused was sealed at least.
  const isHeldUp = state === 'retrying' || state === 'failed';
  const reached = STEPS.findIndex((step) => step === (isHeldUp ? 'sealed' : state));
  const reason = state === 'confirmed' ? undefined : cell?.reason;
  return (
    <li class="cell" data-state={state}>
      <strong title={account}>{short(account)}</strong>
      <span class="steps" aria-hidden="true">
        {STEPS.map((step, index) => (
          <i key={step} class={index <= reached ? 'done' : ''} />
        ))}
      </span>
      <span>{reason ? `${state}: ${reason}` : state}</span>
      {!isReady && <small>syncing: it does not count yet</small>}
    </li>
  );
}
