/** The page's frame: which chain, who signs, and which of the three screens. */

import { KeyshareError } from '@keyshare/sdk';
import { useEffect, useReducer, useRef, useState } from 'preact/hooks';
import type { Connection } from './connection.js';
import { countRunning, useReachability } from './hooks.js';
import { MyKey } from './my-key.js';
import { Network } from './network.js';
import { Problem } from './problem.js';
import { Register } from './register.js';
import type { Wallet } from './wallet.js';

const SCREENS = { '#network': 'Network', '#register': 'Register', '#my-key': 'My key' } as const;
type Screen = keyof typeof SCREENS;

const DEFAULT_URL = 'ws://127.0.0.1:9944';
/** How long a node may take before the page says that it does not answer; it goes on trying. */
const PATIENCE_MS = 10_000;

function screenOfAddress(): Screen {
  return location.hash in SCREENS ? (location.hash as Screen) : '#network';
}

function useScreen(): Screen {
  const [screen, setScreen] = useState(screenOfAddress);
  useEffect(() => {
    const changed = () => {
      setScreen(screenOfAddress());
    };
    addEventListener('hashchange', changed);
    return () => {
      removeEventListener('hashchange', changed);
    };
  }, []);
  return screen;
}

/**
 * The connection to the node that the page's address names. `isAllowed` is the user's word that it may go
 * in the clear over other machines; nothing in the address can give it.
 */
function useConnection(
  url: string,
  isAllowed: boolean,
): { connection: Connection | undefined; error: unknown } {
  const [connection, setConnection] = useState<Connection>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    setError(undefined);
    const late = setTimeout(() => {
      setError(new KeyshareError('ChainUnreachable', `no node answers at ${url}`));
    }, PATIENCE_MS);
    const lost = (isLost: boolean) => {
      const problem = new KeyshareError('ChainUnreachable', `the connection to ${url} is lost`);
      setError(isLost ? problem : undefined);
    };
    import('./connection.js')
      .then(({ connect }) => connect(url, isAllowed, lost))
      .then(
        (made) => {
          setConnection(made);
          setError(undefined);
        },
        (problem: unknown) => {
          setError(problem);
        },
      )
      .finally(() => {
        clearTimeout(late);
      });
    return () => {
      clearTimeout(late);
    };
  }, [url, isAllowed]);
  return { connection, error };
}

/** The whole page. */
export function App() {
  const url = new URLSearchParams(location.search).get('node') ?? DEFAULT_URL;
  const screen = useScreen();
  const [isAllowed, setAllowed] = useState(false);
  const { connection, error } = useConnection(url, isAllowed);
  const isInsecure = error instanceof KeyshareError && error.name === 'InsecureNode';
  const keyshare = connection?.keyshare;
  const reachability = useReachability(keyshare);
  const [wallets, setWallets] = useState<readonly Wallet[]>([]);
  const [wallet, setWallet] = useState<Wallet>();
  const [walletError, setWalletError] = useState<unknown>();
  // An attempt on one screen goes on while something else on another one ends.
  const [running, onBusy] = useReducer(countRunning, 0);
  const isBusy = running > 0;
  const isBusyNow = useRef(isBusy);
  isBusyNow.current = isBusy;

  useEffect(() => {
    if (connection?.isDevelopment !== true) return;
    void import('./wallet.js')
      .then(({ developmentWallets }) => developmentWallets())
      .then((known) => {
        setWallets((before) => [...before, ...known]);
        // The last: `scripts/run` registers keys for others.
        setWallet((before) => before ?? known.at(-1));
      }, setWalletError);
  }, [connection]);

  const connectWallet = () => {
    setWalletError(undefined);
    import('./wallet.js')
      .then(({ extensionWallets }) => extensionWallets())
      .then((found) => {
        const isOther = (one: Wallet) => !found.some(({ id }) => id === one.id);
        setWallets((before) => [...found, ...before.filter(isOther)]);
        // Wallets ask their user, who may have begun something meanwhile.
        if (!isBusyNow.current) setWallet(found[0]);
      }, setWalletError);
  };

  return (
    <>
      <header>
        <h1>Keyshare</h1>
        <NodeForm
          url={url}
          chain={connection?.chain}
          isAllowed={isInsecure || isAllowed ? isAllowed : undefined}
          onAllow={setAllowed}
        />
        <div class="signer">
          <label for="account">Account</label>
          <select
            id="account"
            value={wallet?.id ?? ''}
            disabled={isBusy || wallets.length === 0}
            onChange={({ currentTarget }) => {
              setWallet(wallets.find(({ id }) => id === currentTarget.value));
            }}
          >
            {wallets.length === 0 && <option value="">no account</option>}
            {wallets.map(({ id, label }) => (
              <option key={id} value={id}>
                {label}
              </option>
            ))}
          </select>
          <button type="button" disabled={isBusy} onClick={connectWallet}>
            Connect a wallet
          </button>
        </div>
        <nav aria-label="Screens">
          {Object.entries(SCREENS).map(([hash, name]) => (
            <a key={hash} href={hash} aria-current={hash === screen ? 'page' : undefined}>
              {name}
            </a>
          ))}
        </nav>
      </header>
      <main>
        {error !== undefined && <Problem error={error} />}
        {walletError !== undefined && <Problem error={walletError} />}
        {/* All stay, so that leaving a screen neither loses a key nor stops an attempt. */}
        <div hidden={screen !== '#network'}>
          <Network connection={connection} reachability={reachability} />
        </div>
        <div hidden={screen !== '#register'}>
          <Register
            connection={connection}
            wallet={wallet}
            reachability={reachability}
            onBusy={onBusy}
          />
        </div>
        <div hidden={screen !== '#my-key'}>
          <MyKey
            connection={connection}
            wallet={wallet}
            reachability={reachability}
            isBusy={isBusy}
            onBusy={onBusy}
          />
        </div>
      </main>
    </>
  );
}

/** Shows which node the page follows, and changes it by loading the page anew. */
function NodeForm(props: {
  url: string;
  chain: string | undefined;
  /** Whether the user allows that it is not encrypted; nothing if that needs no leave. */
  isAllowed: boolean | undefined;
  onAllow: (isAllowed: boolean) => void;
}) {
  const { url, chain, isAllowed, onAllow } = props;
  const [typed, setTyped] = useState(url);
  return (
    <details class="chain" open={isAllowed !== undefined}>
      <summary>
        <span role="status">
          {chain
            ? `${chain}, ${url}`
            : isAllowed === false
              ? `Not connected to ${url}`
              : `Connecting to ${url}…`}
        </span>
      </summary>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          location.search = `?node=${encodeURIComponent(typed.trim())}`;
        }}
      >
        <label>
          Node, a wss URL, or ws on this machine
          <input
            type="url"
            required
            value={typed}
            onInput={({ currentTarget }) => {
              setTyped(currentTarget.value);
            }}
          />
        </label>
        {isAllowed !== undefined && (
          <label>
            <input
              type="checkbox"
              checked={isAllowed}
              onChange={({ currentTarget }) => {
                // Taken back, what is connected goes with the page.
                if (currentTarget.checked) onAllow(true);
                else location.reload();
              }}
            />{' '}
            Connect to <code>{url}</code> without encryption: whoever is on the way can name servers
            of their own, and gets the key
          </label>
        )}
        <button>Connect to it</button>
      </form>
    </details>
  );
}
