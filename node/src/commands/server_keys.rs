//! `key generate-server`, `key rotate-server` and `key inspect-server`. They open the share store,
//! so the node that uses it must not be running.

use crate::{
	error::Error,
	file_system,
	options::StoreArgs,
	output,
	server_keys::{self, PublicKeys, ServerKeyError},
	service,
	shares::{HostingError, StoreOptions},
};
use clap::Args;
use keyshare_primitives::{
	seal::EncryptionSecret, wire::to_hex, AccountId, EncryptionKey, Endpoint, GenesisHash,
	ServerInfo,
};
use keyshare_rpc::store::ShareStore;
use sc_cli::{KeystoreParams, SharedParams, SubstrateCli};
use sc_keystore::LocalKeystore;
use sc_network::config::{NodeKeyConfig, Secret};
use sc_service::{config::KeystoreConfig, BasePath};
use secrecy::SecretString;
use sp_core::{crypto::Ss58Codec, sr25519};
use sp_keystore::KeystorePtr;
use std::{
	fs::{self, File},
	io,
	path::{Path, PathBuf},
	sync::Arc,
};

/// Where the SDK looks for the key of the node's identity, which it does not export.
const NETWORK_FOLDER: &str = "network";
const NETWORK_KEY: &str = "secret_ed25519";

/// Make the keys of a server that this node is to host.
///
/// The signing key goes into the node's key store, the encryption key into the share store, which
/// is made if it is not there; so is the key of the node's identity in the network. Only the public
/// halves are printed.
#[derive(Clone, Debug, Args)]
pub struct GenerateServer {
	/// Which node.
	#[command(flatten)]
	pub node: NodeArgs,
}

/// Make a new encryption key for a server that this node hosts.
///
/// Shares are sealed to it from when it is published: `key inspect-server` shows how. Of a running
/// node, `keyshare server rotate-key` does both.
#[derive(Clone, Debug, Args)]
pub struct RotateServer {
	/// Which node.
	#[command(flatten)]
	pub node: NodeArgs,

	/// The server, where the node hosts several.
	#[arg(long, value_name = "ACCOUNT", value_parser = account)]
	pub server: Option<AccountId>,
}

/// Show the servers that this node hosts, and how to publish one.
///
/// With `--validator` and `--endpoint` it prints the arguments of the call
/// `Subgroups.publish_server`, the signature that proves possession of the server's key included.
#[derive(Clone, Debug, Args)]
pub struct InspectServer {
	/// Which node.
	#[command(flatten)]
	pub node: NodeArgs,

	/// Show this server only.
	#[arg(long, value_name = "ACCOUNT", value_parser = account)]
	pub server: Option<AccountId>,

	/// Account of the validator that is to publish the server.
	#[arg(long, value_name = "ACCOUNT", value_parser = account, requires = "endpoint")]
	pub validator: Option<AccountId>,

	/// URL under which the world reaches the share listener.
	#[arg(long, value_name = "URL", requires = "validator")]
	pub endpoint: Option<String>,
}

/// Whose keys: the chain, the folder, and the passwords.
#[derive(Clone, Debug, Args)]
pub struct NodeArgs {
	/// The chain and the folder.
	#[command(flatten)]
	pub shared: SharedParams,

	/// The key store.
	#[command(flatten)]
	pub keystore: KeystoreParams,

	/// The share store.
	#[command(flatten)]
	pub store: StoreArgs,
}

fn account(text: &str) -> Result<AccountId, ServerKeyError> {
	AccountId::from_ss58check(text).map_err(|_| ServerKeyError::InvalidAccount(text.into()))
}

/// A node's stores, opened by a command.
struct Stores {
	shares: ShareStore,
	keys: KeystorePtr,
	genesis: GenesisHash,
}

/// Whether a share store that is not there is made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
	Make,
	Refuse,
}

/// Where a node keeps its things.
pub struct Home {
	/// The chain's folder.
	pub folder: PathBuf,
	/// The share store's file.
	pub store: PathBuf,
	/// The chain.
	pub genesis: GenesisHash,
}

impl NodeArgs {
	/// Where the node keeps its things.
	pub fn home<Program: SubstrateCli>(&self, cli: &Program) -> Result<Home, Error> {
		let chain = self.shared.chain_id(self.shared.is_dev());
		let spec = cli.load_spec(&chain).map_err(sc_cli::Error::from)?;
		let base = match self.shared.base_path.clone() {
			Some(path) => path.into(),
			None => BasePath::from_project("", "", &Program::executable_name()),
		};
		let folder = base.config_dir(spec.id());
		let store = self.options().path(&folder);
		Ok(Home { folder, store, genesis: service::genesis_hash(spec.as_ref())? })
	}

	/// The share store's password.
	pub fn password(&self, home: &Home) -> Result<SecretString, Error> {
		let missing = || HostingError::NoPassword(home.store.clone());
		Ok(self.options().password()?.ok_or_else(missing)?)
	}

	fn options(&self) -> StoreOptions {
		StoreOptions::new(self.shared.is_dev(), &self.store)
	}

	fn open(&self, home: &Home, missing: Missing) -> Result<Stores, Error> {
		let (path, genesis) = (home.store.clone(), home.genesis);
		let password = self.password(home)?;
		if missing == Missing::Refuse && !path.exists() {
			return Err(HostingError::NoStore(path).into());
		}
		file_system::check(&path).map_err(HostingError::from)?;
		let shares = match missing {
			Missing::Make => ShareStore::open(&path, &password, genesis),
			Missing::Refuse => ShareStore::open_existing(&path, &password, genesis),
		};
		let shares = shares.map_err(|reason| HostingError::Store { path, reason })?;
		let KeystoreConfig::Path { path, password } =
			self.keystore.keystore_config(&home.folder)?
		else {
			return Err(sc_cli::Error::KeystoreOperation.into());
		};
		let keys = LocalKeystore::open(path, password).map_err(sc_cli::Error::from)?;
		Ok(Stores { shares, keys: Arc::new(keys), genesis })
	}
}

impl GenerateServer {
	/// Makes the keys and prints the public ones.
	pub fn run(&self, cli: &impl SubstrateCli) -> Result<(), Error> {
		let home = self.node.home(cli)?;
		let stores = self.node.open(&home, Missing::Make)?;
		// First what may fail and is not made twice: who runs this again is to find one server.
		let identity = network_identity(&home.folder)?;
		let made = server_keys::generate(&stores.shares, &stores.keys)?;
		let server = described(&made);
		Ok(output::print(&format!(
			"{server}Node's network identity: {identity}\n\
			 Back up the node's key store and share store; then publish the server: \
			 `key inspect-server --validator ACCOUNT --endpoint URL` shows how.\n"
		))?)
	}
}

impl RotateServer {
	/// Makes the key and prints its public half.
	pub fn run(&self, cli: &impl SubstrateCli) -> Result<(), Error> {
		let stores = self.node.open(&self.node.home(cli)?, Missing::Refuse)?;
		let server = described(&new_key(&stores.shares, self.server.as_ref())?);
		Ok(output::print(&format!(
			"{server}Publish it: `key inspect-server --validator ACCOUNT --endpoint URL` shows how.\n"
		))?)
	}
}

impl InspectServer {
	/// Prints the hosted servers and, if asked, how each is published.
	pub fn run(&self, cli: &impl SubstrateCli) -> Result<(), Error> {
		let endpoint = self.endpoint.as_deref().map(server_keys::endpoint).transpose()?;
		let stores = self.node.open(&self.node.home(cli)?, Missing::Refuse)?;
		let hosted = hosted(&stores.shares, self.server.as_ref())?;
		if hosted.is_empty() {
			output::print("This node hosts no server; `key generate-server` makes one.\n")?;
		}
		for server in hosted {
			output::print(&described(&server))?;
			if !server_keys::can_sign(&server.account, &stores.keys) {
				return Err(ServerKeyError::NoSigningKey(server.account).into());
			}
			if let (Some(validator), Some(endpoint)) = (&self.validator, &endpoint) {
				output::print(&publication(&stores, validator, server, endpoint.clone())?)?;
			}
		}
		Ok(())
	}
}

/// The node's identity in the network, whose key is made if it is not there: without one a
/// validator does not start.
fn network_identity(folder: &Path) -> Result<String, Error> {
	let folder = folder.join(NETWORK_FOLDER);
	let failed = |error: io::Error| sc_cli::Error::Io(error);
	make_network_key(&folder).map_err(failed)?;
	let key = NodeKeyConfig::Ed25519(Secret::File(folder.join(NETWORK_KEY)));
	Ok(key.into_keypair().map_err(failed)?.public().to_peer_id().to_string())
}

/// Makes the key of the node's identity, unless it is there. An empty file is none: a full disk leaves one,
/// and the SDK, which writes no second one there, cannot read it.
fn make_network_key(folder: &Path) -> io::Result<()> {
	let file = folder.join(NETWORK_KEY);
	if fs::symlink_metadata(&file).is_ok_and(|found| !found.is_file() || found.len() > 0) {
		return Ok(());
	}
	fs::create_dir_all(folder)?;
	// It has another name until it is whole.
	let partial = folder.join(format!("{NETWORK_KEY}.partial"));
	match fs::remove_file(&partial) {
		Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
		_ => {}
	}
	NodeKeyConfig::Ed25519(Secret::File(partial.clone())).into_keypair()?;
	File::open(&partial)?.sync_all()?;
	fs::rename(&partial, &file)
}

fn hosted(store: &ShareStore, only: Option<&AccountId>) -> Result<Vec<PublicKeys>, ServerKeyError> {
	let public = store.servers()?.into_iter().filter_map(|(account, secrets)| {
		let encryption_key = secrets.last()?.public();
		Some(PublicKeys { account, encryption_key })
	});
	let Some(wanted) = only else { return Ok(public.collect()) };
	let found: Vec<_> = public.filter(|server| server.account == *wanted).collect();
	if found.is_empty() {
		return Err(ServerKeyError::NotHosted(wanted.clone()));
	}
	Ok(found)
}

/// Makes a new encryption key for the server named, or for the only one.
fn new_key(store: &ShareStore, server: Option<&AccountId>) -> Result<PublicKeys, ServerKeyError> {
	let mut hosted = hosted(store, server)?;
	let (Some(server), true) = (hosted.pop(), hosted.is_empty()) else {
		return Err(ServerKeyError::WhichServer);
	};
	let secret = EncryptionSecret::generate();
	store.add_key(&server.account, &secret)?;
	Ok(PublicKeys { encryption_key: secret.public(), ..server })
}

fn described(server: &PublicKeys) -> String {
	let EncryptionKey::X25519(key) = server.encryption_key;
	format!("Server {}\n  encryption key  X25519 {}\n", server.account, to_hex(&key))
}

/// The arguments of the call that publishes a server, one by one for a form, and the whole call
/// for a wallet that takes it encoded.
fn publication(
	stores: &Stores,
	validator: &AccountId,
	server: PublicKeys,
	endpoint: Endpoint,
) -> Result<String, ServerKeyError> {
	let info =
		ServerInfo { account: server.account, encryption_key: server.encryption_key, endpoint };
	let proof = server_keys::prove_possession(&stores.genesis, validator, &info, &stores.keys)?;
	let EncryptionKey::X25519(key) = info.encryption_key;
	let call = to_hex(&encoded_call(info.clone(), proof));
	Ok(format!(
		"  Subgroups.publish_server, to be sent by {validator}:\n\
		 \x20   server.account         {account}\n\
		 \x20   server.encryption_key  X25519 {key}\n\
		 \x20   server.endpoint        {endpoint}\n\
		 \x20   proof                  {proof_hex}\n\
		 \x20   the call, encoded      {call}\n",
		account = info.account,
		key = to_hex(&key),
		endpoint = String::from_utf8_lossy(&info.endpoint),
		proof_hex = to_hex(proof.as_ref()),
	))
}

fn encoded_call(server: ServerInfo, proof: sr25519::Signature) -> Vec<u8> {
	use codec::Encode;
	use keyshare_runtime::{Runtime, RuntimeCall};
	let call = pallet_subgroups::Call::<Runtime>::publish_server { server, proof };
	RuntimeCall::Subgroups(call).encode()
}

#[cfg(test)]
mod tests {
	use super::*;
	use codec::Decode;
	use keyshare_primitives::{development::SERVERS, messages};
	use sp_core::Pair;

	#[test]
	fn a_publication_is_the_call_with_a_proof_that_holds() {
		let folder = tempfile::tempdir().expect("a folder");
		let genesis = GenesisHash::repeat_byte(1);
		let shares = ShareStore::open(&folder.path().join("s"), &"password".into(), genesis)
			.expect("a new store");
		let stores = Stores { shares, keys: Arc::new(LocalKeystore::in_memory()), genesis };
		server_keys::adopt(&SERVERS[2], &stores.shares, &stores.keys).expect("adopted");
		let server = hosted(&stores.shares, None).expect("readable").remove(0);
		let validator = AccountId::new([6; 32]);
		let endpoint = server_keys::endpoint("https://h").expect("well formed");
		let text = publication(&stores, &validator, server.clone(), endpoint).expect("signed");

		let call = text.split_whitespace().last().expect("the encoded call");
		let call = hex_bytes(call);
		let Ok(keyshare_runtime::RuntimeCall::Subgroups(pallet_subgroups::Call::publish_server {
			server: info,
			proof,
		})) = Decode::decode(&mut call.as_slice())
		else {
			panic!("another call: {text}")
		};
		assert_eq!(info.account, server.account);
		assert_eq!(info.encryption_key, SERVERS[2].encryption_key());
		let message = messages::server_message(&genesis, &validator, &info);
		let public = sr25519::Public::from_raw(info.account.into());
		assert!(sr25519::Pair::verify(&proof, message, &public));
		assert!(text.contains(&to_hex(proof.as_ref())) && text.contains("https://h"));
	}

	#[test]
	fn the_networks_key_is_made_once() {
		let folder = tempfile::tempdir().expect("a folder");
		let made = network_identity(folder.path()).expect("made");
		assert!(made.starts_with("12D3Koo"), "{made}");
		assert_eq!(network_identity(folder.path()).expect("read"), made);
	}

	#[test]
	fn what_a_full_disk_has_left_of_the_networks_key_is_in_nobodys_way() {
		let folder = tempfile::tempdir().expect("a folder");
		let network = folder.path().join(NETWORK_FOLDER);
		fs::create_dir(&network).expect("made");
		fs::write(network.join(NETWORK_KEY), "").expect("written");
		fs::write(network.join(format!("{NETWORK_KEY}.partial")), "half").expect("written");
		let made = network_identity(folder.path()).expect("made");
		assert_eq!(network_identity(folder.path()).expect("read"), made);
		assert_eq!(fs::read_dir(&network).expect("readable").count(), 1);
	}

	#[test]
	fn one_server_is_shown_if_asked_for() {
		let folder = tempfile::tempdir().expect("a folder");
		let store =
			ShareStore::open(&folder.path().join("s"), &"password".into(), GenesisHash::zero())
				.expect("a new store");
		let keys: KeystorePtr = Arc::new(LocalKeystore::in_memory());
		for server in &SERVERS {
			server_keys::adopt(server, &store, &keys).expect("adopted");
		}
		let all = hosted(&store, None).expect("readable");
		assert_eq!(all.len(), SERVERS.len());
		assert_eq!(hosted(&store, Some(&all[1].account)).expect("hosted"), [all[1].clone()]);
		let other = AccountId::new([8; 32]);
		assert!(matches!(hosted(&store, Some(&other)), Err(ServerKeyError::NotHosted(_))));
	}

	#[test]
	fn who_rotates_the_key_of_a_server_that_is_not_hosted_is_told_what_shows_those_that_are() {
		let folder = tempfile::tempdir().expect("a folder");
		let store =
			ShareStore::open(&folder.path().join("s"), &"password".into(), GenesisHash::zero())
				.expect("a new store");
		let refused = new_key(&store, Some(&AccountId::new([8; 32]))).expect_err("not hosted");
		assert!(refused.to_string().contains("`key inspect-server`"), "{refused}");
	}

	#[test]
	fn a_new_encryption_key_is_the_one_to_publish() {
		let folder = tempfile::tempdir().expect("a folder");
		let store =
			ShareStore::open(&folder.path().join("s"), &"password".into(), GenesisHash::zero())
				.expect("a new store");
		let keys: KeystorePtr = Arc::new(LocalKeystore::in_memory());
		assert!(matches!(new_key(&store, None), Err(ServerKeyError::WhichServer)));
		let made = server_keys::generate(&store, &keys).expect("made");
		let new = new_key(&store, None).expect("there is one server");
		assert_eq!(new.account, made.account);
		assert_ne!(new.encryption_key, made.encryption_key);
		assert_eq!(hosted(&store, None).expect("readable"), [new]);
		server_keys::generate(&store, &keys).expect("made");
		assert!(matches!(new_key(&store, None), Err(ServerKeyError::WhichServer)));
		assert!(new_key(&store, Some(&made.account)).is_ok());
	}

	#[test]
	fn accounts_are_addresses_with_a_checksum() {
		let alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
		assert!(account(alice).is_ok());
		assert!(account(&alice.replace("QY", "QX")).is_err());
		assert!(account("//Alice").is_err());
	}

	fn hex_bytes(text: &str) -> Vec<u8> {
		let digits = text.strip_prefix("0x").expect("0x");
		(0..digits.len())
			.step_by(2)
			.map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex"))
			.collect()
	}
}
