//! What a request goes through, in the order of protocol §5: the cheapest check first, and
//! nothing stored by a request that fails one.
//!
//! [`Intake::submit`] reads from top to bottom: shape and sizes (checked when the request was
//! decoded) → hosted here → on chain → a member → already stored → open → verify → durable. The
//! store is also the queue of confirmations, so what is durable is on its way to the chain.
//!
//! | module | what it holds |
//! |---|---|
//! | `error` | why a request is refused |
//! | `exchange` | what servers of one subgroup give each other |

mod error;
mod exchange;

pub use error::IntakeError;
pub use exchange::Lack;

use crate::{
	chain::{AccountRecord, BlockHash, ChainError, ChainState},
	health::Health,
	keys::ServerKeys,
	metrics::Metrics,
	pool::{Pool, PoolFull},
	seats::Seats,
	store::{Put, RecordState, ShareRecord, ShareStore, StoreError},
	LOG_TARGET,
};
use keyshare_primitives::{
	messages,
	seal::{EncryptionSecret, SealedShare, ShareContext},
	share::VerifiedShare,
	wire::{
		CustodyChallenge, FreshProof, HexBytes, HostedServer, HostedServers, ShareReceipt,
		ShareState, ShareStatus, ShareStatusQuery, Ss58, SubmitShare, SubmitStatus,
	},
	AccountId, Element, EncryptionKey, Generation, KeyRecord, SubgroupId, PROTOCOL_VERSION,
};
use parking_lot::Mutex;
use std::{fmt, io, num::NonZeroUsize, sync::Arc, thread, time::Duration};
use tokio::sync::{oneshot, Notify};

/// How much the intake takes on at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IntakeConfig {
	/// Threads that check shares.
	pub workers: NonZeroUsize,
	/// Requests that may wait for them; one more is told to come back.
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

type Reply = oneshot::Sender<Result<ShareReceipt, IntakeError>>;

/// What the checks make of a submitted share.
enum Checked {
	/// It is stored already; the proof is the one it was acknowledged with.
	Known(ShareReceipt),
	/// It is the share the chain promises.
	New(ShareRecord, VerifiedShare),
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
		let (stored, health, key_making) = (Arc::default(), Arc::default(), Mutex::default());
		Ok(Arc::new(Self {
			config,
			pool,
			chain,
			servers,
			store,
			stored,
			metrics,
			health,
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

	/// `keyshare_submitShare`: answers when the share is durable.
	pub async fn submit(
		self: Arc<Self>,
		request: SubmitShare,
	) -> Result<ShareReceipt, IntakeError> {
		let result = self.clone().accept(request).await;
		self.metrics.submitted(result.as_ref().map(|receipt| receipt.status));
		result
	}

	async fn accept(self: Arc<Self>, request: SubmitShare) -> Result<ShareReceipt, IntakeError> {
		self.require_hosted(&request.server.0)?;
		let (reply, answer) = oneshot::channel();
		let intake = self.clone();
		self.queue(move || match intake.check(&request) {
			Ok(Checked::New(record, share)) => intake.make_durable(record, &share, reply),
			Ok(Checked::Known(receipt)) => send(reply, Ok(receipt)),
			Err(refusal) => send(reply, Err(refusal)),
		})?;
		answer.await.unwrap_or(Err(IntakeError::Interrupted))
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

	fn check(&self, request: &SubmitShare) -> Result<Checked, IntakeError> {
		let server = &request.server.0;
		let at = self.chain.best();
		let key = self.key_of_generation(at, &request.account.0, request.generation)?;
		self.require_member(at, server, request.subgroup)?;
		if let Some(known) = self.store.get(&key.id, server)? {
			return Ok(Checked::Known(ShareReceipt {
				registration_id: key.id,
				status: SubmitStatus::AlreadyStored,
				custody_proof: known.record.proof.into(),
			}));
		}
		let sealed = SealedShare { enc: request.enc.0, ciphertext: request.ciphertext.0 };
		let (record, share) =
			self.open(&key, &request.account.0, server, request.subgroup, &sealed)?;
		Ok(Checked::New(record, share))
	}

	fn make_durable(&self, record: ShareRecord, share: &VerifiedShare, reply: Reply) {
		let stored = self.stored.clone();
		let timer = self.metrics.time_commit();
		self.store.put(record.clone(), share, move |result| {
			timer.observe_duration();
			let status = match result {
				Ok(Put::Stored) => {
					log::info!(target: LOG_TARGET, "Share stored: {}", Described(&record));
					stored.notify_one();
					SubmitStatus::Stored
				}
				// The same share came twice at once. Proofs are deterministic: it is the stored one.
				Ok(Put::AlreadyStored) => SubmitStatus::AlreadyStored,
				Err(_) => return send(reply, Err(IntakeError::StorageFailed)),
			};
			let ShareRecord { id, proof, .. } = record;
			send(
				reply,
				Ok(ShareReceipt { registration_id: id, status, custody_proof: proof.into() }),
			);
		});
	}

	/// `keyshare_servers`: what this node hosts.
	pub async fn hosted_servers(self: Arc<Self>) -> Result<HostedServers, IntakeError> {
		self.ask(|intake| {
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

	/// `keyshare_shareStatus`: how far the share of the attempt under way, or else of the key in
	/// force, has come.
	pub async fn share_status(
		self: Arc<Self>,
		query: ShareStatusQuery,
	) -> Result<ShareStatus, IntakeError> {
		let (server, account) = (query.server.0, query.account.0);
		self.require_hosted(&server)?;
		self.ask(move |intake| {
			let at = intake.chain.best();
			let record = intake.chain.record(at, &account)?;
			let Some(key) = attempt_or_key(&record) else {
				return Ok(ShareStatus { status: ShareState::None, generation: None });
			};
			let status = intake.state_of(at, &record, key, &server)?;
			Ok(ShareStatus { status, generation: Some(key.generation) })
		})
		.await
	}

	fn state_of(
		&self,
		at: BlockHash,
		record: &AccountRecord,
		key: &KeyRecord,
		server: &AccountId,
	) -> Result<ShareState, IntakeError> {
		let Some(share) = self.store.get(&key.id, server)? else { return Ok(ShareState::None) };
		let unconfirmed = match share.state {
			RecordState::Confirmed => return Ok(ShareState::Confirmed),
			RecordState::Stored => ShareState::Stored,
			RecordState::Confirming => ShareState::Confirming,
		};
		// The store knows of confirmations only once they are final.
		let seats = Seats::of(self.chain.as_ref(), at, [server.clone()])?;
		let confirmed = seats.has_confirmed(&share.record, record);
		Ok(if confirmed { ShareState::Confirmed } else { unconfirmed })
	}

	/// `keyshare_proveCustody`: a fresh proof for the key in force, or else the attempt under way.
	pub async fn prove_custody(
		self: Arc<Self>,
		challenge: CustodyChallenge,
	) -> Result<FreshProof, IntakeError> {
		self.require_hosted(&challenge.server.0)?;
		self.ask(move |intake| intake.prove(&challenge)).await
	}

	fn prove(&self, challenge: &CustodyChallenge) -> Result<FreshProof, IntakeError> {
		let (server, account) = (&challenge.server.0, &challenge.account.0);
		let AccountRecord { registered, registering, .. } =
			self.chain.record(self.chain.best(), account)?;
		let key = registered.map(|key| key.key).or(registering.map(|attempt| attempt.key));
		let key = key.ok_or(IntakeError::NotRegistering)?;
		let (record, share) = self.store.load(&key.id, server)?.ok_or(IntakeError::NoShare)?;
		let share = share.verify(verifying_share(&key, record.subgroup)?).map_err(|_| {
			log::error!(
				target: LOG_TARGET,
				"A stored share is not what the chain promises: {}",
				Described(&record),
			);
			IntakeError::NoShare
		})?;
		let message = messages::challenge_message(&key.id, server, &challenge.nonce.0);
		Ok(FreshProof { registration_id: key.id, custody_proof: share.prove(&message).into() })
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

	/// Has a thread of the pool answer.
	async fn ask<T: Send + 'static>(
		self: Arc<Self>,
		question: impl FnOnce(&Self) -> Result<T, IntakeError> + Send + 'static,
	) -> Result<T, IntakeError> {
		let (reply, answer) = oneshot::channel();
		let intake = self.clone();
		self.queue(move || send(reply, question(&intake)))?;
		answer.await.unwrap_or(Err(IntakeError::Interrupted))
	}

	fn queue(&self, job: impl FnOnce() + Send + 'static) -> Result<(), IntakeError> {
		let place = Place::taken(&self.metrics);
		let job = move || {
			job();
			drop(place);
		};
		self.pool.run(job).map_err(|PoolFull| IntakeError::Busy(self.config.retry_after))
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
