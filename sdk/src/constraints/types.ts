/**
 * Constraints: what a key may be used for (protocol §2). Here are their types, in the words of the
 * protocol; a variant is `{ tag, value }`, with the value `undefined` where it has none.
 */

/** What callers give and get: the same shape as a file of constraints. */
export interface Constraints {
  /** What is allowed, as text: `1: evm:1 pay to 0x… up to 1000000`. In any order. */
  readonly rules: readonly string[];
  /**
   * The largest fee on each network, as text: `evm:1=2000000000000000`, in its smallest unit. Without an
   * entry nothing is signed there. In any order.
   */
  readonly fees: readonly string[];
  /** Which messages may be signed: none, what cannot be taken for a transaction, or all. */
  readonly messages: 'never' | 'prefixed' | 'any';
}

/** Which of Bitcoin's networks addresses are written for; signet's are testnet's. */
export type BitcoinNetwork = 'mainnet' | 'testnet' | 'regtest';

/** How text is read and shown. */
export interface TextOptions {
  /** What Bitcoin addresses are written for; `mainnet` by default. A rule holds on all networks. */
  readonly bitcoinNetwork?: BitcoinNetwork;
}

/** One of several variants. */
type Variant<Values> = {
  [Tag in keyof Values]: { readonly tag: Tag; readonly value: Values[Tag] };
}[keyof Values];

/** A rule's number, from 0 to 65535; its owner chooses it. */
export type RuleId = number;

/** Where a rule or a fee counts; an EVM chain by its id. */
export type Network = Variant<{ Evm: bigint; Bitcoin: undefined; Solana: undefined }>;

/** A recipient: the 20 bytes of an EVM address, a `scriptPubKey`, or the 32 bytes of a Solana account. */
export type Who = Variant<{ Only: Uint8Array; Anyone: undefined }>;

/** The largest amount, in the asset's smallest unit: 128 bits on EVM chains, 64 elsewhere. */
export type Amount = Variant<{ UpTo: bigint; Any: undefined }>;

/** A function of a contract: its 4 bytes. */
export type Selector = Variant<{ Only: Uint8Array; Any: undefined }>;

/** Who receives a token on Solana: a wallet's associated account, or a token account; 32 bytes. */
export type TokenRecipient = Variant<{
  Wallet: Uint8Array;
  Account: Uint8Array;
  Anyone: undefined;
}>;

/** What is allowed on an EVM chain. */
export type EvmAllow = Variant<{
  Pay: { readonly to: Who; readonly largest: Amount };
  Token: { readonly token: Uint8Array; readonly to: Who; readonly largest: Amount };
  Approve: { readonly token: Uint8Array; readonly spender: Uint8Array; readonly largest: Amount };
  Call: { readonly to: Uint8Array; readonly selector: Selector; readonly largest: bigint };
}>;

/** What is allowed on Bitcoin. */
export type BitcoinAllow = Variant<{
  Pay: { readonly to: Who; readonly largest: Amount };
  Data: undefined;
}>;

/** What is allowed on Solana. */
export type SolanaAllow = Variant<{
  Pay: { readonly to: Who; readonly largest: Amount };
  Token: { readonly mint: Uint8Array; readonly to: TokenRecipient; readonly largest: Amount };
  Memo: undefined;
  Call: { readonly program: Uint8Array };
}>;

/** One thing that is allowed. */
export type Rule = Variant<{
  Evm: { readonly chain: bigint; readonly allow: EvmAllow };
  Bitcoin: { readonly allow: BitcoinAllow };
  Solana: { readonly allow: SolanaAllow };
}>;

/** A rule with its id. */
export type NumberedRule = [id: RuleId, rule: Rule];

/** The largest fee on a network, in its smallest unit: 128 bits. */
export type Fee = [network: Network, largest: bigint];

/** Which messages may be signed. */
export type Messages = Variant<{ Never: undefined; Prefixed: undefined; Any: undefined }>;

/** What binds rules together; there is none yet, and the chain refuses it. */
export type Clause = Variant<{ Reserved: undefined }>;

/** Constraints as the chain has them. */
export interface ConstraintsV2 {
  readonly rules: NumberedRule[];
  readonly fees: Fee[];
  readonly messages: Messages;
  readonly clauses: Clause[];
}
