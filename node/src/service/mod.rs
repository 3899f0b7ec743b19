//! A node's parts, and what a development node and a network's node have in common.
//!
//! | module | what it holds |
//! |---|---|
//! | [`dev`] | a development chain: one process seals and finalizes blocks by the clock |
//! | [`network`] | any other chain: Aura and GRANDPA over several processes |
//! | [`keys`] | whether what the node signs with is in its key store |

mod dev;
mod keys;
mod network;

use crate::{
	error::{service_error, Error},
	key_store, rpc,
	shares::{self, Host, HostingError, ShareOptions, Shares},
	types::{Backend, Block, Client, Executor, Pool, SelectChain},
};
use futures::{future::BoxFuture, StreamExt};
use keys::Keys;
use keyshare_primitives::{
	development::{DevelopmentServer, SERVERS},
	GenesisHash,
};
use keyshare_rpc::{chain::ClientChain, metrics::Metrics};
use keyshare_runtime::{apis::RuntimeApi, BlockNumber, Hash};
use sc_client_api::{Backend as _, BlockchainEvents};
use sc_consensus::{DefaultImportQueue, LongestChain};
use sc_network::{
	config::{FullNetworkConfiguration, NetworkBackendType},
	service::{traits::NetworkService, NotificationMetrics},
	Litep2pNetworkBackend, NetworkBackend, NetworkWorker,
};
use sc_network_sync::SyncingService;
use sc_offchain::{OffchainWorkerOptions, OffchainWorkers};
use sc_service::{
	BuildGenesisBlock, BuildNetworkParams, ChainSpec, ChainType, Configuration,
	GenesisBlockBuilder, SpawnEssentialTaskHandle, SpawnTasksParams, TaskManager, WarpSyncConfig,
};
use sc_telemetry::{Telemetry, TelemetryHandle, TelemetryWorker};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_blockchain::HeaderBackend;
use sp_consensus::SyncOracle;
use sp_core::traits::SpawnEssentialNamed;
use sp_keystore::KeystorePtr;
use sp_runtime::traits::Block as _;
use std::{sync::Arc, time::Duration};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Messages to telemetry that may wait.
const TELEMETRY_BUFFER: usize = 16;

/// What the command line says beside the SDK's own [`Configuration`].
#[derive(Clone, Debug)]
pub struct Options {
	/// Whether a development chain is meant.
	pub dev: bool,
	/// Time between two blocks of a development chain, if given.
	pub block_time: Option<Duration>,
	/// The well-known validator this node is, as by `--alice`.
	pub validator_name: Option<String>,
	/// Whether the off-chain worker is switched off by hand.
	pub offchain_worker_is_off: bool,
	/// Shares.
	pub shares: ShareOptions,
}

/// Starts a node on the chain of `config`.
pub async fn start(config: Configuration, options: Options) -> Result<TaskManager, Error> {
	let claim = key_store::claim(&config.keystore)?;
	let mut tasks = match config.network.network_backend {
		NetworkBackendType::Libp2p => start_over::<NetworkWorker<_, _>>(config, options).await?,
		NetworkBackendType::Litep2p => start_over::<Litep2pNetworkBackend>(config, options).await?,
	};
	tasks.keep_alive(claim);
	Ok(tasks)
}

async fn start_over<N: NetworkBackend<Block, Hash>>(
	config: Configuration,
	options: Options,
) -> Result<TaskManager, Error> {
	match kind(config.chain_spec.as_ref(), options.dev)? {
		Kind::Development => dev::start::<N>(config, options).await,
		Kind::Network => network::start::<N>(config, options).await,
	}
}

/// How a chain is run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
	/// By one process.
	Development,
	/// By several.
	Network,
}

/// How the chain is run, if that is what the command line means: `dev` must be given for exactly
/// the chains of that type, because their keys are public.
fn kind(spec: &dyn ChainSpec, dev: bool) -> Result<Kind, Error> {
	let chain = || spec.name().into();
	match (is_development(spec), dev) {
		(true, true) => Ok(Kind::Development),
		(false, false) => Ok(Kind::Network),
		(true, false) => Err(Error::NeedsDev { chain: chain() }),
		(false, true) => Err(Error::NotForDev { chain: chain() }),
	}
}

fn is_development(spec: &dyn ChainSpec) -> bool {
	spec.chain_type() == ChainType::Development
}

/// The servers of the development network that a node hosts: all on a development chain, its own
/// for a well-known validator of a local one, and none on any other chain.
fn well_known_servers(
	chain_type: &ChainType,
	validator_name: Option<&str>,
) -> Vec<DevelopmentServer> {
	match chain_type {
		ChainType::Development => SERVERS.to_vec(),
		ChainType::Local => {
			SERVERS.into_iter().filter(|server| Some(server.name) == validator_name).collect()
		}
		_ => Vec::new(),
	}
}

/// The hash of the genesis block of a chain whose database need not be there.
pub fn genesis_hash(spec: &dyn ChainSpec) -> Result<GenesisHash, Error> {
	let backend = Arc::new(sc_client_api::in_mem::Backend::<Block>::new());
	let executor = Executor::builder().build();
	let builder = GenesisBlockBuilder::new(spec.as_storage_builder(), true, backend, executor)
		.map_err(sc_service::Error::from)?;
	let (block, _): (Block, _) = builder.build_genesis_block().map_err(sc_service::Error::from)?;
	Ok(block.header().hash())
}

/// The parts of every node.
struct Parts {
	client: Arc<Client>,
	backend: Arc<Backend>,
	keystore: KeystorePtr,
	tasks: TaskManager,
	select_chain: SelectChain,
	telemetry: Option<Telemetry>,
}

impl Parts {
	fn new(config: &Configuration) -> Result<Self, sc_service::Error> {
		let worker = match &config.telemetry_endpoints {
			Some(endpoints) if !endpoints.is_empty() => {
				let worker = TelemetryWorker::new(TELEMETRY_BUFFER)?;
				Some((worker.handle().new_telemetry(endpoints.clone()), worker))
			}
			_ => None,
		};
		let (client, backend, keystore, tasks) = sc_service::new_full_parts::<Block, RuntimeApi, _>(
			config,
			worker.as_ref().map(|(telemetry, _)| telemetry.handle()),
			sc_service::new_wasm_executor(&config.executor),
			Vec::new(),
		)?;
		let telemetry = worker.map(|(telemetry, worker)| {
			tasks.spawn_handle().spawn("telemetry", None, worker.run());
			telemetry
		});
		Ok(Self {
			client: Arc::new(client),
			select_chain: LongestChain::new(backend.clone()),
			keystore: keystore.keystore(),
			backend,
			tasks,
			telemetry,
		})
	}

	fn pool(&self, config: &Configuration) -> Arc<Pool> {
		let pool = sc_transaction_pool::Builder::new(
			PoolTasks(self.tasks.spawn_essential_handle()),
			self.client.clone(),
			config.role.is_authority().into(),
		)
		.with_options(config.transaction_pool.clone())
		.with_prometheus(config.prometheus_registry());
		Arc::new(pool.build())
	}

	fn telemetry(&self) -> Option<TelemetryHandle> {
		self.telemetry.as_ref().map(Telemetry::handle)
	}

	/// Opens the share store and, if the node hosts servers, the share listener.
	async fn start_shares(
		&self,
		config: &Configuration,
		options: &Options,
	) -> Result<Option<Shares>, Error> {
		let chain_type = config.chain_spec.chain_type();
		let host = Host {
			folder: &config.data_path,
			genesis: self.client.info().genesis_hash,
			keystore: &self.keystore,
			well_known: &well_known_servers(&chain_type, options.validator_name.as_deref()),
			offchain_worker_is_off: options.offchain_worker_is_off,
		};
		let Some(hosted) = shares::open(&options.shares.store, &host)? else { return Ok(None) };
		let chain = ClientChain::<Client, Block, Backend>::new(self.client.clone());
		let listener = options.shares.listener.clone();
		let metrics = Metrics::new(config.prometheus_registry()).map_err(service_error)?;
		let reach = options.shares.reach(&chain_type);
		Ok(Some(Shares::start(hosted, listener, reach, Arc::new(chain), metrics).await?))
	}

	/// What makes a block's content.
	fn proposer(&self, config: &Configuration, pool: &Arc<Pool>) -> Proposer {
		Proposer::new(
			self.tasks.spawn_handle(),
			self.client.clone(),
			pool.clone(),
			config.prometheus_registry(),
			self.telemetry(),
		)
	}

	/// Starts all that a node does whether it makes blocks or not.
	fn spawn<N: NetworkBackend<Block, Hash>>(
		&mut self,
		config: Configuration,
		pool: &Arc<Pool>,
		networking: Networking<N>,
		shares: Option<Shares>,
	) -> Result<Network, Error> {
		let (service, system_rpc_tx, tx_handler_controller, sync, _) =
			sc_service::build_network(BuildNetworkParams {
				config: &config,
				net_config: networking.config,
				client: self.client.clone(),
				transaction_pool: pool.clone(),
				spawn_handle: self.tasks.spawn_handle(),
				spawn_essential_handle: self.tasks.spawn_essential_handle(),
				import_queue: networking.import_queue,
				block_announce_validator_builder: None,
				warp_sync_config: networking.warp_sync,
				block_relay: None,
				metrics: networking.metrics,
				gap_sync_body_policy: None,
			})?;
		let network = Network { service, sync };
		let should_have_peers = !is_development(config.chain_spec.as_ref());
		let makes_blocks = config.role.is_authority();
		// Whoever hosts servers has to confirm what they hold, whatever its role in the network.
		if config.offchain_worker.enabled || shares.is_some() {
			self.spawn_offchain_workers(&config, pool, &network)?;
		}
		let sources = rpc::Sources {
			client: self.client.clone(),
			pool: pool.clone(),
			intake: shares.as_ref().map(|shares| shares.intake().clone()),
			keystore: self.keystore.clone(),
		};
		sc_service::spawn_tasks(SpawnTasksParams {
			config,
			client: self.client.clone(),
			backend: self.backend.clone(),
			task_manager: &mut self.tasks,
			keystore: self.keystore.clone(),
			transaction_pool: pool.clone(),
			rpc_builder: Box::new(move |_| rpc::module(sources.clone()).map_err(service_error)),
			network: network.service.clone(),
			system_rpc_tx,
			tx_handler_controller,
			sync_service: network.sync.clone(),
			telemetry: self.telemetry.as_mut(),
			tracing_execute_block: None,
		})?;
		if let Some(shares) = shares {
			let (health, sync) = (shares.intake().health(), network.sync.clone());
			health.follow(move || sync.is_major_syncing());
			if should_have_peers {
				let (client, sync) = (self.client.clone(), network.sync.clone());
				health.needs_network(move || {
					cut_off(sync.num_connected_peers(), client.info().finalized_number)
				});
				let servers = shares.intake().servers().clone();
				let keys =
					Keys::new(self.client.clone(), self.keystore.clone(), servers, makes_blocks);
				health.ask(move || keys.missing());
			}
			let offchain =
				self.backend.offchain_storage().ok_or(HostingError::NoOffchainStorage)?;
			let imported = self.client.import_notification_stream().map(drop);
			let finalized = || self.client.finality_notification_stream().map(drop);
			let finalized = [finalized(), finalized()];
			shares.join(&mut self.tasks, self.keystore.clone(), offchain, imported, finalized);
		}
		Ok(network)
	}

	fn spawn_offchain_workers(
		&self,
		config: &Configuration,
		pool: &Arc<Pool>,
		network: &Network,
	) -> Result<(), sc_service::Error> {
		let transactions = OffchainTransactionPoolFactory::new(pool.clone());
		let workers = OffchainWorkers::new(OffchainWorkerOptions {
			runtime_api_provider: self.client.clone(),
			keystore: Some(self.keystore.clone()),
			offchain_db: self.backend.offchain_storage(),
			transaction_pool: Some(transactions),
			network_provider: Arc::new(network.service.clone()),
			is_validator: config.role.is_authority(),
			enable_http_requests: false,
			custom_extensions: |_| Vec::new(),
		})?;
		self.tasks.spawn_handle().spawn(
			"offchain-workers",
			Some("offchain-worker"),
			workers.run(self.client.clone(), self.tasks.spawn_handle()),
		);
		Ok(())
	}
}

/// Why a node is cut off from its network, if it is.
fn cut_off(peers: usize, finalized: BlockNumber) -> Vec<&'static str> {
	let no_peers = (peers == 0).then_some("the node has no peers");
	let no_block = (finalized == 0).then_some("the node has no final block but the genesis yet");
	no_peers.into_iter().chain(no_block).collect()
}

/// Starts the tasks of the pool. They end when nobody has the pool any more, so when the node stops; and the
/// one that blocks its thread sees that before the signal to stop, and would be said to have failed.
#[derive(Clone)]
struct PoolTasks(SpawnEssentialTaskHandle);

impl PoolTasks {
	/// Lets the signal to stop, if there was one, be seen before the end of the task.
	async fn after_signal(task: BoxFuture<'static, ()>) {
		task.await;
		tokio::task::yield_now().await;
	}
}

impl SpawnEssentialNamed for PoolTasks {
	fn spawn_essential_blocking(
		&self,
		name: &'static str,
		group: Option<&'static str>,
		task: BoxFuture<'static, ()>,
	) {
		self.0.spawn_blocking(name, group, Self::after_signal(task));
	}

	fn spawn_essential(
		&self,
		name: &'static str,
		group: Option<&'static str>,
		task: BoxFuture<'static, ()>,
	) {
		self.0.spawn(name, group, Self::after_signal(task));
	}
}

/// What makes a block's content.
type Proposer = sc_basic_authorship::ProposerFactory<Pool, Client>;

/// How a node is to join its network.
struct Networking<N: NetworkBackend<Block, Hash>> {
	config: FullNetworkConfiguration<Block, Hash, N>,
	metrics: NotificationMetrics,
	import_queue: DefaultImportQueue<Block>,
	warp_sync: Option<WarpSyncConfig<Block>>,
}

/// The network as a node sees it.
struct Network {
	service: Arc<dyn NetworkService>,
	sync: Arc<SyncingService<Block>>,
}

/// What the commands on the chain's blocks work with.
pub struct ChainOps {
	/// The chain.
	pub client: Arc<Client>,
	/// Its database.
	pub backend: Arc<Backend>,
	/// What checks blocks and takes them in.
	pub import_queue: DefaultImportQueue<Block>,
	/// Whose drop ends them.
	pub task_manager: TaskManager,
}

impl ChainOps {
	/// For the chain of `config`.
	pub fn new(config: &Configuration) -> Result<Self, Error> {
		let parts = Parts::new(config)?;
		let import_queue = if is_development(config.chain_spec.as_ref()) {
			dev::import_queue(&parts, config)
		} else {
			network::Consensus::new(&parts, config)?.import_queue
		};
		let Parts { client, backend, tasks, .. } = parts;
		Ok(Self { client, backend, import_queue, task_manager: tasks })
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use substrate_prometheus_endpoint::Registry;

	#[test]
	fn development_chains_are_run_with_dev_and_no_others() {
		let spec = |chain_type| {
			crate::chain_spec::ChainSpec::builder(b"code", None).with_chain_type(chain_type).build()
		};
		let development = spec(ChainType::Development);
		assert!(matches!(kind(&development, true), Ok(Kind::Development)));
		assert!(matches!(kind(&development, false), Err(Error::NeedsDev { .. })));
		for chain_type in [ChainType::Local, ChainType::Live] {
			let other = spec(chain_type);
			assert!(matches!(kind(&other, false), Ok(Kind::Network)));
			assert!(matches!(kind(&other, true), Err(Error::NotForDev { .. })));
		}
	}

	#[test]
	fn a_node_without_peers_or_final_blocks_says_that_it_is_cut_off() {
		assert!(cut_off(1, 1).is_empty());
		assert_eq!(cut_off(0, 7), ["the node has no peers"]);
		assert_eq!(cut_off(3, 0), ["the node has no final block but the genesis yet"]);
		assert_eq!(cut_off(0, 0).len(), 2);
	}

	/// How often a task of this name has ended for this reason.
	fn ended(registry: &Registry, reason: &str) -> f64 {
		let families = registry.gather();
		let family = families.iter().find(|family| family.get_name().contains("tasks_ended"));
		let metrics = family.map(|family| family.get_metric()).unwrap_or_default();
		let of_reason = metrics
			.iter()
			.filter(|metric| metric.get_label().iter().any(|label| label.get_value() == reason));
		of_reason.map(|metric| metric.get_counter().get_value()).sum()
	}

	#[test]
	fn a_pool_that_goes_when_the_node_stops_is_not_said_to_have_failed() {
		let runtime = tokio::runtime::Runtime::new().expect("threads");
		let registry = Registry::new();
		let tasks = TaskManager::new(runtime.handle().clone(), Some(&registry)).expect("metrics");
		let (begun, begins) = std::sync::mpsc::channel();
		let (pool, last_user) = std::sync::mpsc::channel::<()>();
		// As the pool does it: the thread is blocked until the pool is dropped.
		let task = Box::pin(async move {
			begun.send(()).expect("the test waits");
			last_user.recv().expect_err("nothing is ever sent");
		});
		PoolTasks(tasks.spawn_essential_handle()).spawn_essential_blocking("pool", None, task);
		begins.recv().expect("it has begun");
		drop(tasks);
		drop(pool);
		runtime.shutdown_timeout(Duration::from_secs(60));
		assert_eq!(ended(&registry, "finished"), 0.0);
		assert_eq!(ended(&registry, "interrupted"), 1.0);
	}

	#[test]
	fn a_pool_that_fails_while_the_node_runs_ends_it() {
		let runtime = tokio::runtime::Runtime::new().expect("threads");
		let mut tasks = TaskManager::new(runtime.handle().clone(), None).expect("no metrics");
		let pool = PoolTasks(tasks.spawn_essential_handle());
		pool.spawn_essential("pool", None, Box::pin(async {}));
		assert!(runtime.block_on(tasks.future()).is_err());
	}

	fn names(chain_type: ChainType, validator: Option<&str>) -> Vec<&'static str> {
		let servers = well_known_servers(&chain_type, validator);
		servers.into_iter().map(|server| server.name).collect()
	}

	#[test]
	fn well_known_servers_are_for_development_and_local_chains_only() {
		assert_eq!(names(ChainType::Development, None), ["Alice", "Bob", "Charlie"]);
		assert_eq!(names(ChainType::Local, Some("Bob")), ["Bob"]);
		assert!(names(ChainType::Local, None).is_empty());
		assert!(names(ChainType::Local, Some("Dave")).is_empty());
		for chain_type in [ChainType::Live, ChainType::Custom("Staging".into())] {
			assert!(names(chain_type, Some("Bob")).is_empty());
		}
	}
}
