//! The one trait through which chain state is read, and its implementation over a Substrate
//! client.
//!
//! Everything is a storage read: executing the runtime for each request would cost more than the
//! request. Shares are accepted at the best block, for low latency; nothing is judged gone or
//! confirmed for good but at the finalized one.

use codec::Decode;
use keyshare_primitives::{
	storage, AccountId, BlockNumber, Generation, GenesisHash, KeyRecord, RegistrationId,
	RetiredKey, ServerInfo, SessionIndex, SubgroupId,
};
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

/// Which of an account's two places a key is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyKind {
	/// Attempts under way.
	Registering,
	/// Keys in force.
	Registered,
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
	/// The attempt of `account` that is under way.
	fn registering(
		&self,
		at: BlockHash,
		account: &AccountId,
	) -> Result<Option<KeyRecord>, ChainError>;
	/// The key of `account` that is in force.
	fn registered(
		&self,
		at: BlockHash,
		account: &AccountId,
	) -> Result<Option<KeyRecord>, ChainError>;
	/// The number of the last attempt that `account` began; 0 before the first.
	fn last_generation(&self, at: BlockHash, account: &AccountId)
		-> Result<Generation, ChainError>;
	/// The subgroup that `server` is a member of.
	fn subgroup_of(
		&self,
		at: BlockHash,
		server: &AccountId,
	) -> Result<Option<SubgroupId>, ChainError>;
	/// What the chain says of a server account in use.
	fn published(
		&self,
		at: BlockHash,
		server: &AccountId,
	) -> Result<Option<PublishedServer>, ChainError>;
	/// The number of a block.
	fn number(&self, at: BlockHash) -> Result<BlockNumber, ChainError>;
	/// How many subgroups there are.
	fn subgroup_count(&self, at: BlockHash) -> Result<u8, ChainError>;
	/// The servers of a subgroup's members.
	fn members(&self, at: BlockHash, subgroup: SubgroupId) -> Result<Vec<ServerInfo>, ChainError>;
	/// The session in which the validator of `server` joined, until the server is ready.
	fn joined(&self, at: BlockHash, server: &AccountId)
		-> Result<Option<SessionIndex>, ChainError>;
	/// At most `limit` attempts or keys with their accounts, in the chain's order, from after
	/// `account` on.
	fn keys(
		&self,
		at: BlockHash,
		kind: KeyKind,
		after: Option<&AccountId>,
		limit: usize,
	) -> Result<Vec<(AccountId, KeyRecord)>, ChainError>;
	/// The servers of `subgroup` that have confirmed the attempt or key `id`.
	fn confirmed_by(
		&self,
		at: BlockHash,
		id: &RegistrationId,
		subgroup: SubgroupId,
	) -> Result<Vec<AccountId>, ChainError>;
}

/// Chain state out of a Substrate client's storage.
pub struct ClientChain<Client, Block, Backend> {
	client: Arc<Client>,
	_types: PhantomData<fn() -> (Block, Backend)>,
}

impl<Client, Block, Backend> ClientChain<Client, Block, Backend> {
	/// Reads through `client`.
	pub fn new(client: Arc<Client>) -> Self {
		Self { client, _types: PhantomData }
	}
}

impl<Client, Block, B> ClientChain<Client, Block, B>
where
	Block: BlockT<Hash = BlockHash>,
	B: Backend<Block>,
	Client: StorageProvider<Block, B>,
{
	fn read<T: Decode>(
		&self,
		at: BlockHash,
		item: &'static str,
		key: Vec<u8>,
	) -> Result<Option<T>, ChainError> {
		let value = self
			.client
			.storage(at, &StorageKey(key))
			.map_err(|error| ChainError::Unavailable { at, reason: error.to_string() })?;
		value.map(|value| decode_front(item, &value.0)).transpose()
	}

	fn published_by(
		&self,
		at: BlockHash,
		validator: &AccountId,
	) -> Result<Option<PublishedServer>, ChainError> {
		let front = self.read(at, "Servers", storage::server(validator))?;
		Ok(front.map(|(info, retired)| PublishedServer { info, retired }))
	}
}

/// Decodes the front of a value: `Registering` and `Registered` begin with the record wanted here.
fn decode_front<T: Decode>(item: &'static str, mut value: &[u8]) -> Result<T, ChainError> {
	T::decode(&mut value).map_err(|_| ChainError::Undecodable { item })
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

	fn registering(
		&self,
		at: BlockHash,
		account: &AccountId,
	) -> Result<Option<KeyRecord>, ChainError> {
		self.read(at, "Registering", storage::registering(account))
	}

	fn registered(
		&self,
		at: BlockHash,
		account: &AccountId,
	) -> Result<Option<KeyRecord>, ChainError> {
		self.read(at, "Registered", storage::registered(account))
	}

	fn last_generation(
		&self,
		at: BlockHash,
		account: &AccountId,
	) -> Result<Generation, ChainError> {
		Ok(self.read(at, "Generations", storage::generations(account))?.unwrap_or(0))
	}

	fn subgroup_of(
		&self,
		at: BlockHash,
		server: &AccountId,
	) -> Result<Option<SubgroupId>, ChainError> {
		self.read(at, "MemberOf", storage::member_of(server))
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

	fn number(&self, at: BlockHash) -> Result<BlockNumber, ChainError> {
		Ok(self.read(at, "Number", storage::block_number())?.unwrap_or(0))
	}

	fn subgroup_count(&self, at: BlockHash) -> Result<u8, ChainError> {
		Ok(self.read(at, "SubgroupCount", storage::subgroup_count())?.unwrap_or(0))
	}

	fn members(&self, at: BlockHash, subgroup: SubgroupId) -> Result<Vec<ServerInfo>, ChainError> {
		let validators: Option<Vec<AccountId>> =
			self.read(at, "Subgroups", storage::subgroup(subgroup))?;
		let published = |validator| self.published_by(at, &validator).transpose();
		validators
			.unwrap_or_default()
			.into_iter()
			.filter_map(published)
			.map(|published| published.map(|published| published.info))
			.collect()
	}

	fn joined(
		&self,
		at: BlockHash,
		server: &AccountId,
	) -> Result<Option<SessionIndex>, ChainError> {
		match self.read(at, "ServerAccounts", storage::server_account(server))? {
			Some(validator) => self.read(at, "Joining", storage::joining(&validator)),
			None => Ok(None),
		}
	}

	fn keys(
		&self,
		at: BlockHash,
		kind: KeyKind,
		after: Option<&AccountId>,
		limit: usize,
	) -> Result<Vec<(AccountId, KeyRecord)>, ChainError> {
		let (item, prefix, start) = match kind {
			KeyKind::Registering => {
				("Registering", storage::all_registering(), after.map(storage::registering))
			}
			KeyKind::Registered => {
				("Registered", storage::all_registered(), after.map(storage::registered))
			}
		};
		let (prefix, start) = (StorageKey(prefix), start.map(StorageKey));
		let keys = self
			.client
			.storage_keys(at, Some(&prefix), start.as_ref())
			.map_err(|error| ChainError::Unavailable { at, reason: error.to_string() })?;
		keys.take(limit)
			.filter_map(|key| {
				let account = storage::account_of(&key.0)?;
				let record = self.read(at, item, key.0).transpose()?;
				Some(record.map(|record| (account, record)))
			})
			.collect()
	}

	fn confirmed_by(
		&self,
		at: BlockHash,
		id: &RegistrationId,
		subgroup: SubgroupId,
	) -> Result<Vec<AccountId>, ChainError> {
		let servers = self.read(at, "Confirmations", storage::confirmations(id, subgroup))?;
		Ok(servers.unwrap_or_default())
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use codec::Encode;
	use keyshare_primitives::Elements;

	#[test]
	fn a_record_is_read_from_the_front_of_a_longer_value() {
		let record = KeyRecord {
			id: RegistrationId::repeat_byte(1),
			generation: 7,
			commitments: Elements::Ed25519(vec![[2; 32]; 2].try_into().expect("within bounds")),
			verifying_shares: Elements::Ed25519(
				vec![[3; 32]; 3].try_into().expect("within bounds"),
			),
		};
		let value = (record.clone(), 42u32, b"more").encode();
		assert_eq!(decode_front::<KeyRecord>("Registering", &value), Ok(record));
		assert_eq!(
			decode_front::<KeyRecord>("Registering", &value[..40]),
			Err(ChainError::Undecodable { item: "Registering" })
		);
	}
}
