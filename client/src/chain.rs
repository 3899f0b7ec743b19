//! What a node says of its chain: reads through the runtime API.
//!
//! State is read at the best block, as the servers do it, so that nothing waits for finality that
//! need not: a record is named by its registration id, which pins the commitments. Three things are
//! believed of a finalized block only: that what was asked for is done, that an attempt is gone for good, and
//! that a server belongs to a subgroup and so may have its share.

pub use crate::connection::At;
use crate::{
	connection::{answer, check_name, check_protocol, rpc_error, Config, Connection},
	error::{Error, Result},
	follow::Heads,
	payload::{Payload, SUDO},
};
use codec::{Decode, Encode};
use keyshare_primitives::{
	api::{AccountInfo, OperatorInfo, Parameters, SubgroupInfo, ValidatorInfo},
	storage::REGISTRATION,
	wire::Method,
	AccountId, Balance, Constraints, GenesisHash, KeyScheme,
};
use serde::{de::DeserializeOwned, Serialize};
use sp_crypto_hashing::{blake2_128, twox_128};
use std::{
	sync::{
		atomic::{AtomicBool, Ordering},
		Mutex, PoisonError,
	},
	time::Duration,
};
use subxt::{
	config::DefaultExtrinsicParamsBuilder,
	rpcs::client::RpcParams,
	tx::{SignableTransaction, TransactionInBlock, TransactionsClient},
	utils::{AccountId32, MultiSignature},
};

/// The runtime's name on every Keyshare chain.
pub const SPEC_NAME: &str = "keyshare";
/// The node that is asked unless another is named.
pub const DEFAULT_URL: &str = "ws://127.0.0.1:9944";
/// The name of the chain's token.
pub const TOKEN: &str = "KEY";
/// Digits after the point of an amount in [`TOKEN`].
pub const TOKEN_DECIMALS: usize = 12;

/// What reads an item of the chain's storage.
const STORAGE: &str = "state_getStorage";
/// The pallet of accounts' balances, in the runtime.
const BALANCES: &str = "Balances";
/// How often a new best block is looked for: well below any block time, and cheap to answer.
pub(crate) const POLL: Duration = Duration::from_millis(400);
pub(crate) const RECONNECT_PAUSE: Duration = Duration::from_secs(1);
/// How long a signed transaction may wait for a block.
pub(crate) const MORTALITY_BLOCKS: u64 = 256;

pub(crate) type Transactions =
	TransactionsClient<Config, subxt::client::OnlineClientAtBlockImpl<Config>>;
pub(crate) type Signable<'a, Call> =
	SignableTransaction<'a, Config, subxt::client::OnlineClientAtBlockImpl<Config>, Call>;
pub(crate) type InBlock =
	TransactionInBlock<Config, subxt::client::OnlineClientAtBlockImpl<Config>>;

/// Refuses a plain `ws` URL to another machine, unless that is asked for by name: whoever is on the way
/// can name servers of their own, and gets the key.
pub fn require_safe_node(url: &str, allow_plaintext_node: bool) -> Result<()> {
	// What is no URL is refused by name when it is connected to.
	let Ok(parsed) = url::Url::parse(url) else { return Ok(()) };
	let is_here = match parsed.host() {
		Some(url::Host::Domain(name)) => name == "localhost",
		Some(url::Host::Ipv4(address)) => address.is_loopback(),
		Some(url::Host::Ipv6(address)) => address.is_loopback(),
		None => false,
	};
	if parsed.scheme() == "ws" && !is_here && !allow_plaintext_node {
		return Err(Error::Input(format!(
			"{url} is on another machine and not encrypted: whoever is on the way can name servers of \
			 their own, and gets the key. Use wss://, or a tunnel to the node's own machine; or say \
			 --allow-plaintext-node if you trust the whole way"
		)));
	}
	Ok(())
}

/// A node of a Keyshare chain whose versions are the ones this library speaks.
pub struct Chain {
	url: String,
	genesis: GenesisHash,
	spec_version: u32,
	parameters: Parameters,
	connection: Mutex<Connection>,
	/// Whether the connection was lost, and could not be made again.
	lost: AtomicBool,
}

/// What an account has, in the smallest unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Funds {
	/// What is held from it as a deposit for its key, its attempt, its constraints and its record.
	pub deposit: Balance,
	/// What it can pay, or have held: what is free, but for what keeps the account alive.
	pub spendable: Balance,
}

/// What an on-chain step costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cost {
	/// Held beyond what is held already, in the smallest unit.
	pub deposit: Balance,
	/// What of that is given back with the entry that it is held for. The rest is for the account's
	/// record, which stays for ever.
	pub comes_back: Balance,
	/// Paid for the transaction; in the smallest unit.
	pub fee: Balance,
	/// Paid beside it for the confirmations that the step causes, for which the servers pay nothing;
	/// in the smallest unit.
	pub confirmation_fee: Balance,
}

impl Cost {
	/// What the account must have for all of it.
	pub fn total(&self) -> Balance {
		self.deposit.saturating_add(self.fee).saturating_add(self.confirmation_fee)
	}
}

impl Chain {
	/// Connects to the node at `url` (`ws` or `wss`), and checks the runtime's name and the
	/// protocol's version before anything else.
	pub async fn connect(url: &str) -> Result<Self> {
		let scheme = url::Url::parse(url).map(|parsed| parsed.scheme().to_owned());
		if !matches!(scheme.as_deref(), Ok("ws" | "wss")) {
			return Err(Error::Input(format!(
				"the node's address must be a URL that starts with ws:// or wss://, not `{url}`"
			)));
		}
		let connection = Connection::open(url).await?;
		let genesis = connection.client.genesis_hash();
		let spec_version = check_name(&connection, url).await?;
		let parameters = check_protocol(&connection, url).await?;
		Ok(Self {
			url: url.to_owned(),
			genesis,
			spec_version,
			parameters,
			connection: Mutex::new(connection),
			lost: AtomicBool::new(false),
		})
	}

	/// Hash of the genesis block.
	pub fn genesis(&self) -> &GenesisHash {
		&self.genesis
	}

	/// The runtime's version.
	pub fn spec_version(&self) -> u32 {
		self.spec_version
	}

	/// The chain's parameters.
	pub fn parameters(&self) -> &Parameters {
		&self.parameters
	}

	/// Every subgroup with its members.
	pub async fn subgroups(&self) -> Result<Vec<SubgroupInfo>> {
		self.ask("KeyshareApi_subgroups", (), At::Best).await
	}

	/// The same at the finalized block.
	pub async fn finalized_subgroups(&self) -> Result<Vec<SubgroupInfo>> {
		self.ask("KeyshareApi_subgroups", (), At::Finalized).await
	}

	/// Every operator there ever was, by subgroup.
	pub async fn operators(&self) -> Result<Vec<OperatorInfo>> {
		self.operators_at(At::Best).await
	}

	/// The same at a block.
	pub async fn operators_at(&self, at: At) -> Result<Vec<OperatorInfo>> {
		self.ask("KeyshareApi_operators", (), at).await
	}

	/// What the chain holds for `account` at the best block.
	pub async fn registration(&self, account: &AccountId) -> Result<AccountInfo> {
		self.ask("KeyshareApi_registration", account, At::Best).await
	}

	/// What the chain holds for `account` at the finalized block.
	pub async fn finalized_registration(&self, account: &AccountId) -> Result<AccountInfo> {
		self.ask("KeyshareApi_registration", account, At::Finalized).await
	}

	/// Where the validator `account` stands at the best block.
	pub async fn validator(&self, account: &AccountId) -> Result<ValidatorInfo> {
		self.validator_at(account, At::Best).await
	}

	/// The same at a block.
	pub async fn validator_at(&self, account: &AccountId, at: At) -> Result<ValidatorInfo> {
		self.ask("KeyshareApi_validator", account, at).await
	}

	/// One of our methods. Those that a node keeps for its operator are refused from afar.
	pub async fn call<Request: Method>(&self, request: &Request) -> Result<Request::Answer> {
		// What has no parameters is nothing in JSON.
		let request =
			serde_json::to_value(request).map_err(|error| answer(Request::NAME, error))?;
		self.request(Request::NAME, Some(request).filter(|request| !request.is_null())).await
	}

	/// One of the SDK's methods, with one parameter or none.
	pub async fn request<Answer: DeserializeOwned>(
		&self,
		method: &'static str,
		parameter: Option<impl Serialize>,
	) -> Result<Answer> {
		let mut params = RpcParams::new();
		if let Some(parameter) = parameter {
			params.push(parameter).map_err(|error| answer(method, error))?;
		}
		let client = self.connection().raw;
		client.request(method, params).await.map_err(|error| rpc_error(&self.url, method, error))
	}

	/// The deposit for a key of `scheme` and `threshold`, with constraints for a new user.
	pub async fn deposit(
		&self,
		scheme: KeyScheme,
		threshold: u8,
		constraints: Option<&Constraints>,
	) -> Result<Balance> {
		self.ask("KeyshareApi_deposit", (scheme, threshold, constraints), At::Best).await
	}

	/// The fee for the confirmations that a new attempt causes, whatever key it is of.
	pub async fn confirmation_fee(&self) -> Result<Balance> {
		self.ask("KeyshareApi_confirmation_fee", (), At::Best).await
	}

	/// The account whose calls `Sudo.sudo` makes as root; none if that was given up for good.
	pub async fn sudo_key(&self) -> Result<Option<AccountId>> {
		self.stored(SUDO, "Key", None).await
	}

	/// What `account` has.
	pub async fn funds(&self, account: &AccountId) -> Result<Funds> {
		const METADATA: &str = "the chain's metadata";
		let block = self.connection().client.at_current_block().await;
		let block = block.map_err(|error| answer(METADATA, error))?;
		let metadata = block.metadata_ref();
		// A reason is the pallet's index and that of the reason in it, of which this pallet has one.
		let reason = metadata
			.pallet_by_name(REGISTRATION)
			.map(|pallet| [pallet.call_index(), 0])
			.ok_or_else(|| answer(METADATA, "it has no registrations"))?;
		let least = metadata
			.pallet_by_name(BALANCES)
			.and_then(|pallet| pallet.constant_by_name("ExistentialDeposit"))
			.ok_or_else(|| answer(METADATA, "it has no balances"))?;
		let least = Balance::decode(&mut least.value()).map_err(|error| answer(METADATA, error))?;
		// The nonce and three counts of references; more than what is free follows.
		type Info = (u32, u32, u32, u32, Balance);
		let info: Option<Info> = self.stored("System", "Account", Some(account)).await?;
		let free = info.map_or(0, |(_, _, _, _, free)| free);
		let held: Option<Vec<([u8; 2], Balance)>> =
			self.stored(BALANCES, "Holds", Some(account)).await?;
		let deposit = held.iter().flatten().find(|(of, _)| *of == reason);
		Ok(Funds {
			deposit: deposit.map_or(0, |(_, amount)| *amount),
			spendable: free.saturating_sub(least),
		})
	}

	/// What of a deposit stays held for the account's record when all else was given back.
	pub async fn record_deposit(&self) -> Result<Balance> {
		self.ask("KeyshareApi_record_deposit", (), At::Best).await
	}

	/// An item of the chain's storage, or one of a map by account.
	async fn stored<Value: Decode>(
		&self,
		pallet: &str,
		item: &str,
		account: Option<&AccountId>,
	) -> Result<Option<Value>> {
		let mut key = [twox_128(pallet.as_bytes()), twox_128(item.as_bytes())].concat();
		if let Some(account) = account {
			let account: &[u8] = account.as_ref();
			key.extend_from_slice(&blake2_128(account));
			key.extend_from_slice(account);
		}
		let rpc = self.connection().rpc;
		let value = rpc
			.state_get_storage(&key, None)
			.await
			.map_err(|error| rpc_error(&self.url, STORAGE, error))?;
		value
			.map(|bytes| Value::decode(&mut bytes.as_slice()))
			.transpose()
			.map_err(|error| answer(STORAGE, error))
	}

	/// The kind of chain its specification names: `Development`, `Local`, `Live` or another.
	pub async fn kind(&self) -> Result<String> {
		match self.connection().rpc.system_chain_type().await {
			Ok(kind) => Ok(kind),
			// A custom kind is an object.
			Err(subxt::rpcs::Error::Deserialization(_)) => Ok("Custom".into()),
			Err(error) => Err(rpc_error(&self.url, "system_chainType", error)),
		}
	}

	/// Whether the node is still catching up with the chain, or at its very beginning and alone:
	/// then its state is old, and what is signed by it would be refused.
	pub(crate) async fn is_behind(&self) -> Result<bool> {
		let health = self
			.connection()
			.rpc
			.system_health()
			.await
			.map_err(|error| rpc_error(&self.url, "system_health", error))?;
		let is_alone = health.should_have_peers && health.peers == 0;
		Ok(health.is_syncing || (is_alone && self.heads().await?.best.hash == self.genesis))
	}

	/// The call's bytes as they are signed, inside of `Sudo.sudo` if it needs root: pallet and call
	/// index from the metadata, then the arguments. Decoded against the metadata again, so that
	/// another layout is an error.
	pub async fn encode(&self, call: &impl Payload) -> Result<Vec<u8>> {
		let transactions = self.transactions().await?;
		let payload = call.dynamic();
		let other_layout = |reason: String| {
			let (pallet, name) = (call.pallet(), call.name());
			Error::WrongChain(format!(
				"this chain's call {pallet}.{name} is not the one this tool knows: {reason}"
			))
		};
		let bytes =
			transactions.call_data(&payload).map_err(|error| other_layout(error.to_string()))?;
		let decoded = transactions
			.from_call_data_bytes(&bytes)
			.map_err(|error| other_layout(error.to_string()))?;
		if decoded.call_name() != payload.call_name() {
			return Err(other_layout(format!("its index belongs to {}", decoded.call_name())));
		}
		Ok(bytes)
	}

	/// The fee for `call` when `signer` signs it. Needs no signature: the length is what counts.
	pub async fn fee(&self, call: &impl Payload, signer: &AccountId) -> Result<Balance> {
		let payload = call.dynamic();
		let transactions = self.transactions().await?;
		let mut signable = self.signable(&transactions, &payload, signer).await?;
		let placeholder = MultiSignature::Sr25519([0; 64]);
		signable
			.sign_with_account_and_signature(&account32(signer), &placeholder)
			.map_err(|error| answer("the transaction's format", error))?
			.partial_fee_estimate()
			.await
			.map_err(|error| answer("TransactionPaymentApi_query_info", error))
	}

	/// A transaction ready to be signed: mortal from the finalized block, which no fork can take
	/// away, with the nonce of the best block, so that one call can follow another at once.
	pub(crate) async fn signable<'a, Call: subxt::tx::Payload>(
		&self,
		transactions: &Transactions,
		payload: &'a Call,
		signer: &AccountId,
	) -> Result<Signable<'a, Call>> {
		let nonce: u32 = self.ask("AccountNonceApi_account_nonce", signer, At::Best).await?;
		let params = DefaultExtrinsicParamsBuilder::new()
			.nonce(u64::from(nonce))
			.mortal(MORTALITY_BLOCKS)
			.build();
		transactions
			.create_signable(payload, &account32(signer), params)
			.await
			.map_err(|error| answer("the transaction's format", error))
	}

	pub(crate) async fn transactions(&self) -> Result<Transactions> {
		self.connection()
			.client
			.transactions()
			.await
			.map_err(|error| answer("the chain's metadata", error))
	}

	pub(crate) async fn heads(&self) -> Result<Heads> {
		let result = self.connection().heads(&self.url).await;
		if matches!(result, Err(Error::Unreachable { .. })) {
			return self.reconnect().await?.heads(&self.url).await;
		}
		result
	}

	/// Calls the runtime, over a new connection if the old one is lost.
	async fn ask<Answer: Decode>(
		&self,
		function: &'static str,
		arguments: impl Encode,
		at: At,
	) -> Result<Answer> {
		let arguments = arguments.encode();
		match self.connection().ask(&self.url, function, &arguments, at).await {
			Err(Error::Unreachable { .. }) => {
				self.reconnect().await?.ask(&self.url, function, &arguments, at).await
			}
			result => result,
		}
	}

	/// What was waited for in vain: the node if it is lost, and else `what`.
	pub(crate) fn waited_for(&self, what: String) -> String {
		match self.lost.load(Ordering::Relaxed) {
			true => format!("the node at {}, which is lost, answered again", self.url),
			false => what,
		}
	}

	fn connection(&self) -> Connection {
		self.connection.lock().unwrap_or_else(PoisonError::into_inner).clone()
	}

	async fn reconnect(&self) -> Result<Connection> {
		let connection = Connection::open(&self.url).await;
		self.lost.store(connection.is_err(), Ordering::Relaxed);
		let connection = connection?;
		if connection.client.genesis_hash() != self.genesis {
			return Err(Error::WrongChain(format!(
				"the node at {} came back with another chain",
				self.url
			)));
		}
		*self.connection.lock().unwrap_or_else(PoisonError::into_inner) = connection.clone();
		Ok(connection)
	}
}

fn account32(account: &AccountId) -> AccountId32 {
	AccountId32(*AsRef::<[u8; 32]>::as_ref(account))
}

/// An amount in [`TOKEN`], without trailing zeros.
pub fn amount(smallest_units: Balance) -> String {
	let digits = format!("{smallest_units:0>width$}", width = TOKEN_DECIMALS + 1);
	let (whole, part) = digits.split_at(digits.len() - TOKEN_DECIMALS);
	match part.trim_end_matches('0') {
		"" => format!("{whole} {TOKEN}"),
		part => format!("{whole}.{part} {TOKEN}"),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn amounts_have_twelve_decimals() {
		assert_eq!(amount(0), "0 KEY");
		assert_eq!(amount(1), "0.000000000001 KEY");
		assert_eq!(amount(1_500_000_000_000), "1.5 KEY");
		assert_eq!(amount(20_000_000_000_000), "20 KEY");
	}

	#[test]
	fn a_node_on_another_machine_is_talked_to_in_the_clear_by_name_only() {
		for safe in
			["ws://127.0.0.1:9944", "ws://localhost:1", "ws://[::1]:9944", "wss://a.example"]
		{
			assert!(require_safe_node(safe, false).is_ok(), "{safe}");
		}
		for open in ["ws://a.example:9944", "ws://192.168.0.7:9944", "ws://localhost.example"] {
			assert!(matches!(require_safe_node(open, false), Err(Error::Input(_))), "{open}");
			assert!(require_safe_node(open, true).is_ok(), "{open}");
		}
	}

	#[tokio::test]
	async fn only_websocket_addresses_are_tried() {
		for url in ["http://127.0.0.1:9944", "127.0.0.1:9944", ""] {
			let error = Chain::connect(url).await.err();
			assert!(matches!(error, Some(Error::Input(_))), "{url}");
		}
	}
}
