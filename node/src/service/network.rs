//! Any chain of several processes: Aura makes blocks, GRANDPA finalizes them.

use super::{BoxError, Network, Networking, Options, Parts, Proposer};
use crate::{
	error::Error,
	types::{Backend, Block, Client, Pool, SelectChain},
};
use keyshare_runtime::Hash;
use sc_consensus::DefaultImportQueue;
use sc_consensus_aura::{ImportQueueParams, InherentDataProvider, SlotProportion, StartAuraParams};
use sc_consensus_grandpa::{
	warp_proof::NetworkProvider, GrandpaBlockImport, GrandpaParams, LinkHalf, SharedVoterState,
	VotingRulesBuilder,
};
use sc_network::{
	config::{FullNetworkConfiguration, ProtocolName},
	service::traits::NotificationService,
	NetworkBackend,
};
use sc_service::{Configuration, Role, TaskManager, WarpSyncConfig};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_blockchain::HeaderBackend;
use sp_consensus_aura::{sr25519::AuthorityPair, SlotDuration};
use std::{sync::Arc, time::Duration};
use substrate_prometheus_endpoint::Registry;

/// Blocks between two kept proofs of finality.
const JUSTIFICATION_PERIOD: u32 = 512;

/// Time a vote is expected to need to reach the network: a third of a second, so that a round is
/// over well within a slot of two seconds.
const GOSSIP_DURATION: Duration = Duration::from_millis(333);

/// The part of a slot in which a block is made; the rest is for its way to the others.
const PROPOSAL_PORTION: f32 = 2.0 / 3.0;

type BlockImport = GrandpaBlockImport<Backend, Block, Client, SelectChain>;
type Voter = LinkHalf<Block, Client, SelectChain>;

/// How blocks come into the chain and become final.
pub struct Consensus {
	/// What checks blocks from others.
	pub import_queue: DefaultImportQueue<Block>,
	block_import: BlockImport,
	voter: Voter,
	slot_duration: SlotDuration,
}

impl Consensus {
	/// Over a node's parts.
	pub fn new(parts: &Parts, config: &Configuration) -> Result<Self, sc_service::Error> {
		let (block_import, voter) = sc_consensus_grandpa::block_import(
			parts.client.clone(),
			JUSTIFICATION_PERIOD,
			&parts.client,
			parts.select_chain.clone(),
			parts.telemetry(),
		)?;
		let slot_duration = sc_consensus_aura::slot_duration(&*parts.client)?;
		let import_queue =
			sc_consensus_aura::import_queue::<AuthorityPair, _, _, _, _, _>(ImportQueueParams {
				block_import: block_import.clone(),
				justification_import: Some(Box::new(block_import.clone())),
				client: parts.client.clone(),
				create_inherent_data_providers: move |_, ()| inherents(slot_duration),
				spawner: &parts.tasks.spawn_essential_handle(),
				registry: config.prometheus_registry(),
				check_for_equivocation: Default::default(),
				telemetry: parts.telemetry(),
				compatibility_mode: Default::default(),
			})?;
		Ok(Self { import_queue, block_import, voter, slot_duration })
	}
}

/// Starts the node.
pub async fn start<N: NetworkBackend<Block, Hash>>(
	config: Configuration,
	options: Options,
) -> Result<TaskManager, Error> {
	let mut parts = Parts::new(&config)?;
	let shares = parts.start_shares(&config, &options).await?;
	let pool = parts.pool(&config);
	let Consensus { import_queue, block_import, voter, slot_duration } =
		Consensus::new(&parts, &config)?;
	let (networking, votes) = networking::<N>(&parts, &config, &voter, import_queue);
	let part = Part {
		role: config.role,
		name: config.network.node_name.clone(),
		force_authoring: config.force_authoring,
		registry: config.prometheus_registry().cloned(),
	};
	let (proposer, is_voting) = (parts.proposer(&config, &pool), !config.disable_grandpa);
	let network = parts.spawn(config, &pool, networking, shares)?;
	if part.role.is_authority() {
		part.spawn_author(&parts, &network, proposer, block_import, slot_duration)?;
	}
	if is_voting {
		part.spawn_voter(&parts, &network, &pool, voter, votes)?;
	}
	Ok(parts.tasks)
}

/// The channel that GRANDPA's votes go over.
struct Votes {
	protocol: ProtocolName,
	notifications: Box<dyn NotificationService>,
}

fn networking<N: NetworkBackend<Block, Hash>>(
	parts: &Parts,
	config: &Configuration,
	voter: &Voter,
	import_queue: DefaultImportQueue<Block>,
) -> (Networking<N>, Votes) {
	let registry = config.prometheus_registry();
	let metrics = N::register_notification_metrics(registry);
	let mut full = FullNetworkConfiguration::<_, _, N>::new(&config.network, registry.cloned());
	let genesis = parts.client.info().genesis_hash;
	let protocol = sc_consensus_grandpa::protocol_standard_name(&genesis, &config.chain_spec);
	let (votes, notifications) = sc_consensus_grandpa::grandpa_peers_set_config::<_, N>(
		protocol.clone(),
		metrics.clone(),
		full.peer_store_handle(),
	);
	full.add_notification_protocol(votes);
	let warp_sync = NetworkProvider::new(
		parts.backend.clone(),
		voter.shared_authority_set().clone(),
		Vec::new(),
	);
	let networking = Networking {
		config: full,
		metrics,
		import_queue,
		warp_sync: Some(WarpSyncConfig::WithProvider(Arc::new(warp_sync))),
	};
	(networking, Votes { protocol, notifications })
}

async fn inherents(
	slot_duration: SlotDuration,
) -> Result<(InherentDataProvider, sp_timestamp::InherentDataProvider), BoxError> {
	let timestamp = sp_timestamp::InherentDataProvider::from_system_time();
	let slot = InherentDataProvider::from_timestamp_and_slot_duration(*timestamp, slot_duration);
	Ok((slot, timestamp))
}

/// What part the node takes in making blocks and finalizing them.
struct Part {
	role: Role,
	name: String,
	force_authoring: bool,
	registry: Option<Registry>,
}

impl Part {
	fn spawn_author(
		&self,
		parts: &Parts,
		network: &Network,
		proposer: Proposer,
		block_import: BlockImport,
		slot_duration: SlotDuration,
	) -> Result<(), sc_service::Error> {
		let author = sc_consensus_aura::start_aura::<AuthorityPair, _, _, _, _, _, _, _, _, _, _>(
			StartAuraParams {
				slot_duration,
				client: parts.client.clone(),
				select_chain: parts.select_chain.clone(),
				block_import,
				proposer_factory: proposer,
				sync_oracle: network.sync.clone(),
				justification_sync_link: network.sync.clone(),
				create_inherent_data_providers: move |_, ()| inherents(slot_duration),
				force_authoring: self.force_authoring,
				backoff_authoring_blocks: None::<()>,
				keystore: parts.keystore.clone(),
				block_proposal_slot_portion: SlotProportion::new(PROPOSAL_PORTION),
				max_block_proposal_slot_portion: None,
				telemetry: parts.telemetry(),
				compatibility_mode: Default::default(),
			},
		)?;
		let spawner = parts.tasks.spawn_essential_handle();
		spawner.spawn_blocking("aura", Some("block-authoring"), author);
		Ok(())
	}

	/// Starts GRANDPA's voter, which only follows the others' votes if the node is no authority.
	fn spawn_voter(
		self,
		parts: &Parts,
		network: &Network,
		pool: &Arc<Pool>,
		voter: Voter,
		votes: Votes,
	) -> Result<(), sc_service::Error> {
		let voter = sc_consensus_grandpa::run_grandpa_voter(GrandpaParams {
			config: sc_consensus_grandpa::Config {
				gossip_duration: GOSSIP_DURATION,
				justification_generation_period: JUSTIFICATION_PERIOD,
				observer_enabled: false,
				local_role: self.role,
				name: Some(self.name),
				keystore: self.role.is_authority().then(|| parts.keystore.clone()),
				telemetry: parts.telemetry(),
				protocol_name: votes.protocol,
			},
			link: voter,
			network: network.service.clone(),
			sync: network.sync.clone(),
			notification_service: votes.notifications,
			voting_rule: VotingRulesBuilder::default().build(),
			prometheus_registry: self.registry,
			shared_voter_state: SharedVoterState::empty(),
			telemetry: parts.telemetry(),
			offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(pool.clone()),
		})?;
		let spawner = parts.tasks.spawn_essential_handle();
		spawner.spawn_blocking("grandpa-voter", None, voter);
		Ok(())
	}
}
