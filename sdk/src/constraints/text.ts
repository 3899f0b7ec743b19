/** Rules and fees as text: the form in which the tool, the SDK and the page read and show them. */

import { fromHex, toHex } from '../bytes.js';
import {
  isBitcoinNetwork,
  parseBitcoin,
  parseEvm,
  parseSolana,
  showBitcoin,
  showEvm,
  showSolana,
} from './recipient.js';
import type {
  Amount,
  BitcoinAllow,
  BitcoinNetwork,
  EvmAllow,
  Fee,
  Network,
  NumberedRule,
  Rule,
  Selector,
  SolanaAllow,
  TextOptions,
  Who,
} from './types.js';
import { quoted, wrong } from './wrong.js';

const MOST_U16 = 2n ** 16n - 1n;
const MOST_U64 = 2n ** 64n - 1n;
const MOST_U128 = 2n ** 128n - 1n;
/** Digits of the largest of them. */
const MOST_DIGITS = 39;

// The forms of what follows the network, as the protocol writes them.
const PAY = 'pay to <address | anyone> up to <integer | any>';
const EVM_TOKEN = 'token <contract> to <address | anyone> up to <integer | any>';
const EVM_APPROVE = 'approve <contract> to <address> up to <integer | any>';
const EVM_CALL = 'call <selector | any> to <address> up to <integer>';
const BITCOIN_DATA = 'data';
const TOKEN_TO_WALLET = 'token <mint> to wallet <address> up to <integer | any>';
const TOKEN_TO_ACCOUNT = 'token <mint> to account <address> up to <integer | any>';
const TOKEN_TO_ANYONE = 'token <mint> to anyone up to <integer | any>';
const SOLANA_MEMO = 'memo';
const SOLANA_CALL = 'call <program>';

const EVM_FORMS = [PAY, EVM_TOKEN, EVM_APPROVE, EVM_CALL] as const;
const BITCOIN_FORMS = [PAY, BITCOIN_DATA] as const;
const SOLANA_FORMS = [
  PAY,
  TOKEN_TO_WALLET,
  TOKEN_TO_ACCOUNT,
  TOKEN_TO_ANYONE,
  SOLANA_MEMO,
  SOLANA_CALL,
] as const;

/**
 * Reads a rule: `1: evm:1 pay to 0x… up to 1000000`. Throws `Input` with the reason `Malformed`,
 * `InvalidId`, `InvalidNetwork`, `InvalidAmount`, `InvalidSelector` or one of an address.
 */
export function parseRule(text: string, options: TextOptions = {}): NumberedRule {
  const bitcoinNetwork = bitcoinNetworkOf(options);
  const [first, second, ...words] = text.split(/[ \t]+/).filter((word) => word !== '');
  if (first === undefined) throw wrong('Malformed', 'the rule is empty');
  const id = parseId(first);
  if (second === undefined) throw wrong('Malformed', `rule ${id} has no network`);
  return [id, parseAllowed(parseNetwork(second), words, bitcoinNetwork)];
}

/** Shows a rule so that it is read back as the same. Throws `InvalidScript` for what has no address. */
export function showRule([id, rule]: NumberedRule, options: TextOptions = {}): string {
  return `${id}: ${showNetwork(networkOf(rule))} ${showAllowed(rule, bitcoinNetworkOf(options))}`;
}

/**
 * Reads the largest fee on a network: `evm:1=2000000000000000`. Throws `Input` with the reason
 * `Malformed`, `InvalidNetwork` or `InvalidAmount`.
 */
export function parseFee(text: string): Fee {
  const [network, ...rest] = text.replace(/^[ \t]+|[ \t]+$/g, '').split('=');
  if (network === undefined || rest.length === 0) {
    throw wrong('Malformed', `${quoted(text)} is no fee: it reads NETWORK=AMOUNT, as in evm:1=9`);
  }
  return [parseNetwork(network), parseInteger(rest.join('='), MOST_U128)];
}

/** Shows a fee so that it is read back as the same. */
export function showFee([network, largest]: Fee): string {
  return `${showNetwork(network)}=${largest}`;
}

/** Where a rule counts. */
export function networkOf(rule: Rule): Network {
  return rule.tag === 'Evm'
    ? { tag: 'Evm', value: rule.value.chain }
    : { tag: rule.tag, value: undefined };
}

/** `evm:1`, `bitcoin` or `solana`. */
export function showNetwork(network: Network): string {
  return network.tag === 'Evm' ? `evm:${network.value}` : network.tag.toLowerCase();
}

/** The network asked for. Throws `Input` for a name that is none: callers may be without types. */
export function bitcoinNetworkOf({ bitcoinNetwork = 'mainnet' }: TextOptions): BitcoinNetwork {
  if (isBitcoinNetwork(bitcoinNetwork)) return bitcoinNetwork;
  throw wrong('InvalidNetwork', 'bitcoinNetwork is “mainnet”, “testnet” or “regtest”');
}

/**
 * The form that these words have, and those that stand for what is in its brackets. Throws `Malformed` if
 * they have none.
 */
function matched<Form extends string>(forms: readonly Form[], words: readonly string[]) {
  for (const form of forms) {
    const pattern = form.match(/<[^>]*>|\S+/g) ?? [];
    const isGap = (index: number) => pattern[index]?.startsWith('<') === true;
    const isSo = words.every((word, index) => isGap(index) || word === pattern[index]);
    if (isSo && words.length === pattern.length) {
      return { form, given: words.filter((_, index) => isGap(index)) };
    }
  }
  const alike = forms.filter((form) => form.split(' ')[0] === words[0]);
  const wanted = (alike.length > 0 ? alike : forms).map((form) => `“${form}”`).join(' or ');
  throw wrong('Malformed', `${quoted(words.join(' '))} does not have the form ${wanted}`);
}

/** The form with these words in its brackets. */
function filled(form: string, ...given: string[]): string {
  const rest = given.values();
  return form.replace(/<[^>]*>/g, () => rest.next().value ?? '');
}

function parseId(word: string): number {
  const id = word.endsWith(':') ? integer(word.slice(0, -1)) : undefined;
  if (id === undefined || id > MOST_U16) {
    throw wrong(
      'InvalidId',
      `${quoted(word)} is no id of a rule: it is a number from 0 to ${MOST_U16}, and a colon follows it`,
    );
  }
  return Number(id);
}

function parseNetwork(word: string): Network {
  if (word === 'bitcoin') return { tag: 'Bitcoin', value: undefined };
  if (word === 'solana') return { tag: 'Solana', value: undefined };
  const chain = word.startsWith('evm:') ? integer(word.slice(4)) : undefined;
  if (chain === undefined || chain === 0n || chain > MOST_U64) {
    throw wrong(
      'InvalidNetwork',
      `${quoted(word)} is no network: it is evm: and the chain’s id, as in evm:1, or bitcoin, or solana`,
    );
  }
  return { tag: 'Evm', value: chain };
}

function parseAllowed(
  network: Network,
  words: readonly string[],
  bitcoinNetwork: BitcoinNetwork,
): Rule {
  switch (network.tag) {
    case 'Evm':
      return {
        tag: 'Evm',
        value: { chain: network.value, allow: parseOnEvm(network.value, words) },
      };
    case 'Bitcoin':
      return { tag: 'Bitcoin', value: { allow: parseOnBitcoin(words, bitcoinNetwork) } };
    case 'Solana':
      return { tag: 'Solana', value: { allow: parseOnSolana(words) } };
  }
}

function parseOnEvm(chain: bigint, words: readonly string[]): EvmAllow {
  const address = (word: string) => parseEvm(word, chain);
  const amount = (word: string) => parseAmount(word, MOST_U128);
  const { form, given } = matched(EVM_FORMS, words);
  const [first = '', second = '', third = ''] = given;
  switch (form) {
    case PAY:
      return { tag: 'Pay', value: { to: parseWho(first, address), largest: amount(second) } };
    case EVM_TOKEN: {
      const [token, to] = [address(first), parseWho(second, address)];
      return { tag: 'Token', value: { token, to, largest: amount(third) } };
    }
    case EVM_APPROVE: {
      const [token, spender] = [address(first), address(second)];
      return { tag: 'Approve', value: { token, spender, largest: amount(third) } };
    }
    case EVM_CALL: {
      const [selector, to] = [parseSelector(first), address(second)];
      return { tag: 'Call', value: { to, selector, largest: parseInteger(third, MOST_U128) } };
    }
  }
}

function parseOnBitcoin(words: readonly string[], network: BitcoinNetwork): BitcoinAllow {
  const { form, given } = matched(BITCOIN_FORMS, words);
  if (form === BITCOIN_DATA) return { tag: 'Data', value: undefined };
  const [first = '', second = ''] = given;
  const to = parseWho(first, (word) => parseBitcoin(word, network));
  return { tag: 'Pay', value: { to, largest: parseAmount(second, MOST_U64) } };
}

function parseOnSolana(words: readonly string[]): SolanaAllow {
  const amount = (word: string) => parseAmount(word, MOST_U64);
  const { form, given } = matched(SOLANA_FORMS, words);
  const [first = '', second = '', third = ''] = given;
  switch (form) {
    case PAY:
      return { tag: 'Pay', value: { to: parseWho(first, parseSolana), largest: amount(second) } };
    case TOKEN_TO_WALLET:
    case TOKEN_TO_ACCOUNT: {
      const tag = form === TOKEN_TO_WALLET ? 'Wallet' : 'Account';
      const [mint, value] = [parseSolana(first), parseSolana(second)];
      return { tag: 'Token', value: { mint, to: { tag, value }, largest: amount(third) } };
    }
    case TOKEN_TO_ANYONE: {
      const [mint, to] = [parseSolana(first), { tag: 'Anyone', value: undefined } as const];
      return { tag: 'Token', value: { mint, to, largest: amount(second) } };
    }
    case SOLANA_MEMO:
      return { tag: 'Memo', value: undefined };
    case SOLANA_CALL:
      return { tag: 'Call', value: { program: parseSolana(first) } };
  }
}

function parseWho(word: string, parse: (word: string) => Uint8Array): Who {
  return word === 'anyone'
    ? { tag: 'Anyone', value: undefined }
    : { tag: 'Only', value: parse(word) };
}

function parseAmount(word: string, most: bigint): Amount {
  return word === 'any'
    ? { tag: 'Any', value: undefined }
    : { tag: 'UpTo', value: parseInteger(word, most) };
}

function parseSelector(word: string): Selector {
  if (word === 'any') return { tag: 'Any', value: undefined };
  if (/^0x[0-9a-fA-F]{8}$/.test(word)) return { tag: 'Only', value: fromHex(word) };
  throw wrong(
    'InvalidSelector',
    `${quoted(word)} is no selector of a function: it has 0x and 8 hex digits; any allows all`,
  );
}

function parseInteger(word: string, most: bigint): bigint {
  const number = integer(word);
  if (number === undefined || number > most) {
    throw wrong(
      'InvalidAmount',
      `${quoted(word)} is no amount: it is a whole number of the smallest unit, in digits alone, up to ${most}`,
    );
  }
  return number;
}

function integer(word: string): bigint | undefined {
  return word.length <= MOST_DIGITS && /^(0|[1-9][0-9]*)$/.test(word) ? BigInt(word) : undefined;
}

function showAllowed({ tag, value }: Rule, bitcoinNetwork: BitcoinNetwork): string {
  switch (tag) {
    case 'Evm':
      return showOnEvm(value.allow);
    case 'Bitcoin': {
      const { allow } = value;
      if (allow.tag === 'Data') return BITCOIN_DATA;
      const { to, largest } = allow.value;
      const show = (script: Uint8Array) => showBitcoin(script, bitcoinNetwork);
      return filled(PAY, showWho(to, show), showAmount(largest));
    }
    case 'Solana':
      return showOnSolana(value.allow);
  }
}

function showOnEvm({ tag, value }: EvmAllow): string {
  switch (tag) {
    case 'Pay':
      return filled(PAY, showWho(value.to, showEvm), showAmount(value.largest));
    case 'Token': {
      const to = showWho(value.to, showEvm);
      return filled(EVM_TOKEN, showEvm(value.token), to, showAmount(value.largest));
    }
    case 'Approve': {
      const spender = showEvm(value.spender);
      return filled(EVM_APPROVE, showEvm(value.token), spender, showAmount(value.largest));
    }
    case 'Call': {
      const { selector, to, largest } = value;
      const shown = selector.tag === 'Any' ? 'any' : toHex(selector.value);
      return filled(EVM_CALL, shown, showEvm(to), String(largest));
    }
  }
}

function showOnSolana({ tag, value }: SolanaAllow): string {
  switch (tag) {
    case 'Pay':
      return filled(PAY, showWho(value.to, showSolana), showAmount(value.largest));
    case 'Token': {
      const { to, mint, largest } = value;
      const [token, amount] = [showSolana(mint), showAmount(largest)];
      if (to.tag === 'Anyone') return filled(TOKEN_TO_ANYONE, token, amount);
      const form = to.tag === 'Wallet' ? TOKEN_TO_WALLET : TOKEN_TO_ACCOUNT;
      return filled(form, token, showSolana(to.value), amount);
    }
    case 'Memo':
      return SOLANA_MEMO;
    case 'Call':
      return filled(SOLANA_CALL, showSolana(value.program));
  }
}

function showWho(who: Who, show: (address: Uint8Array) => string): string {
  return who.tag === 'Anyone' ? 'anyone' : show(who.value);
}

function showAmount(amount: Amount): string {
  return amount.tag === 'Any' ? 'any' : String(amount.value);
}
