//! What a request goes through, in the order of protocol §5: the cheapest check first, and
//! nothing stored by a request that fails one.
//!
//! [`Intake::submit`] reads from top to bottom: shape and sizes (checked when the request was
//! decoded) → hosted here → on chain → a member → already stored → open → verify → durable. The
//! store is also the queue of confirmations, so what is durable is on its way to the chain.
//!
//! | module | what it holds |
//! |---|---|
//! | `submit` | shares from clients |
//! | `custody` | how far a share has come, and proof that it is here |
//! | `handover` | what servers of one subgroup give each other |
//! | `error` | why a request is refused |

mod custody;
mod error;
mod handover;
mod submit;

pub use error::IntakeError;
pub use handover::Lack;

use crate::{
	caller::{Address, Budget, Budgets, Caller},
	chain::{AccountRecord, BlockHash, ChainError, ChainState},
	health::{Health, Kind, Reason},
	keys::ServerKeys,
	metrics::Metrics,
	pool::{Lane, LaneFull, Pool},
	store::{ShareRecord, ShareStore, StoreError},
};
use keyshare_primitives::{
	messages,
	seal::{EncryptionSecret, SealedShare, ShareContext},
	share::VerifiedShare,
	wire::{HexBytes, HostedServer, HostedServers, ServersQuery, Ss58},
	AccountId, Element, EncryptionKey, Generation, KeyRecord, SubgroupId, PROTOCOL_VERSION,
};
use parking_lot::Mutex;
use std::{
	fmt, io,
	num::NonZeroUsize,
	sync::Arc,
	thread,
	time::{Duration, Instant},
};
use tokio::sync::{oneshot, Notify};

/// How much the intake takes on at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IntakeConfig {
	/// Threads that check shares.
	pub workers: NonZeroUsize,
	/// Requests of each kind that may wait for them: shares from clients, shares for other servers, and
	/// everything else; one more is told to come back.
	pub queue: usize,
	/// When to come back.
	pub retry_after: Duration,
}

impl Default for IntakeConfig {
	/// A thread for each core.
	fn default() -> Self {
		Self {
			workers: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
			queue: 1024,
			retry_after: Duration::from_millis(500),
		}
	}
}

/// The pipeline and what it works with.
pub struct Intake {
	config: IntakeConfig,
	pool: Pool,
	chain: Arc<dyn ChainState>,
	servers: ServerKeys,
	store: ShareStore,
	stored: Arc<Notify>,
	metrics: Metrics,
	health: Arc<Health>,
	budgets: Budgets,
	/// Held by whoever makes an encryption key.
	key_making: Mutex<()>,
}

impl Intake {
	/// Starts the threads of the intake; an error if the system has none to give.
	pub fn new(
		config: IntakeConfig,
		chain: Arc<dyn ChainState>,
		servers: ServerKeys,
		store: ShareStore,
		metrics: Metrics,
	) -> io::Result<Arc<Self>> {
		let pool = Pool::new(config.workers, config.queue)?;
		let (stored, key_making) = (Arc::default(), Mutex::default());
		let health = Arc::new(Health::default());
		let watched = store.clone();
		health.ask(move || troubles_of(&watched));
		let dated = chain.clone();
		health.date(move || dated.timestamp(dated.finalized()).ok());
		Ok(Arc::new(Self {
			config,
			pool,
			chain,
			servers,
			store,
			stored,
			metrics,
			health,
			budgets: Budgets::default(),
			key_making,
		}))
	}

	/// The chain that is asked.
	pub fn chain(&self) -> &Arc<dyn ChainState> {
		&self.chain
	}

	/// The servers that are hosted.
	pub fn servers(&self) -> &ServerKeys {
		&self.servers
	}

	/// Where shares are kept.
	pub fn store(&self) -> &ShareStore {
		&self.store
	}

	/// Notified after each share that is stored.
	pub fn stored(&self) -> &Arc<Notify> {
		&self.stored
	}

	/// What Prometheus is told.
	pub fn metrics(&self) -> &Metrics {
		&self.metrics
	}

	/// Whether the node serves its users now.
	pub fn health(&self) -> &Arc<Health> {
		&self.health
	}

	/// Makes a hosted server another encryption key, its newest. Blocks until it is durable: nobody learns
	/// of it before.
	pub fn make_key(&self, server: &AccountId) -> Result<EncryptionKey, StoreError> {
		// One after the other: the newest here has to be the newest in the store, or after a restart another
		// one than was handed out would be kept.
		let _alone = self.key_making.lock();
		let secret = EncryptionSecret::generate();
		let key = secret.public();
		self.store.add_key(server, &secret)?;
		self.servers.add(server, secret);
		Ok(key)
	}

	/// Opens an envelope, and checks that it holds the share the chain promises.
	fn open(
		&self,
		key: &KeyRecord,
		account: &AccountId,
		server: &AccountId,
		subgroup: SubgroupId,
		sealed: &SealedShare,
	) -> Result<(ShareRecord, VerifiedShare), IntakeError> {
		let context = ShareContext { id: &key.id, server, subgroup };
		// One secret, and around a rotation the one before.
		let secrets = self.servers.secrets(server);
		let share = secrets
			.iter()
			.find_map(|secret| secret.open(sealed, context).ok())
			.ok_or(IntakeError::DecryptionFailed)?;
		let share = share
			.verify(verifying_share(key, subgroup)?)
			.map_err(|_| IntakeError::ShareMismatch)?;
		Ok((record_of(key, account, server, subgroup, &share), share))
	}

	/// `keyshare_servers`: what this node hosts.
	pub async fn hosted_servers(
		self: Arc<Self>,
		_: Caller,
		ServersQuery: ServersQuery,
	) -> Result<HostedServers, IntakeError> {
		self.ask(Lane::Queries, |intake| {
			let at = intake.chain.best();
			let describe = |account: AccountId| {
				let published = intake.chain.published(at, &account)?;
				let newest = || intake.servers.secrets(&account).first().map(|key| key.public());
				let key = published.map(|server| server.info.encryption_key).or_else(newest);
				Ok(HostedServer {
					encryption_key: key.map(public_bytes).ok_or(IntakeError::UnknownServer)?,
					subgroup: intake.chain.subgroup_of(at, &account)?,
					account: Ss58(account),
				})
			};
			Ok(HostedServers {
				protocol_version: PROTOCOL_VERSION,
				genesis_hash: intake.chain.genesis(),
				servers: intake
					.servers
					.accounts()
					.into_iter()
					.map(describe)
					.collect::<Result<_, IntakeError>>()?,
			})
		})
		.await
	}

	fn require_hosted(&self, server: &AccountId) -> Result<(), IntakeError> {
		if self.servers.hosts(server) {
			Ok(())
		} else {
			Err(IntakeError::UnknownServer)
		}
	}

	/// While a key is being swapped the chain holds two; either may be named.
	fn key_of_generation(
		&self,
		at: BlockHash,
		account: &AccountId,
		generation: Generation,
	) -> Result<KeyRecord, IntakeError> {
		let record = self.chain.record(at, account)?;
		if let Some(key) = record.key(generation) {
			return Ok(key.clone());
		}
		let other = attempt_or_key(&record).ok_or(IntakeError::NotRegistering)?;
		Err(IntakeError::WrongGeneration(other.generation))
	}

	fn require_member(
		&self,
		at: BlockHash,
		server: &AccountId,
		subgroup: SubgroupId,
	) -> Result<(), IntakeError> {
		let member_of = self.chain.subgroup_of(at, server)?;
		if member_of == Some(subgroup) {
			Ok(())
		} else {
			Err(IntakeError::WrongSubgroup(member_of))
		}
	}

	/// The intake gives its share of a key to nobody's subgroup but the one that the server will belong to
	/// for ever: a careless client on a fork could send it another one's.
	fn require_final_member(
		&self,
		server: &AccountId,
		subgroup: SubgroupId,
	) -> Result<(), IntakeError> {
		let member_of = self.chain.subgroup_of(self.chain.finalized(), server)?;
		if member_of == Some(subgroup) {
			Ok(())
		} else {
			Err(IntakeError::NotFinal)
		}
	}

	/// Has a thread of the pool answer, if anybody still waits for it then.
	async fn ask<T: Send + 'static>(
		self: Arc<Self>,
		lane: Lane,
		question: impl FnOnce(&Self) -> Result<T, IntakeError> + Send + 'static,
	) -> Result<T, IntakeError> {
		let (reply, answer) = oneshot::channel();
		let intake = self.clone();
		self.queue(lane, move || {
			if !reply.is_closed() {
				send(reply, question(&intake));
			}
		})?;
		answer.await.unwrap_or(Err(IntakeError::Interrupted))
	}

	fn queue(&self, lane: Lane, job: impl FnOnce() + Send + 'static) -> Result<(), IntakeError> {
		let place = Place::taken(&self.metrics);
		let job = move || {
			job();
			drop(place);
		};
		self.pool.run(lane, job).map_err(|LaneFull| IntakeError::Busy(self.config.retry_after))
	}
}

/// Why shares cannot be kept now.
fn troubles_of(store: &ShareStore) -> Vec<Reason> {
	let mut troubles = Vec::new();
	if store.fails() {
		let words = "nothing can be stored: look for a full or failing disk";
		troubles.push(Reason::new(Kind::StoreFailing, words));
	}
	if !store.is_in_place() {
		let words = "the share store is not where it was opened: stop the node, and bring the file back or \
		             restore a backup";
		troubles.push(Reason::new(Kind::StoreGone, words));
	}
	troubles
}

/// Whether something is left of what a caller may spend. The ordinary RPC is the operator's to keep.
fn within(budget: &Budget<Address>, caller: Caller) -> Result<(), IntakeError> {
	match caller {
		Caller::At(address) => budget.left(&address, Instant::now()).map_err(IntakeError::Busy),
		Caller::Ordinary => Ok(()),
	}
}

fn charge(budget: &Budget<Address>, caller: Caller) {
	if let Caller::At(address) = caller {
		budget.spend(address, Instant::now());
	}
}

/// A place in the queue, counted as long as this is there; a job that panics gives it back too.
struct Place(Metrics);

impl Place {
	fn taken(metrics: &Metrics) -> Self {
		metrics.queue.inc();
		Self(metrics.clone())
	}
}

impl Drop for Place {
	fn drop(&mut self) {
		self.0.queue.dec();
	}
}

/// The attempt under way, or else the key in force.
fn attempt_or_key(record: &AccountRecord) -> Option<&KeyRecord> {
	let attempt = record.registering.as_ref().map(|attempt| &attempt.key);
	attempt.or_else(|| record.registered.as_ref().map(|registered| &registered.key))
}

/// What is stored of a share.
fn record_of(
	key: &KeyRecord,
	account: &AccountId,
	server: &AccountId,
	subgroup: SubgroupId,
	share: &VerifiedShare,
) -> ShareRecord {
	ShareRecord {
		id: key.id,
		server: server.clone(),
		account: account.clone(),
		generation: key.generation,
		subgroup,
		proof: share.prove(&messages::custody_message(&key.id, server)),
	}
}

/// Answers whoever asked, unless they have gone.
fn send<T>(reply: oneshot::Sender<T>, answer: T) {
	drop(reply.send(answer));
}

fn verifying_share(key: &KeyRecord, subgroup: SubgroupId) -> Result<Element, ChainError> {
	key.verifying_share(subgroup).ok_or(ChainError::Undecodable { item: "A verifying share" })
}

fn public_bytes(EncryptionKey::X25519(public): EncryptionKey) -> HexBytes<32> {
	HexBytes(public)
}

/// A share in the words of the log: whose, which and where, and nothing of the share itself.
pub(crate) struct Described<'a>(pub &'a ShareRecord);

impl fmt::Display for Described<'_> {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let ShareRecord { account, generation, subgroup, server, .. } = self.0;
		let server = server.to_string();
		let short = server.get(..8).unwrap_or(&server);
		write!(
			f,
			"account {account}, generation {generation}, subgroup {subgroup}, server {short}…"
		)
	}
}
