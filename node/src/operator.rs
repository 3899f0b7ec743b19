//! What the ordinary RPC offers to the node's operator alone: keys of the hosted servers, made and
//! proven while the node runs. The tool's `keyshare server …` is built on it.
//!
//! These are `keyshare_newEncryptionKey` and `keyshare_provePossession`, in the table of `wire::Method`.
//! Both are unsafe methods: they are answered where the SDK's are, and never on the share listener.

use crate::server_keys::{self, ServerKeyError};
use jsonrpsee::{
	types::{ErrorObjectOwned, Params},
	Extensions, RpcModule,
};
use keyshare_primitives::{
	wire::{
		EncryptionKeyAnswer, ErrorCode, HexBytes, Method, NewEncryptionKey, PossessionProof,
		ProvePossession,
	},
	AccountId, EncryptionKey, ServerInfo,
};
use keyshare_rpc::{api, chain::BlockHash, intake::Intake};
use sc_rpc_api::check_if_safe;
use sp_keystore::KeystorePtr;
use std::sync::Arc;

/// JSON-RPC's code for a failure inside the server.
const INTERNAL_ERROR: i32 = -32603;

struct Operator {
	intake: Arc<Intake>,
	keystore: KeystorePtr,
}

/// The methods over the servers of `intake`, which sign with `keystore`.
pub fn module(intake: Arc<Intake>, keystore: KeystorePtr) -> RpcModule<()> {
	let mut module = RpcModule::new(Operator { intake, keystore });
	module
		.register_blocking_method(NewEncryptionKey::NAME, |params, operator, extensions| {
			operator.new_encryption_key(admitted(&params, &extensions)?)
		})
		.expect(DISTINCT);
	module
		.register_blocking_method(ProvePossession::NAME, |params, operator, extensions| {
			operator.prove_possession(admitted(&params, &extensions)?)
		})
		.expect(DISTINCT);
	module.remove_context()
}

const DISTINCT: &str = "the methods' names are distinct; qed";

/// The request, if whoever sent it may.
fn admitted<Request: Method>(
	params: &Params<'_>,
	extensions: &Extensions,
) -> Result<Request, ErrorObjectOwned> {
	check_if_safe(extensions)?;
	api::parameters(params)
}

impl Operator {
	/// A key that waits to be published: the newest, if it waits already, else a new one. So whoever
	/// asks again, since the call was never sent, gets the same.
	fn new_encryption_key(
		&self,
		request: NewEncryptionKey,
	) -> Result<EncryptionKeyAnswer, ErrorObjectOwned> {
		let server = request.server.0;
		self.require_hosted(&server)?;
		let chain = self.intake.chain();
		let published = self.shown(chain.best(), &server)?;
		let leaving = self.shown(chain.finalized(), &server)?;
		let secrets = self.intake.servers().secrets(&server);
		let mut newest_first = secrets.iter().map(|secret| secret.public());
		let waiting = match published {
			// A server that has just been withdrawn is published again with another key: the one it had
			// will be erased.
			None => newest_first.next().filter(|newest| leaving != Some(*newest)),
			Some(current) => {
				let newest = newest_first.next().filter(|newest| *newest != current);
				newest.filter(|_| newest_first.any(|key| key == current))
			}
		};
		let key = waiting.map_or_else(|| self.make_key(&server), Ok)?;
		let EncryptionKey::X25519(key) = key;
		Ok(EncryptionKeyAnswer { encryption_key: HexBytes(key) })
	}

	/// The encryption key that the chain shows for a server.
	fn shown(
		&self,
		at: BlockHash,
		server: &AccountId,
	) -> Result<Option<EncryptionKey>, ErrorObjectOwned> {
		let published = self
			.intake
			.chain()
			.published(at, server)
			.map_err(|error| failure(INTERNAL_ERROR, &error.to_string()))?;
		Ok(published.map(|published| published.info.encryption_key))
	}

	/// Whether the node keeps a key of a server until it is published, however long that takes: the newest
	/// is kept (see `keyshare_rpc::retire`), unless the chain is about to show it no longer; and so is
	/// what the chain shows.
	fn is_kept(&self, server: &AccountId, key: EncryptionKey) -> Result<bool, ErrorObjectOwned> {
		let chain = self.intake.chain();
		if self.shown(chain.best(), server)? == Some(key) {
			return Ok(true);
		}
		let secrets = self.intake.servers().secrets(server);
		let is_newest = secrets.first().is_some_and(|newest| newest.public() == key);
		Ok(is_newest && self.shown(chain.finalized(), server)? != Some(key))
	}

	fn make_key(&self, server: &AccountId) -> Result<EncryptionKey, ErrorObjectOwned> {
		let made = self.intake.make_key(server);
		made.map_err(|error| failure(ErrorCode::StorageFailed.code(), &error.to_string()))
	}

	fn prove_possession(
		&self,
		request: ProvePossession,
	) -> Result<PossessionProof, ErrorObjectOwned> {
		let invalid =
			|error: &ServerKeyError| failure(ErrorCode::InvalidParams.code(), &error.to_string());
		let account = request.server.0;
		self.require_hosted(&account)?;
		let encryption_key = EncryptionKey::X25519(request.encryption_key.0);
		let secrets = self.intake.servers().secrets(&account);
		if !secrets.iter().any(|secret| secret.public() == encryption_key) {
			return Err(failure(
				ErrorCode::InvalidParams.code(),
				"this node does not have the secret half of that encryption key: have it make one with \
				 keyshare_newEncryptionKey, and publish that",
			));
		}
		if !self.is_kept(&account, encryption_key)? {
			return Err(failure(
				ErrorCode::InvalidParams.code(),
				"this node will erase that encryption key before long: publish the one that \
				 keyshare_newEncryptionKey gives, or, if the server has just been withdrawn, declare it \
				 again when that is final",
			));
		}
		let endpoint = server_keys::endpoint(&request.endpoint).map_err(|error| invalid(&error))?;
		let info = ServerInfo { account, encryption_key, endpoint };
		let genesis = self.intake.chain().genesis();
		let proof =
			server_keys::prove_possession(&genesis, &request.validator.0, &info, &self.keystore)
				.map_err(|error| failure(INTERNAL_ERROR, &error.to_string()))?;
		Ok(PossessionProof { proof: HexBytes(proof.0) })
	}

	fn require_hosted(&self, server: &AccountId) -> Result<(), ErrorObjectOwned> {
		if self.intake.servers().hosts(server) {
			return Ok(());
		}
		Err(failure(
			ErrorCode::UnknownServer.code(),
			"this node does not host that server: keyshare_servers names those that it does",
		))
	}
}

fn failure(code: i32, message: &str) -> ErrorObjectOwned {
	ErrorObjectOwned::owned(code, message, None::<()>)
}

#[cfg(test)]
mod tests {
	use super::*;
	use keyshare_primitives::{
		development::SERVERS,
		membership::{Masks, Seat, Silences, Syncing},
		messages,
		wire::Ss58,
		BlockNumber, GenesisHash, SubgroupId,
	};
	use keyshare_rpc::{
		chain::{AccountRecord, ChainError, ChainState, Cursor, KeyKind, Page, PublishedServer},
		intake::IntakeConfig,
		keys::ServerKeys,
		metrics::Metrics,
		store::ShareStore,
	};
	use sc_keystore::LocalKeystore;
	use sp_core::{sr25519, Pair};
	use std::sync::Mutex;
	use tempfile::TempDir;

	const GENESIS: GenesisHash = GenesisHash::repeat_byte(1);
	const BEST: BlockHash = BlockHash::repeat_byte(2);
	const FINALIZED: BlockHash = BlockHash::repeat_byte(3);
	const VALIDATOR: AccountId = AccountId::new([6; 32]);
	const ENDPOINT: &str = "https://shares.example.org";

	/// A chain of two blocks, each of which shows the encryption key of the one server, or no server.
	#[derive(Default)]
	struct Chain {
		best: Mutex<Option<EncryptionKey>>,
		finalized: Mutex<Option<EncryptionKey>>,
	}

	impl ChainState for Chain {
		fn genesis(&self) -> GenesisHash {
			GENESIS
		}

		fn best(&self) -> BlockHash {
			BEST
		}

		fn finalized(&self) -> BlockHash {
			FINALIZED
		}

		fn record(&self, _: BlockHash, _: &AccountId) -> Result<AccountRecord, ChainError> {
			Ok(AccountRecord::default())
		}

		fn page(
			&self,
			_: BlockHash,
			_: KeyKind,
			_: Option<&Cursor>,
			_: usize,
		) -> Result<Page, ChainError> {
			Ok(Page::default())
		}

		fn masks(&self, _: BlockHash) -> Result<Masks, ChainError> {
			Ok(Masks::default())
		}

		fn seat_of(&self, _: BlockHash, _: &AccountId) -> Result<Option<Seat>, ChainError> {
			Ok(None)
		}

		fn members(
			&self,
			_: BlockHash,
			_: SubgroupId,
		) -> Result<Vec<(ServerInfo, Seat)>, ChainError> {
			Ok(Vec::new())
		}

		fn syncing(&self, _: BlockHash, _: &AccountId) -> Result<Option<Syncing>, ChainError> {
			Ok(None)
		}

		fn silences(&self, _: BlockHash) -> Result<Silences, ChainError> {
			Ok(Silences::default())
		}

		fn published(
			&self,
			at: BlockHash,
			server: &AccountId,
		) -> Result<Option<PublishedServer>, ChainError> {
			let shown = if at == BEST { &self.best } else { &self.finalized };
			let key = *shown.lock().expect("not poisoned");
			Ok(key.map(|key| PublishedServer { info: info(server, key), retired: None }))
		}

		fn was_published(&self, _: BlockHash, _: &AccountId) -> Result<bool, ChainError> {
			Ok(true)
		}

		fn number(&self, _: BlockHash) -> Result<BlockNumber, ChainError> {
			Ok(1)
		}

		fn timestamp(&self, _: BlockHash) -> Result<u64, ChainError> {
			Ok(0)
		}
	}

	fn info(server: &AccountId, encryption_key: EncryptionKey) -> ServerInfo {
		let endpoint = server_keys::endpoint(ENDPOINT).expect("well formed");
		ServerInfo { account: server.clone(), encryption_key, endpoint }
	}

	/// The operator's methods of a node with one server.
	struct Node {
		chain: Arc<Chain>,
		operator: Operator,
		server: AccountId,
		_folder: TempDir,
	}

	impl Node {
		fn new() -> Self {
			let folder = tempfile::tempdir().expect("a folder");
			let store = ShareStore::open(&folder.path().join("s"), &"password".into(), GENESIS)
				.expect("a new store");
			let keystore: KeystorePtr = Arc::new(LocalKeystore::in_memory());
			server_keys::adopt(&SERVERS[0], &store, &keystore).expect("adopted");
			let servers = store.servers().expect("readable");
			let server = servers.keys().next().expect("one server").clone();
			let chain = Arc::new(Chain::default());
			let metrics = Metrics::new(None).expect("well-formed names");
			let (config, keys) = (IntakeConfig::default(), ServerKeys::new(servers));
			let intake = Intake::new(config, chain.clone(), keys, store, metrics)
				.expect("threads can be had");
			Self { chain, operator: Operator { intake, keystore }, server, _folder: folder }
		}

		/// The chain shows these keys of the server from now on.
		fn shows(&self, best: Option<EncryptionKey>, finalized: Option<EncryptionKey>) {
			*self.chain.best.lock().expect("not poisoned") = best;
			*self.chain.finalized.lock().expect("not poisoned") = finalized;
		}

		/// The key that the node hands out to be published.
		fn new_key(&self) -> EncryptionKey {
			let request = NewEncryptionKey { server: Ss58(self.server.clone()) };
			let answer = self.operator.new_encryption_key(request).expect("made or there");
			EncryptionKey::X25519(answer.encryption_key.0)
		}

		fn request(&self, key: EncryptionKey) -> ProvePossession {
			let EncryptionKey::X25519(key) = key;
			ProvePossession {
				server: Ss58(self.server.clone()),
				validator: Ss58(VALIDATOR),
				encryption_key: HexBytes(key),
				endpoint: ENDPOINT.into(),
			}
		}

		/// The node proves that it has the key.
		fn proves(&self, key: EncryptionKey) {
			let answer = self.operator.prove_possession(self.request(key)).expect("proven");
			let message = messages::server_message(&GENESIS, &VALIDATOR, &info(&self.server, key));
			let signature = sr25519::Signature::from_raw(answer.proof.0);
			let public = sr25519::Public::from_raw(self.server.clone().into());
			assert!(sr25519::Pair::verify(&signature, message, &public));
		}

		/// The node refuses to; why.
		fn refuses(&self, key: EncryptionKey) -> String {
			let refused = self.operator.prove_possession(self.request(key)).expect_err("refused");
			assert_eq!(refused.code(), ErrorCode::InvalidParams.code());
			refused.message().to_owned()
		}
	}

	#[test]
	fn possession_is_proven_of_the_key_that_is_published_and_of_the_newest() {
		let node = Node::new();
		let first = node.new_key();
		// However long ago it was made.
		node.proves(first);
		node.shows(Some(first), None);
		node.proves(first);
		node.shows(Some(first), Some(first));
		// Under another endpoint.
		node.proves(first);
		let second = node.new_key();
		assert_ne!(second, first);
		assert_eq!(node.new_key(), second, "it waits to be published");
		node.proves(first);
		node.proves(second);
		// A block that may be left again.
		node.shows(Some(second), Some(first));
		node.proves(second);
	}

	#[test]
	fn possession_is_not_proven_of_a_key_that_is_about_to_be_erased() {
		let node = Node::new();
		let first = node.new_key();
		node.shows(Some(first), Some(first));
		let second = node.new_key();
		node.shows(Some(second), Some(second));
		assert!(node.refuses(first).contains("keyshare_newEncryptionKey"), "it was replaced");
		// The server has been withdrawn, which is not final yet.
		node.shows(None, Some(second));
		assert!(node.refuses(second).contains("when that is final"));
		let third = node.new_key();
		assert_ne!(third, second, "what was published is not handed out again");
		for finalized in [Some(second), None] {
			node.shows(None, finalized);
			node.proves(third);
			assert_eq!(node.new_key(), third);
			for before in [first, second] {
				node.refuses(before);
			}
		}
	}

	#[test]
	fn possession_is_not_proven_of_what_is_not_here() {
		let node = Node::new();
		let refused = node.refuses(EncryptionKey::X25519([9; 32]));
		assert!(refused.contains("keyshare_newEncryptionKey"), "{refused}");
		let server = Ss58(AccountId::new([9; 32]));
		let request = ProvePossession { server, ..node.request(node.new_key()) };
		let refused = node.operator.prove_possession(request).expect_err("refused");
		assert_eq!(refused.code(), ErrorCode::UnknownServer.code());
	}

	#[test]
	fn nothing_is_proven_for_what_cannot_be_an_endpoint() {
		let node = Node::new();
		let request = ProvePossession { endpoint: "ws://h".into(), ..node.request(node.new_key()) };
		let refused = node.operator.prove_possession(request).expect_err("refused");
		assert_eq!(refused.code(), ErrorCode::InvalidParams.code());
	}
}
