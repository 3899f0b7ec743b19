//! The one trait through which chain state is read, and its implementation over a Substrate
//! client.
//!
//! Everything is a storage read: executing the runtime for each request would cost more than the
//! request. Shares are accepted at the best block, for low latency; nothing is judged gone or
//! confirmed for good but at the finalized one.
//!
//! A chain is upgraded while nodes run, so a node meets runtimes older and newer than itself. It reads
//! what lies in a layout that it knows, by the version of the pallet's storage at the very block that it
//! reads, and nothing else: see [`storage::readable`].

use codec::{Decode, DecodeAll};
use keyshare_primitives::{
	membership::{Confirmed, Masks, Seat, Silences, Syncing},
	record, storage, AccountId, BlockNumber, GenesisHash, KeyRecord, RegistrationId, RetiredKey,
	ServerInfo, SubgroupId,
};
use parking_lot::Mutex;
use sc_client_api::{Backend, StorageKey, StorageProvider};
use sp_blockchain::HeaderBackend;
use sp_core::H256;
use sp_runtime::traits::Block as BlockT;
use std::{marker::PhantomData, sync::Arc};

/// Hash of a block.
pub type BlockHash = H256;

/// Why chain state could not be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ChainError {
	/// The state of the block is not there.
	#[error("the chain's state at block {at} cannot be read: {reason}")]
	Unavailable {
		/// The block.
		at: BlockHash,
		/// What the node's database says.
		reason: String,
	},
	/// The runtime of the block stores things in another way than this node knows.
	#[error(
		"this node cannot read the storage of {pallet} of version {version}, only of versions {} to {}: \
		 update it to one that fits the runtime",
		storage::readable(.pallet).start(),
		storage::readable(.pallet).end()
	)]
	UnknownLayout {
		/// The pallet.
		pallet: &'static str,
		/// The version of its storage at the block.
		version: u16,
	},
	/// The value is there, but not what this node expects.
	#[error("{item} on chain is not understood; update this node to one that fits the runtime")]
	Undecodable {
		/// The storage item.
		item: &'static str,
	},
}

/// A server as its validator has published it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublishedServer {
	/// Account, encryption key and endpoint.
	pub info: ServerInfo,
	/// The encryption key before, if it was replaced.
	pub retired: Option<RetiredKey<BlockNumber>>,
}

/// What the chain keeps of an account.
pub type AccountRecord = record::AccountRecord<BlockNumber>;

/// The attempt or key `id` of an account, with those who have confirmed it.
pub(crate) fn key_of<'a>(
	record: &'a AccountRecord,
	id: &RegistrationId,
) -> Option<(&'a KeyRecord, &'a Confirmed)> {
	let attempt = record.registering.iter().map(|attempt| (&attempt.key, &attempt.confirmed));
	let in_force = record.registered.iter().map(|key| (&key.key, &key.confirmed));
	attempt.chain(in_force).find(|(key, _)| key.id == *id)
}

/// Which of the two keys that an account can have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyKind {
	/// The attempt under way.
	Registering,
	/// The key in force.
	Registered,
}

impl KeyKind {
	/// Whether the account has one.
	pub fn is_in(self, record: &AccountRecord) -> bool {
		match self {
			Self::Registering => record.registering.is_some(),
			Self::Registered => record.registered.is_some(),
		}
	}
}

/// A place in a list on chain; what it is made of is known to whoever gave it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cursor(pub Vec<u8>);

/// A part of a list on chain.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Page {
	/// Accounts, and what the chain keeps of each.
	pub records: Vec<(AccountId, AccountRecord)>,
	/// After which place the list goes on; none at its end.
	pub next: Option<Cursor>,
}

/// What the intake asks of the chain. Every question about state names the block, so that one
/// request sees one state.
pub trait ChainState: Send + Sync {
	/// Hash of the genesis block.
	fn genesis(&self) -> GenesisHash;
	/// The best block.
	fn best(&self) -> BlockHash;
	/// The last finalized block.
	fn finalized(&self) -> BlockHash;
	/// What the chain keeps of `account`; an empty record if it has never registered.
	fn record(&self, at: BlockHash, account: &AccountId) -> Result<AccountRecord, ChainError>;
	/// Accounts that have a key of this kind, in the chain's order, from after the place `after` on.
	/// At most `limit` entries are looked at for one page, so it may be empty and not the last.
	fn page(
		&self,
		at: BlockHash,
		kind: KeyKind,
		after: Option<&Cursor>,
		limit: usize,
	) -> Result<Page, ChainError>;
	/// The seats of all subgroups.
	fn masks(&self, at: BlockHash) -> Result<Masks, ChainError>;
	/// The seat of `server`, if it is a member.
	fn seat_of(&self, at: BlockHash, server: &AccountId) -> Result<Option<Seat>, ChainError>;
	/// The servers of a subgroup's members, with their seats, in the order in which they joined.
	fn members(
		&self,
		at: BlockHash,
		subgroup: SubgroupId,
	) -> Result<Vec<(ServerInfo, Seat)>, ChainError>;
	/// Since when and why the validator behind `server`, a member, is not ready.
	fn syncing(&self, at: BlockHash, server: &AccountId) -> Result<Option<Syncing>, ChainError>;
	/// The attempts that members were silent in.
	fn silences(&self, at: BlockHash) -> Result<Silences, ChainError>;
	/// What the chain says of a server account in use.
	fn published(
		&self,
		at: BlockHash,
		server: &AccountId,
	) -> Result<Option<PublishedServer>, ChainError>;
	/// Whether a server account is in use or ever was: whose it was is never forgotten.
	fn was_published(&self, at: BlockHash, server: &AccountId) -> Result<bool, ChainError>;
	/// The number of a block.
	fn number(&self, at: BlockHash) -> Result<BlockNumber, ChainError>;
	/// When a block was made, in milliseconds since 1970; 0 of the genesis.
	fn timestamp(&self, at: BlockHash) -> Result<u64, ChainError>;

	/// The subgroup that `server` is a member of.
	fn subgroup_of(
		&self,
		at: BlockHash,
		server: &AccountId,
	) -> Result<Option<SubgroupId>, ChainError> {
		Ok(self.seat_of(at, server)?.map(|seat| seat.subgroup))
	}
}

/// Chain state out of a Substrate client's storage.
pub struct ClientChain<Client, Block, Backend> {
	client: Arc<Client>,
	/// Blocks whose layout is known already: questions come in runs, about the best block and the
	/// finalized one.
	known: Mutex<[BlockHash; 2]>,
	_types: PhantomData<fn() -> (Block, Backend)>,
}

impl<Client, Block, Backend> ClientChain<Client, Block, Backend> {
	/// Reads through `client`.
	pub fn new(client: Arc<Client>) -> Self {
		Self { client, known: Mutex::default(), _types: PhantomData }
	}
}

impl<Client, Block, B> ClientChain<Client, Block, B>
where
	Block: BlockT<Hash = BlockHash>,
	B: Backend<Block>,
	Client: StorageProvider<Block, B>,
{
	/// A value that is a `T` and nothing else.
	fn read<T: Decode>(
		&self,
		at: BlockHash,
		item: &'static str,
		key: Vec<u8>,
	) -> Result<Option<T>, ChainError> {
		let value = self.value(at, key)?;
		value.map(|value| decode_whole(item, &value)).transpose()
	}

	/// A value in a layout that this node knows.
	fn value(&self, at: BlockHash, key: Vec<u8>) -> Result<Option<Vec<u8>>, ChainError> {
		self.check_layouts(at)?;
		self.raw(at, key)
	}

	fn check_layouts(&self, at: BlockHash) -> Result<(), ChainError> {
		if self.known.lock().contains(&at) {
			return Ok(());
		}
		for pallet in [storage::REGISTRATION, storage::SUBGROUPS] {
			check_layout(pallet, self.raw(at, storage::version(pallet))?)?;
		}
		let mut known = self.known.lock();
		*known = [at, known[0]];
		Ok(())
	}

	fn raw(&self, at: BlockHash, key: Vec<u8>) -> Result<Option<Vec<u8>>, ChainError> {
		let value = self
			.client
			.storage(at, &StorageKey(key))
			.map_err(|error| ChainError::Unavailable { at, reason: error.to_string() })?;
		Ok(value.map(|value| value.0))
	}

	fn published_by(
		&self,
		at: BlockHash,
		validator: &AccountId,
	) -> Result<Option<PublishedServer>, ChainError> {
		let Some(value) = self.value(at, storage::server(validator))? else { return Ok(None) };
		let (info, retired) = decode_front("Servers", &value)?;
		Ok(Some(PublishedServer { info, retired }))
	}
}

/// Whether this node can read what a pallet with this version of its storage has stored.
fn check_layout(pallet: &'static str, version: Option<Vec<u8>>) -> Result<(), ChainError> {
	// FRAME's version of a pallet that has none.
	let version =
		version.map_or(Ok(0), |version| decode_whole(":__STORAGE_VERSION__:", &version))?;
	if storage::readable(pallet).contains(&version) {
		Ok(())
	} else {
		Err(ChainError::UnknownLayout { pallet, version })
	}
}

fn decode_whole<T: Decode>(item: &'static str, mut value: &[u8]) -> Result<T, ChainError> {
	T::decode_all(&mut value).map_err(|_| ChainError::Undecodable { item })
}

/// Decodes the front of a value: what a server's begins with is all that the protocol says of it.
fn decode_front<T: Decode>(item: &'static str, mut value: &[u8]) -> Result<T, ChainError> {
	T::decode(&mut value).map_err(|_| ChainError::Undecodable { item })
}

/// Makes a page of the next of `keys`, each of which ends with an account.
fn page_of(
	kind: KeyKind,
	keys: impl Iterator<Item = Vec<u8>>,
	limit: usize,
	record_of: impl Fn(&AccountId) -> Result<AccountRecord, ChainError>,
) -> Result<Page, ChainError> {
	let mut keys: Vec<_> = keys.take(limit).collect();
	let mut records = Vec::new();
	for account in keys.iter().filter_map(|key| storage::account_of(key)) {
		let record = record_of(&account)?;
		if kind.is_in(&record) {
			records.push((account, record));
		}
	}
	let is_full = keys.len() == limit;
	let next = keys.pop().filter(|_| is_full).map(Cursor);
	Ok(Page { records, next })
}

impl<Client, Block, B> ChainState for ClientChain<Client, Block, B>
where
	Block: BlockT<Hash = BlockHash>,
	B: Backend<Block>,
	Client: HeaderBackend<Block> + StorageProvider<Block, B> + Send + Sync,
{
	fn genesis(&self) -> GenesisHash {
		self.client.info().genesis_hash
	}

	fn best(&self) -> BlockHash {
		self.client.info().best_hash
	}

	fn finalized(&self) -> BlockHash {
		self.client.info().finalized_hash
	}

	fn record(&self, at: BlockHash, account: &AccountId) -> Result<AccountRecord, ChainError> {
		Ok(self.read(at, "Accounts", storage::account(account))?.unwrap_or_default())
	}

	fn page(
		&self,
		at: BlockHash,
		kind: KeyKind,
		after: Option<&Cursor>,
		limit: usize,
	) -> Result<Page, ChainError> {
		self.check_layouts(at)?;
		// Records stay for ever, and attempts are few: they have a list of their own.
		let prefix = StorageKey(match kind {
			KeyKind::Registering => storage::all_attempts(),
			KeyKind::Registered => storage::all_accounts(),
		});
		let after = after.map(|Cursor(key)| StorageKey(key.clone()));
		let keys = self
			.client
			.storage_keys(at, Some(&prefix), after.as_ref())
			.map_err(|error| ChainError::Unavailable { at, reason: error.to_string() })?;
		page_of(kind, keys.map(|key| key.0), limit, |account| self.record(at, account))
	}

	fn masks(&self, at: BlockHash) -> Result<Masks, ChainError> {
		Ok(self.read(at, "Masks", storage::masks())?.unwrap_or_default())
	}

	fn seat_of(&self, at: BlockHash, server: &AccountId) -> Result<Option<Seat>, ChainError> {
		self.read(at, "MemberOf", storage::member_of(server))
	}

	fn members(
		&self,
		at: BlockHash,
		subgroup: SubgroupId,
	) -> Result<Vec<(ServerInfo, Seat)>, ChainError> {
		let validators: Option<Vec<AccountId>> =
			self.read(at, "Subgroups", storage::subgroup(subgroup))?;
		let mut members = Vec::new();
		for validator in validators.unwrap_or_default() {
			let Some(server) = self.published_by(at, &validator)? else { continue };
			if let Some(seat) = self.seat_of(at, &server.info.account)? {
				members.push((server.info, seat));
			}
		}
		Ok(members)
	}

	fn silences(&self, at: BlockHash) -> Result<Silences, ChainError> {
		Ok(self.read(at, "Silences", storage::silences())?.unwrap_or_default())
	}

	fn syncing(&self, at: BlockHash, server: &AccountId) -> Result<Option<Syncing>, ChainError> {
		match self.read(at, "ServerAccounts", storage::server_account(server))? {
			Some(validator) => self.read(at, "Joining", storage::joining(&validator)),
			None => Ok(None),
		}
	}

	fn published(
		&self,
		at: BlockHash,
		server: &AccountId,
	) -> Result<Option<PublishedServer>, ChainError> {
		let validator = self.read(at, "ServerAccounts", storage::server_account(server))?;
		let Some(validator) = validator else { return Ok(None) };
		let published = self.published_by(at, &validator)?;
		// Another one may have taken its place.
		Ok(published.filter(|published| published.info.account == *server))
	}

	fn was_published(&self, at: BlockHash, server: &AccountId) -> Result<bool, ChainError> {
		Ok(self.value(at, storage::server_account(server))?.is_some())
	}

	fn number(&self, at: BlockHash) -> Result<BlockNumber, ChainError> {
		Ok(self.read(at, "Number", storage::block_number())?.unwrap_or(0))
	}

	fn timestamp(&self, at: BlockHash) -> Result<u64, ChainError> {
		Ok(self.read(at, "Now", storage::timestamp())?.unwrap_or(0))
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use codec::Encode;
	use keyshare_primitives::{record::RegisteredKey, Elements};

	fn record() -> AccountRecord {
		let key = KeyRecord {
			id: RegistrationId::repeat_byte(1),
			generation: 7,
			commitments: Elements::Ed25519(vec![[2; 32]; 2].try_into().expect("within bounds")),
			verifying_shares: Elements::Ed25519(
				vec![[3; 32]; 3].try_into().expect("within bounds"),
			),
		};
		let registered = RegisteredKey { key, confirmed: Confirmed::nobody(3), since: 42 };
		AccountRecord { last_generation: 7, registered: Some(registered), registering: None }
	}

	#[test]
	fn a_record_is_the_whole_value() {
		let record = record();
		let value = record.encode();
		assert_eq!(decode_whole::<AccountRecord>("Accounts", &value), Ok(record));
		let longer = [value.as_slice(), &[0]].concat();
		for other in [&value[..40], &longer[..]] {
			assert_eq!(
				decode_whole::<AccountRecord>("Accounts", other),
				Err(ChainError::Undecodable { item: "Accounts" })
			);
		}
	}

	/// What a rolling upgrade brings: a node that is newer than the runtime, and then one that is older.
	#[test]
	fn a_layout_is_read_by_the_version_of_the_block_and_an_unknown_one_is_not_guessed() {
		let (registration, subgroups) = (storage::REGISTRATION, storage::SUBGROUPS);
		let check = |pallet, version: u16| check_layout(pallet, Some(version.encode()));
		for (pallet, before, now) in [
			(registration, 2, storage::REGISTRATION_VERSION),
			(subgroups, 2, storage::SUBGROUPS_VERSION),
		] {
			for known in before..=now {
				assert_eq!(check(pallet, known), Ok(()));
			}
			for version in [before - 1, now + 1] {
				assert_eq!(
					check(pallet, version),
					Err(ChainError::UnknownLayout { pallet, version })
				);
			}
			assert_eq!(
				check_layout(pallet, None),
				Err(ChainError::UnknownLayout { pallet, version: 0 })
			);
		}
		let error = check(registration, 9).expect_err("unknown").to_string();
		assert!(error.contains("Registration of version 9, only of versions 2 to 3"), "{error}");
	}

	#[test]
	fn a_server_is_read_from_the_front_of_a_longer_value() {
		let value = (AccountId::new([4; 32]), 42u32, b"more").encode();
		assert_eq!(decode_front::<AccountId>("Servers", &value), Ok(AccountId::new([4; 32])));
		assert_eq!(
			decode_front::<AccountId>("Servers", &value[..31]),
			Err(ChainError::Undecodable { item: "Servers" })
		);
	}

	#[test]
	fn a_page_that_holds_nothing_does_not_end_the_list() {
		let key_of = |number: u8| [b"item".as_slice(), &[number; 32]].concat();
		let page = |after: Option<&Cursor>| {
			let begin = after.and_then(|Cursor(key)| key.last().copied()).unwrap_or(0);
			let keys = (begin + 1..=8).map(key_of);
			// Of eight accounts the sixth alone has a key.
			let record_of = |account: &AccountId| {
				Ok(if *account == AccountId::new([6; 32]) { record() } else { Default::default() })
			};
			page_of(KeyKind::Registered, keys, 4, record_of).expect("readable")
		};
		let first = page(None);
		assert_eq!(first, Page { records: Vec::new(), next: Some(Cursor(key_of(4))) });
		let second = page(first.next.as_ref());
		assert_eq!(second.records, [(AccountId::new([6; 32]), record())]);
		// It was full, so nobody knows yet that the list ends here.
		let last = page(second.next.as_ref());
		assert_eq!(last, Page::default());
	}

	#[test]
	fn an_unreadable_record_fails_the_page() {
		let unreadable = ChainError::Undecodable { item: "Accounts" };
		let keys = [vec![1; 32]].into_iter();
		let page = page_of(KeyKind::Registering, keys, 4, |_| Err(unreadable.clone()));
		assert_eq!(page, Err(unreadable));
	}
}
