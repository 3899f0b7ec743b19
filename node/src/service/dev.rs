//! A development chain: one process is the whole network. It seals a block by the clock and
//! finalizes it a moment later, because GRANDPA votes with one key a process. The moment is for those who
//! watch what they have sent: it is in a block before it is final, as on any other chain. The blocks carry Aura's
//! digests and timestamps, so the runtime is the same as on any other chain.

use super::{BoxError, Networking, Options, Parts, Proposer};
use crate::{
	error::Error,
	types::{Block, Client, Pool, SelectChain},
	LOG_TARGET,
};
use futures::channel::oneshot;
use keyshare_runtime::{Hash, SLOT_DURATION};
use sc_client_api::Finalizer;
use sc_consensus::DefaultImportQueue;
use sc_consensus_manual_seal::{
	consensus::aura::AuraConsensusDataProvider, seal_block, SealBlockParams,
};
use sc_network::{
	config::{FullNetworkConfiguration, NetworkConfiguration, NonReservedPeerMode, SetConfig},
	NetworkBackend,
};
use sc_service::{Configuration, TaskManager};
use sp_consensus_aura::{sr25519::AuthoritySignature, Slot, SlotDuration};
use sp_timestamp::{InherentDataProvider, Timestamp};
use std::{sync::Arc, time::Duration};
use tokio::time::{interval, sleep, MissedTickBehavior};

/// Time between two blocks unless told otherwise.
const BLOCK_TIME: Duration = Duration::from_millis(SLOT_DURATION);

/// From a block to its being final.
fn finality_delay(block_time: Duration) -> Duration {
	(block_time / 4).min(Duration::from_millis(250))
}

/// Starts the node.
pub async fn start<N: NetworkBackend<Block, Hash>>(
	mut config: Configuration,
	options: Options,
) -> Result<TaskManager, Error> {
	keep_to_itself(&mut config.network);
	let mut parts = Parts::new(&config)?;
	let shares = parts.start_shares(&config, &options).await?;
	let pool = parts.pool(&config);
	let registry = config.prometheus_registry();
	let networking = Networking::<N> {
		config: FullNetworkConfiguration::new(&config.network, registry.cloned()),
		metrics: N::register_notification_metrics(registry),
		import_queue: import_queue(&parts, &config),
		warp_sync: None,
	};
	let sealer = Sealer {
		slot_duration: sc_consensus_aura::slot_duration(&*parts.client)
			.map_err(sc_service::Error::from)?,
		proposer: parts.proposer(&config, &pool),
		client: parts.client.clone(),
		pool: pool.clone(),
		select_chain: parts.select_chain.clone(),
	};
	parts.spawn(config, &pool, networking, shares)?;
	let block_time = options.block_time.unwrap_or(BLOCK_TIME);
	log::info!(
		target: LOG_TARGET,
		"Development chain: a block every {} ms, final {} ms later",
		block_time.as_millis(),
		finality_delay(block_time).as_millis(),
	);
	parts.tasks.spawn_essential_handle().spawn_blocking(
		"seal-blocks",
		Some("block-authoring"),
		sealer.run(block_time),
	);
	Ok(parts.tasks)
}

/// What checks blocks that come from elsewhere, as by `import-blocks`: nothing is to check but
/// what the runtime does, for anybody may make a block.
pub fn import_queue(parts: &Parts, config: &Configuration) -> DefaultImportQueue<Block> {
	sc_consensus_manual_seal::import_queue(
		Box::new(parts.client.clone()),
		&parts.tasks.spawn_essential_handle(),
		config.prometheus_registry(),
	)
}

/// A development chain has one node. Another on the machine is another chain, though both have
/// the same genesis.
fn keep_to_itself(network: &mut NetworkConfiguration) {
	network.listen_addresses.clear();
	network.boot_nodes.clear();
	network.enable_dht_random_walk = false;
	network.default_peers_set = SetConfig {
		in_peers: 0,
		out_peers: 0,
		reserved_nodes: Vec::new(),
		non_reserved_mode: NonReservedPeerMode::Deny,
	};
}

/// Seals blocks by the clock.
struct Sealer {
	client: Arc<Client>,
	pool: Arc<Pool>,
	select_chain: SelectChain,
	proposer: Proposer,
	slot_duration: SlotDuration,
}

impl Sealer {
	async fn run(self, block_time: Duration) {
		let Self { client, pool, select_chain, mut proposer, slot_duration } = self;
		let digests = AuraConsensusDataProvider::<Block>::new_with_slot_duration(slot_duration);
		let source = client.clone();
		let inherents = move |parent, ()| inherents(source.clone(), parent, slot_duration);
		let mut block_import = client.clone();
		let mut ticks = interval(block_time);
		ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
		loop {
			ticks.tick().await;
			let (sender, sealed) = oneshot::channel();
			seal_block(SealBlockParams {
				create_empty: true,
				finalize: false,
				parent_hash: None,
				// Without one, every block is logged as a success.
				sender: Some(sender),
				pool: pool.clone(),
				client: client.clone(),
				env: &mut proposer,
				select_chain: &select_chain,
				consensus_data_provider: Some(&digests),
				block_import: &mut block_import,
				create_inherent_data_providers: &inherents,
			})
			.await;
			match sealed.await {
				Ok(Ok(block)) => {
					sleep(finality_delay(block_time)).await;
					if let Err(reason) = client.finalize_block(block.hash, None, true) {
						log::error!(target: LOG_TARGET, "A block is not final: {reason}");
					}
				}
				Ok(Err(reason)) => {
					log::error!(target: LOG_TARGET, "No block was sealed: {reason}");
				}
				// The node stops.
				Err(_) => (),
			}
		}
	}
}

/// The timestamp of a block on `parent`: the beginning of the block's slot.
async fn inherents(
	client: Arc<Client>,
	parent: Hash,
	slot_duration: SlotDuration,
) -> Result<InherentDataProvider, BoxError> {
	let parent = client.header(parent)?.ok_or("the parent block is gone")?;
	let parent_slot = sc_consensus_aura::find_pre_digest::<Block, AuthoritySignature>(&parent)?;
	let slot = next_slot(Timestamp::current(), parent_slot, slot_duration);
	let timestamp = slot.timestamp(slot_duration).ok_or("the time is out of range")?;
	Ok(InherentDataProvider::new(timestamp))
}

/// The slot of the time, unless the parent has it already: Aura wants one block a slot at most,
/// so a chain that is sealed faster than that runs ahead of the clock.
fn next_slot(now: Timestamp, parent: Slot, slot_duration: SlotDuration) -> Slot {
	Slot::from_timestamp(now, slot_duration).max(parent.saturating_add(1u64))
}

#[cfg(test)]
mod tests {
	use super::*;

	const SLOT: SlotDuration = SlotDuration::from_millis(SLOT_DURATION);

	#[test]
	fn slots_follow_the_clock_and_are_never_used_twice() {
		let now = Timestamp::new(10 * SLOT_DURATION + 1);
		for (parent, next) in [(0, 10), (9, 10), (10, 11), (20, 21)] {
			assert_eq!(next_slot(now, Slot::from(parent), SLOT), Slot::from(next));
		}
	}

	#[test]
	fn a_development_node_neither_listens_nor_connects() {
		let mut network = NetworkConfiguration::new_local();
		network.listen_addresses = vec!["/ip4/127.0.0.1/tcp/30333".parse().expect("an address")];
		keep_to_itself(&mut network);
		assert!(network.listen_addresses.is_empty());
		assert_eq!(network.default_peers_set.in_peers + network.default_peers_set.out_peers, 0);
		assert_eq!(network.default_peers_set.non_reserved_mode, NonReservedPeerMode::Deny);
	}
}
