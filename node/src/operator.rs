//! What the ordinary RPC offers to the node's operator alone: keys of the hosted servers, made and
//! proven while the node runs. The tool's `keyshare server …` is built on it.
//!
//! | method | parameters | answer |
//! |---|---|---|
//! | `keyshare_newEncryptionKey` | `wire::NewEncryptionKey` | `wire::EncryptionKeyAnswer` |
//! | `keyshare_provePossession` | `wire::ProvePossession` | `wire::PossessionProof` |
//!
//! Both are unsafe methods: they are answered where the SDK's are, and never on the share listener.

use crate::server_keys::{self, ServerKeyError};
use jsonrpsee::{
	types::{ErrorObjectOwned, Params},
	Extensions, RpcModule,
};
use keyshare_primitives::{
	seal::EncryptionSecret,
	wire::{
		EncryptionKeyAnswer, ErrorCode, HexBytes, NewEncryptionKey, PossessionProof,
		ProvePossession,
	},
	AccountId, EncryptionKey, ServerInfo,
};
use keyshare_rpc::{chain::BlockHash, intake::Intake};
use sc_rpc_api::check_if_safe;
use serde::de::DeserializeOwned;
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
		.register_blocking_method("keyshare_newEncryptionKey", |params, operator, extensions| {
			operator.new_encryption_key(admitted(&params, &extensions)?)
		})
		.expect(DISTINCT);
	module
		.register_blocking_method("keyshare_provePossession", |params, operator, extensions| {
			operator.prove_possession(admitted(&params, &extensions)?)
		})
		.expect(DISTINCT);
	module.remove_context()
}

const DISTINCT: &str = "the methods' names are distinct; qed";

/// The request, if whoever sent it may.
fn admitted<Request: DeserializeOwned>(
	params: &Params<'_>,
	extensions: &Extensions,
) -> Result<Request, ErrorObjectOwned> {
	check_if_safe(extensions)?;
	params.one().map_err(|error| failure(ErrorCode::InvalidParams.code(), error.message()))
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
		let secret = EncryptionSecret::generate();
		let key = secret.public();
		// Durable before anybody learns of it.
		self.intake
			.store()
			.add_key(server, &secret)
			.map_err(|error| failure(ErrorCode::StorageFailed.code(), &error.to_string()))?;
		self.intake.servers().add(server, secret);
		Ok(key)
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
				"this node does not have the secret half of that encryption key",
			));
		}
		if !self.is_kept(&account, encryption_key)? {
			return Err(failure(
				ErrorCode::InvalidParams.code(),
				"this node will erase that encryption key before long: if the server has just been \
				 withdrawn, try again when that is final, else publish the newest key",
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
		Err(failure(ErrorCode::UnknownServer.code(), "this node does not host that server"))
	}
}

fn failure(code: i32, message: &str) -> ErrorObjectOwned {
	ErrorObjectOwned::owned(code, message, None::<()>)
}
