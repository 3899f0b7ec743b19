//! Shares within a node: the store, the intake over it, the share listener and the feeder of the
//! off-chain worker. What each of them does is in `keyshare-rpc`.

use crate::{
	file_system::{self, FileSystemError},
	options::{ListenerArgs, StoreArgs},
	password::{self, PasswordError},
	server_keys::{self, ServerKeyError},
	LOG_TARGET,
};
use futures::Stream;
use keyshare_primitives::{
	development::DevelopmentServer, seal::EncryptionSecret, AccountId, GenesisHash,
};
use keyshare_rpc::{
	api,
	chain::ChainState,
	confirm::ConfirmationFeeder,
	intake::{Intake, IntakeConfig},
	keys::ServerKeys,
	listener::{self, Cors, Listener, ListenerConfig, ListenerError},
	metrics::Metrics,
	store::{ShareStore, StoreError, FILE_NAME},
	sync::{Reach, Sync, SyncConfig},
	watch::watch,
};
use sc_service::{ChainType, TaskManager};
use secrecy::SecretString;
use sp_core::offchain::OffchainStorage;
use sp_keystore::KeystorePtr;
use std::{
	collections::BTreeMap,
	io,
	path::{Path, PathBuf},
	sync::Arc,
};

/// Password of a development chain's share store. Public, like every key in it.
const DEVELOPMENT_PASSWORD: &str = "keyshare development";

/// Why the node cannot host servers, which is to take and to keep their shares.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostingError {
	/// The password file cannot be used.
	#[error(transparent)]
	Password(#[from] PasswordError),
	/// There is no password for the store.
	#[error(
		"the share store {0} needs a password; give the file that holds it with \
		 --share-store-password-file"
	)]
	NoPassword(PathBuf),
	/// There is no store.
	#[error(
		"there is no share store {0}: `share-store restore` brings one back from a backup, and `key \
		 generate-server` makes the keys of a new server; start a node that is to host none without \
		 --share-store-password-file"
	)]
	NoStore(PathBuf),
	/// The store would not be safe where it is.
	#[error(transparent)]
	FileSystem(#[from] FileSystemError),
	/// The store cannot be opened or read.
	#[error("share store {path}: {reason}")]
	Store {
		/// Its file.
		path: PathBuf,
		/// What is wrong.
		reason: StoreError,
	},
	/// A copy of a store cannot be made where it is to be; the reason names the place.
	#[error(transparent)]
	Copy(StoreError),
	/// There is no backup.
	#[error("there is no backup {0}; give a file that `share-store backup` has made")]
	NoBackup(PathBuf),
	/// Another password opens the backup.
	#[error(
		"the password does not open the backup {0}: a backup keeps the one that the share store had \
		 when it was made; give a file that holds it with --share-store-password-file"
	)]
	BackupPassword(PathBuf),
	/// A backup is damaged.
	#[error("the backup {path} is damaged: {part} cannot be read; take another one")]
	DamagedBackup {
		/// Its file.
		path: PathBuf,
		/// What cannot be read.
		part: &'static str,
	},
	/// What was restored was damaged before.
	#[error(
		"{0} is in place, but a part of it was damaged in the backup already, and the node passes over \
		 that part: if there is another backup, move this store away and restore that one; otherwise \
		 make another server in this store with `key generate-server` and publish it: it takes over \
		 what is whole, and fetches the rest from other members"
	)]
	DamagedBefore(PathBuf),
	/// A hosted server's keys cannot be used.
	#[error(transparent)]
	ServerKeys(#[from] ServerKeyError),
	/// Nothing would confirm the shares that are taken.
	#[error(
		"a node that hosts servers confirms their shares with its off-chain worker; leave out \
		 `--offchain-worker never`"
	)]
	NoOffchainWorker,
	/// The chain's database has no place for what the off-chain worker is to send.
	#[error(
		"the chain's database has no off-chain storage, which a node that hosts servers needs"
	)]
	NoOffchainStorage,
	/// The system has no threads for the intake.
	#[error("the share intake cannot start: {0}")]
	Intake(io::Error),
	/// The share listener cannot listen.
	#[error("{0}; choose another address or port with --share-rpc-addr")]
	Listener(#[from] ListenerError),
}

/// Where the password comes from.
#[derive(Clone, Debug)]
enum PasswordSource {
	/// It is the development chain's.
	Development,
	/// It is in a file.
	File(PathBuf),
	/// Nobody gave one.
	None,
}

/// What the command line says of the share store.
#[derive(Clone, Debug)]
pub struct StoreOptions {
	path: Option<PathBuf>,
	password: PasswordSource,
}

impl StoreOptions {
	/// As given; a development chain has a password of its own.
	pub fn new(dev: bool, args: &StoreArgs) -> Self {
		let password = match &args.share_store_password_file {
			_ if dev => PasswordSource::Development,
			Some(file) => PasswordSource::File(file.clone()),
			None => PasswordSource::None,
		};
		Self { path: args.share_store_path.clone(), password }
	}

	/// The store's file, for a chain whose folder is `folder`.
	pub fn path(&self, folder: &Path) -> PathBuf {
		self.path.clone().unwrap_or_else(|| folder.join(FILE_NAME))
	}

	/// Whether a password was given, and so servers are to be hosted.
	pub fn is_given(&self) -> bool {
		!matches!(self.password, PasswordSource::None)
	}

	/// The password, if one was given.
	pub fn password(&self) -> Result<Option<SecretString>, HostingError> {
		Ok(match &self.password {
			PasswordSource::Development => Some(DEVELOPMENT_PASSWORD.into()),
			PasswordSource::File(file) => Some(password::read(file)?),
			PasswordSource::None => None,
		})
	}
}

/// What the command line says of shares.
#[derive(Clone, Debug)]
pub struct ShareOptions {
	/// Of the store.
	pub store: StoreOptions,
	/// Of the listener.
	pub listener: ListenerConfig,
	/// Whether servers at private addresses are called, whatever the chain.
	pub private_endpoints: bool,
}

impl ShareOptions {
	/// As given; web pages of any origin may call the listener of a development chain.
	pub fn new(dev: bool, listener: &ListenerArgs, store: &StoreArgs) -> Self {
		let unless_given = if dev { Cors::All } else { Cors::default() };
		Self {
			store: StoreOptions::new(dev, store),
			listener: ListenerConfig {
				addr: listener.share_rpc_addr,
				cors: listener.share_rpc_cors.clone().unwrap_or(unless_given),
				max_connections: listener.share_rpc_max_connections,
				max_per_address: listener.share_rpc_max_per_address,
				trusted_proxies: listener.share_rpc_trusted_proxy.clone(),
			},
			private_endpoints: listener.share_private_endpoints,
		}
	}

	/// Which servers' endpoints this node calls on a chain of this type.
	pub fn reach(&self, chain: &ChainType) -> Reach {
		match chain {
			ChainType::Development | ChainType::Local => Reach::Anywhere,
			_ if self.private_endpoints => Reach::Anywhere,
			_ => Reach::Public,
		}
	}
}

/// The node that is to host servers.
pub struct Host<'a> {
	/// The chain's folder.
	pub folder: &'a Path,
	/// The chain.
	pub genesis: GenesisHash,
	/// The node's key store.
	pub keystore: &'a KeystorePtr,
	/// Servers of the development network that it hosts.
	pub well_known: &'a [DevelopmentServer],
	/// Whether its off-chain worker is switched off by hand.
	pub offchain_worker_is_off: bool,
}

/// An open share store and the servers in it, at least one.
pub struct OpenedStore {
	store: ShareStore,
	servers: BTreeMap<AccountId, Vec<EncryptionSecret>>,
}

/// Opens the share store and finds the servers that the node hosts; `None` if it hosts none.
pub fn open(options: &StoreOptions, host: &Host) -> Result<Option<OpenedStore>, HostingError> {
	let path = options.path(host.folder);
	let Some(password) = options.password()? else {
		if path.exists() {
			return Err(HostingError::NoPassword(path));
		}
		log::info!(
			target: LOG_TARGET,
			"This node hosts no server and takes no shares: there is no share store at {} and no \
			 --share-store-password-file",
			path.display(),
		);
		return Ok(None);
	};
	// Only a development network's server needs no store from before. Any other had one, and an
	// empty one in its place would hide that it is lost.
	let had_a_store = host.well_known.is_empty();
	if had_a_store && !path.exists() {
		return Err(HostingError::NoStore(path));
	}
	file_system::check(&path)?;
	let failed = |reason| HostingError::Store { path: path.clone(), reason };
	let store = if had_a_store {
		ShareStore::open_existing(&path, &password, host.genesis)
	} else {
		ShareStore::open(&path, &password, host.genesis)
	};
	let store = store.map_err(failed)?;
	for server in host.well_known {
		server_keys::adopt(server, &store, host.keystore)?;
	}
	let servers = store.servers().map_err(failed)?;
	if servers.is_empty() {
		log::warn!(
			target: LOG_TARGET,
			"This node hosts no server and takes no shares: there is none in the share store {}. `key \
			 generate-server` makes one while the node is stopped; if there should be one, move the \
			 store away and restore a backup",
			path.display(),
		);
		return Ok(None);
	}
	let (able, unable): (Vec<_>, Vec<_>) =
		servers.keys().cloned().partition(|server| server_keys::can_sign(server, host.keystore));
	for server in unable {
		let error = ServerKeyError::NoSigningKey(server);
		if able.is_empty() {
			return Err(error.into());
		}
		// Its shares are there for the server that is published in its place.
		log::error!(target: LOG_TARGET, "One of several servers confirms nothing: {error}");
	}
	if host.offchain_worker_is_off {
		return Err(HostingError::NoOffchainWorker);
	}
	Ok(Some(OpenedStore { store, servers }))
}

/// The intake at work, and the listener before it.
pub struct Shares {
	intake: Arc<Intake>,
	listener: Listener,
	reach: Reach,
}

impl Shares {
	/// Starts to take shares; those of other servers, which it calls at endpoints within `reach`, from when
	/// it is joined.
	pub async fn start(
		hosted: OpenedStore,
		listener: ListenerConfig,
		reach: Reach,
		chain: Arc<dyn ChainState>,
		metrics: Metrics,
	) -> Result<Self, HostingError> {
		for server in hosted.servers.keys() {
			log_hosted(server, chain.as_ref());
		}
		let keys = ServerKeys::new(hosted.servers);
		let intake = Intake::new(IntakeConfig::default(), chain, keys, hosted.store, metrics)
			.map_err(HostingError::Intake)?;
		let listener =
			listener::start(listener, api::module(intake.clone()), intake.health().clone()).await?;
		log::info!(
			target: LOG_TARGET,
			"Share listener open at http://{addr}",
			addr = listener.local_addr(),
		);
		Ok(Self { intake, listener, reach })
	}

	/// What the `keyshare_*` methods ask.
	pub fn intake(&self) -> &Arc<Intake> {
		&self.intake
	}

	/// Makes shares a part of the node: as long as it runs they are confirmed, and what is lacking is
	/// fetched; the listener stops with it. `imported` yields when a block has been imported,
	/// `finalized` when one has been finalized.
	pub fn join<Storage: OffchainStorage + Clone + 'static>(
		self,
		tasks: &mut TaskManager,
		keystore: KeystorePtr,
		offchain: Storage,
		imported: impl Stream<Item = ()> + Send + 'static,
		finalized: [impl Stream<Item = ()> + Send + Unpin + 'static; 2],
	) {
		let [for_feeder, for_sync] = finalized;
		let blocks = futures::stream::select(imported, for_feeder);
		let feeder = ConfirmationFeeder::new(&self.intake, offchain.clone(), blocks);
		let config = SyncConfig { reach: self.reach, ..SyncConfig::default() };
		let sync = Sync::new(config, self.intake.clone(), keystore, offchain, for_sync);
		let spawn = tasks.spawn_essential_handle();
		spawn.spawn("share-confirmations", Some("keyshare"), feeder.run());
		spawn.spawn("share-sync", Some("keyshare"), sync.run());
		let (health, metrics) = (self.intake.health().clone(), self.intake.metrics().clone());
		spawn.spawn("share-watch", Some("keyshare"), watch(health, metrics));
		tasks.keep_alive(self.listener);
	}
}

fn log_hosted(server: &AccountId, chain: &dyn ChainState) {
	match chain.subgroup_of(chain.best(), server) {
		Ok(Some(subgroup)) => {
			log::info!(target: LOG_TARGET, "Hosting server {server} of subgroup {subgroup}");
		}
		Ok(None) => log::info!(
			target: LOG_TARGET,
			"Hosting server {server}, which is not a member of any subgroup at the best block",
		),
		Err(reason) => {
			log::warn!(target: LOG_TARGET, "Hosting server {server}; its subgroup: {reason}");
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::{Args as _, FromArgMatches};
	use keyshare_primitives::development::SERVERS;
	use sc_keystore::LocalKeystore;
	use std::fs;
	use tempfile::TempDir;

	const GENESIS: GenesisHash = GenesisHash::repeat_byte(1);

	/// A node's folder.
	struct Node {
		folder: TempDir,
		keystore: KeystorePtr,
		offchain_worker_is_off: bool,
	}

	impl Node {
		fn new() -> Self {
			let folder = tempfile::tempdir().expect("a folder");
			let keys = folder.path().join("keys");
			let keystore = Arc::new(LocalKeystore::open(keys, None).expect("a key store"));
			Self { folder, keystore, offchain_worker_is_off: false }
		}

		fn open(
			&self,
			options: &StoreOptions,
			well_known: &[DevelopmentServer],
		) -> Result<Option<OpenedStore>, HostingError> {
			let host = Host {
				folder: self.folder.path(),
				genesis: GENESIS,
				keystore: &self.keystore,
				well_known,
				offchain_worker_is_off: self.offchain_worker_is_off,
			};
			open(options, &host)
		}

		fn with_password(&self, password: &str) -> StoreOptions {
			use std::os::unix::fs::PermissionsExt;
			let file = self.folder.path().join("password");
			fs::write(&file, password).expect("written");
			fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("permissions");
			let args = StoreArgs { share_store_password_file: Some(file), ..Default::default() };
			StoreOptions::new(false, &args)
		}

		fn store_path(&self) -> PathBuf {
			without_password().path(self.folder.path())
		}

		/// What `key generate-server` does.
		fn generate(&self, password: &str) -> AccountId {
			let store = ShareStore::open(&self.store_path(), &password.into(), GENESIS)
				.expect("a new store");
			server_keys::generate(&store, &self.keystore).expect("made").account
		}
	}

	fn without_password() -> StoreOptions {
		StoreOptions::new(false, &StoreArgs::default())
	}

	fn accounts(hosted: Option<OpenedStore>) -> Vec<AccountId> {
		hosted.expect("servers").servers.into_keys().collect()
	}

	#[test]
	fn without_store_and_password_a_node_hosts_nothing() {
		let node = Node::new();
		assert!(node.open(&without_password(), &SERVERS[..1]).expect("fine").is_none());
		assert!(!node.store_path().exists(), "nothing is made that nobody asked for");
	}

	#[test]
	fn a_node_whose_store_is_gone_or_cut_off_does_not_begin_with_an_empty_one() {
		let node = Node::new();
		let password = node.with_password("password");
		let refused = node.open(&password, &[]).err().expect("there is no store");
		assert!(refused.to_string().contains("share-store restore"), "{refused}");
		assert!(matches!(refused, HostingError::NoStore(path) if path == node.store_path()));
		assert!(!node.store_path().exists());

		// What a copy leaves that was killed before this was written under another name.
		fs::write(node.store_path(), "").expect("written");
		let refused = node.open(&password, &[]).err();
		let damaged =
			matches!(refused, Some(HostingError::Store { reason: StoreError::Damaged(_), .. }));
		assert!(damaged);
		assert_eq!(fs::read(node.store_path()).expect("readable"), b"", "it is left as it was");
		// It is asked for by name.
		let server = node.generate("password");
		assert_eq!(accounts(node.open(&password, &[]).expect("opens")), [server]);
	}

	#[test]
	fn a_store_needs_its_password() {
		let node = Node::new();
		let server = node.generate("right");
		let refused = node.open(&without_password(), &[]).err();
		assert!(
			matches!(refused, Some(HostingError::NoPassword(path)) if path == node.store_path())
		);
		let refused = node.open(&node.with_password("wrong\n"), &[]).err();
		let wrong =
			matches!(refused, Some(HostingError::Store { reason: StoreError::WrongPassword, .. }));
		assert!(wrong);
		let hosted = node.open(&node.with_password("right\n"), &[]).expect("opens");
		assert_eq!(accounts(hosted), [server]);
	}

	#[test]
	fn a_server_that_cannot_sign_is_not_hosted() {
		let mut node = Node::new();
		let server = node.generate("password");
		node.keystore = Arc::new(LocalKeystore::in_memory());
		let refused = node.open(&node.with_password("password"), &[]).err();
		let named = matches!(
			refused,
			Some(HostingError::ServerKeys(ServerKeyError::NoSigningKey(account))) if account == server
		);
		assert!(named);
	}

	#[test]
	fn after_a_lost_key_store_another_server_takes_its_place() {
		let mut node = Node::new();
		let lost = node.generate("password");
		node.keystore = Arc::new(LocalKeystore::in_memory());
		let new = node.generate("password");
		let hosted = accounts(node.open(&node.with_password("password"), &[]).expect("opens"));
		assert_eq!(hosted.len(), 2, "the shares of the lost one are there for the new one");
		assert!(hosted.contains(&lost) && hosted.contains(&new));
	}

	#[test]
	fn servers_are_not_hosted_where_nothing_would_confirm_their_shares() {
		let mut node = Node::new();
		node.offchain_worker_is_off = true;
		assert!(node.open(&without_password(), &[]).expect("nothing to confirm").is_none());
		let refused = node.open(&node.with_password("password"), &SERVERS[..1]).err();
		assert!(matches!(refused, Some(HostingError::NoOffchainWorker)));
	}

	#[test]
	fn the_development_chain_hosts_its_servers_without_a_password_file() {
		let node = Node::new();
		let dev = StoreOptions::new(true, &StoreArgs::default());
		let first = accounts(node.open(&dev, &SERVERS).expect("opens"));
		assert_eq!(first.len(), SERVERS.len());
		let again = accounts(node.open(&dev, &SERVERS).expect("opens"));
		assert_eq!(first, again);
	}

	#[test]
	fn a_well_known_server_is_hosted_beside_those_in_the_store() {
		let node = Node::new();
		let own = node.generate("password");
		let hosted =
			accounts(node.open(&node.with_password("password"), &SERVERS[..1]).expect("opens"));
		assert_eq!(hosted.len(), 2);
		assert!(hosted.contains(&own));
	}

	#[test]
	fn who_finds_the_port_taken_is_told_the_option_that_names_another() {
		let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
		let config = ListenerConfig::at(taken.local_addr().expect("bound"));
		let starting = listener::start(config, jsonrpsee::RpcModule::new(()), Arc::default());
		let runtime = tokio::runtime::Runtime::new().expect("threads");
		let error = runtime.block_on(starting).expect_err("it is taken");
		let text = HostingError::from(error).to_string();
		assert!(text.ends_with("--share-rpc-addr"), "{text}");
	}

	#[test]
	fn private_endpoints_are_called_on_chains_of_one_machine_or_by_name() {
		let cli = |arguments: &str| {
			let command = ListenerArgs::augment_args(clap::Command::new("node"));
			let matches = command.get_matches_from(arguments.split_whitespace());
			let args = ListenerArgs::from_arg_matches(&matches).expect("well formed");
			ShareOptions::new(false, &args, &StoreArgs::default())
		};
		let unless_named = cli("node");
		assert_eq!(unless_named.reach(&ChainType::Development), Reach::Anywhere);
		assert_eq!(unless_named.reach(&ChainType::Local), Reach::Anywhere);
		assert_eq!(unless_named.reach(&ChainType::Live), Reach::Public);
		assert_eq!(unless_named.reach(&ChainType::Custom("a".into())), Reach::Public);
		let named = cli("node --share-private-endpoints");
		assert_eq!(named.reach(&ChainType::Live), Reach::Anywhere);
	}

	#[test]
	fn only_the_development_chain_is_open_to_every_web_page() {
		let mut args = ListenerArgs {
			share_rpc_addr: ([127, 0, 0, 1], 0).into(),
			share_rpc_cors: None,
			share_rpc_max_connections: 7,
			share_rpc_max_per_address: 3,
			share_rpc_trusted_proxy: Vec::new(),
			share_private_endpoints: false,
		};
		let cors = |dev, args: &ListenerArgs| {
			ShareOptions::new(dev, args, &StoreArgs::default()).listener.cors
		};
		assert_eq!(cors(true, &args), Cors::All);
		assert_eq!(cors(false, &args), Cors::default());
		args.share_rpc_cors = Some(Cors::default());
		assert_eq!(cors(true, &args), Cors::default(), "what is given counts");
	}
}
