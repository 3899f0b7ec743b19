//! Servers' keys. Each server has two: the sr25519 key it signs with (key type `ksrv`) in the
//! node's key store, where the off-chain worker finds it, and the X25519 secret that shares are
//! sealed to in the encrypted share store. Neither is ever shown.

use keyshare_primitives::{
	development::DevelopmentServer, endpoint::endpoint_is_well_formed, messages,
	offchain::server_crypto::KEY_TYPE, seal::EncryptionSecret, AccountId, EncryptionKey, Endpoint,
	GenesisHash, ServerInfo,
};
use keyshare_rpc::store::{ShareStore, StoreError};
use sp_core::sr25519;
use sp_keystore::KeystorePtr;

/// What went wrong with a server's keys. Never holds a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerKeyError {
	/// The key store failed.
	#[error("the node's key store failed: {0}")]
	Keystore(#[from] sp_keystore::Error),
	/// The share store failed.
	#[error(transparent)]
	Store(#[from] StoreError),
	/// The signing key of a hosted server is not in the key store.
	#[error(
		"the signing key (type ksrv) of server {0} is not in the node's key store, or the key \
		 store's password does not open it, so it cannot confirm any share; restore it from a \
		 backup, or make another server with `key generate-server` and publish that in its place: \
		 it takes the shares over"
	)]
	NoSigningKey(AccountId),
	/// Nobody can connect to the endpoint.
	#[error(
		"{0:?} cannot be an endpoint; give a URL like https://shares.example.org:9955 with scheme \
		 http or https and the name or address of one machine, without user and fragment, in at most \
		 256 characters of ASCII"
	)]
	InvalidEndpoint(String),
	/// The text is no account.
	#[error("{0:?} is no account; give an SS58 address")]
	InvalidAccount(String),
	/// There is none, or more than one.
	#[error(
		"this node does not host exactly one server: name one with --server, as `key inspect-server` \
		 shows them, or make one with `key generate-server`"
	)]
	WhichServer,
	/// The node does not host the server.
	#[error(
		"this node does not host server {0}; `key inspect-server` without --server shows those that it \
		 hosts"
	)]
	NotHosted(AccountId),
}

/// The public half of a server's keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublicKeys {
	/// The server's account, which is its signing key.
	pub account: AccountId,
	/// What shares are sealed to.
	pub encryption_key: EncryptionKey,
}

/// Makes the keys of a server and keeps them in their stores.
pub fn generate(store: &ShareStore, keystore: &KeystorePtr) -> Result<PublicKeys, ServerKeyError> {
	// The signing key first: alone it is of no use, and of no harm.
	let account = AccountId::from(keystore.sr25519_generate_new(KEY_TYPE, None)?);
	let secret = EncryptionSecret::generate();
	store.add_key(&account, &secret)?;
	Ok(PublicKeys { account, encryption_key: secret.public() })
}

/// Keeps the keys of a server of the development network; the signing key in memory only.
pub fn adopt(
	server: &DevelopmentServer,
	store: &ShareStore,
	keystore: &KeystorePtr,
) -> Result<(), ServerKeyError> {
	let account = keystore.sr25519_generate_new(KEY_TYPE, Some(&server.server_uri()))?.into();
	let secret = EncryptionSecret::new(server.encryption_secret());
	Ok(store.add_key(&account, &secret)?)
}

/// Whether the key that `server` signs with is there.
pub fn can_sign(server: &AccountId, keystore: &KeystorePtr) -> bool {
	let public: &[u8; 32] = server.as_ref();
	keystore.has_keys(&[(public.to_vec(), KEY_TYPE)])
}

/// Checks that `text` can be published as an endpoint.
pub fn endpoint(text: &str) -> Result<Endpoint, ServerKeyError> {
	let invalid = || ServerKeyError::InvalidEndpoint(text.into());
	let endpoint = Endpoint::try_from(text.as_bytes().to_vec()).map_err(|_| invalid())?;
	endpoint_is_well_formed(&endpoint).then_some(endpoint).ok_or_else(invalid)
}

/// The server account's proof of possession (protocol §8): that `validator` may publish `server`.
pub fn prove_possession(
	genesis: &GenesisHash,
	validator: &AccountId,
	server: &ServerInfo,
	keystore: &KeystorePtr,
) -> Result<sr25519::Signature, ServerKeyError> {
	let message = messages::server_message(genesis, validator, server);
	let public = sr25519::Public::from_raw(server.account.clone().into());
	keystore
		.sr25519_sign(KEY_TYPE, &public, &message)?
		.ok_or_else(|| ServerKeyError::NoSigningKey(server.account.clone()))
}

#[cfg(test)]
mod tests {
	use super::*;
	use keyshare_primitives::{development::SERVERS, endpoint::ENDPOINT_SCHEMES};
	use sc_keystore::LocalKeystore;
	use sp_core::Pair;
	use std::sync::Arc;

	const GENESIS: GenesisHash = GenesisHash::repeat_byte(1);

	fn stores(folder: &tempfile::TempDir) -> (ShareStore, KeystorePtr) {
		let path = folder.path().join("store");
		let store = ShareStore::open(&path, &"password".into(), GENESIS).expect("a new store");
		(store, Arc::new(LocalKeystore::in_memory()))
	}

	#[test]
	fn generated_keys_are_in_their_stores() {
		let folder = tempfile::tempdir().expect("a folder");
		let (store, _) = stores(&folder);
		let keystore: KeystorePtr =
			Arc::new(LocalKeystore::open(folder.path().join("keys"), None).expect("a key store"));
		let first = generate(&store, &keystore).expect("made");
		let second = generate(&store, &keystore).expect("made");
		assert_ne!(first, second);
		let hosted = store.servers().expect("readable");
		for made in [first, second] {
			assert!(can_sign(&made.account, &keystore));
			let [secret] = hosted[&made.account].as_slice() else { panic!("one key") };
			assert_eq!(secret.public(), made.encryption_key);
		}
	}

	#[test]
	fn adopted_keys_are_those_of_the_development_network() {
		let folder = tempfile::tempdir().expect("a folder");
		let (store, keystore) = stores(&folder);
		adopt(&SERVERS[1], &store, &keystore).expect("adopted");
		adopt(&SERVERS[1], &store, &keystore).expect("twice is once");
		let hosted = store.servers().expect("readable");
		assert_eq!(hosted.len(), 1);
		let (account, secrets) = hosted.first_key_value().expect("one server");
		let [secret] = secrets.as_slice() else { panic!("one key") };
		let pair = sr25519::Pair::from_string("//Bob//stash", None).expect("a URI");
		assert_eq!(*account, AccountId::from(pair.public()));
		assert_eq!(secret.public(), SERVERS[1].encryption_key());
		assert!(can_sign(account, &keystore));
		assert!(!can_sign(&AccountId::new([7; 32]), &keystore));
	}

	#[test]
	fn possession_is_proven_for_exactly_what_is_published() {
		let folder = tempfile::tempdir().expect("a folder");
		let (store, keystore) = stores(&folder);
		adopt(&SERVERS[0], &store, &keystore).expect("adopted");
		let (account, _) = store.servers().expect("readable").pop_first().expect("one");
		let server = ServerInfo {
			account: account.clone(),
			encryption_key: SERVERS[0].encryption_key(),
			endpoint: endpoint("https://shares.example.org").expect("well formed"),
		};
		let validator = AccountId::new([3; 32]);
		let proof = prove_possession(&GENESIS, &validator, &server, &keystore).expect("signed");
		let public = sr25519::Public::from_raw(account.into());
		let holds = |validator: &AccountId| {
			let message = messages::server_message(&GENESIS, validator, &server);
			sr25519::Pair::verify(&proof, message, &public)
		};
		assert!(holds(&validator));
		assert!(!holds(&AccountId::new([4; 32])));

		let unknown = ServerInfo { account: AccountId::new([9; 32]), ..server };
		let refused = prove_possession(&GENESIS, &validator, &unknown, &keystore);
		assert!(matches!(refused, Err(ServerKeyError::NoSigningKey(_))));
	}

	#[test]
	fn endpoints_are_checked_before_anything_is_signed() {
		assert!(endpoint("http://127.0.0.1:9955").is_ok());
		let too_long = format!("http://h/{}", "p".repeat(250));
		for bad in ["127.0.0.1:9955", "ftp://h", "", "https://h:x", "http://0.0.0.0:1", &too_long] {
			assert!(matches!(endpoint(bad), Err(ServerKeyError::InvalidEndpoint(_))), "{bad}");
		}
	}

	#[test]
	fn who_gives_a_web_socket_as_endpoint_is_not_offered_it() {
		for bad in ["ws://h", "wss://h"] {
			let text = endpoint(bad).expect_err("protocol §8").to_string();
			let offered = text.replace(bad, "");
			assert!(!offered.contains("ws"), "{text}");
			assert!(ENDPOINT_SCHEMES.iter().all(|scheme| offered.contains(scheme)), "{text}");
		}
	}
}
