//! Shares that a server should hold and does not: protocol §7. It missed them while it was away,
//! has just joined, or has lost its store.
//!
//! What is lacking is found in the finalized state, against the store: every key at the start,
//! whenever a hosted server's membership changes, and every [`SyncConfig::full_scan`]; in between,
//! at each block, only the attempts under way. It is fetched from servers of the same subgroup
//! that the chain shows to have confirmed it, and checked against the chain like a share from a
//! client: whom it comes from does not matter. A server that hands over a wrong share is asked last.
//!
//! When nothing is lacking and the chain shows every confirmation, the off-chain worker is told
//! that the server is ready.

use crate::{
	chain::{BlockHash, ChainError, KeyKind},
	intake::{Intake, IntakeError, Lack},
	retire::KeyKeeper,
	store::StoreError,
	LOG_TARGET,
};
use codec::Encode;
use futures::{FutureExt, Stream, StreamExt};
use keyshare_primitives::{
	messages,
	offchain::{server_crypto, READY_KEY},
	seal::SealedShare,
	wire::{HexBytes, RequestShares, SealedShares, Ss58, MAX_REQUESTED},
	AccountId, KeyRecord, RegistrationId, ServerInfo, SessionIndex, SubgroupId,
};
use keyshare_transport::call;
use rand::{rngs::OsRng, RngCore};
use sp_core::{
	offchain::{OffchainStorage, STORAGE_PREFIX},
	sr25519,
};
use sp_keystore::KeystorePtr;
use std::{
	cmp::Reverse,
	collections::{btree_map::Entry, BTreeMap, BTreeSet, HashMap},
	pin::pin,
	sync::Arc,
	time::Duration,
};
use tokio::{task::spawn_blocking, time::Instant};

/// Keys read from the chain at once.
const PAGE: usize = 512;

/// How a node keeps its servers complete.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SyncConfig {
	/// How often every key is looked at, if nothing else is a reason to.
	pub full_scan: Duration,
	/// For how many blocks an attempt's share is left to its client, before other servers are asked.
	pub patience: u32,
	/// How long to wait, at first, before servers that did not give what was asked are asked again.
	pub first_delay: Duration,
	/// How long at most.
	pub longest_delay: Duration,
}

impl Default for SyncConfig {
	fn default() -> Self {
		Self {
			full_scan: Duration::from_secs(600),
			patience: 10,
			first_delay: Duration::from_secs(2),
			longest_delay: Duration::from_secs(60),
		}
	}
}

/// Why the chain could not be held against the store.
#[derive(Debug, thiserror::Error)]
enum ScanError {
	#[error(transparent)]
	Chain(#[from] ChainError),
	#[error(transparent)]
	Store(#[from] StoreError),
}

/// What a look at the finalized state has found.
#[derive(Default)]
struct Scan {
	/// Where this node's servers are members, and since when those that are not ready.
	members: BTreeMap<AccountId, (SubgroupId, Option<SessionIndex>)>,
	/// What they lack of the keys in force.
	lacking: Vec<Lack>,
	/// Of these, how many the chain says they have confirmed: they held them once.
	lost: usize,
	/// Members whose confirmation of some key in force the chain does not show.
	unconfirmed: BTreeSet<AccountId>,
}

/// Keeps a node's servers complete; see the module's documentation.
pub struct Sync<Storage, Blocks> {
	config: SyncConfig,
	fetcher: Fetcher,
	offchain: Storage,
	blocks: Blocks,
	/// Shares that attempts under way lack, with the number of blocks at which that was seen.
	awaited: HashMap<(RegistrationId, AccountId), (Lack, u32)>,
	members: BTreeMap<AccountId, SubgroupId>,
	ready: Option<Vec<(AccountId, SessionIndex)>>,
}

impl<Storage, Blocks> Sync<Storage, Blocks>
where
	Storage: OffchainStorage + 'static,
	Blocks: Stream<Item = ()>,
{
	/// For the servers of `intake`, whose signing keys are in `keystore`. `blocks` yields whenever a
	/// block has been finalized.
	pub fn new(
		config: SyncConfig,
		intake: Arc<Intake>,
		keystore: KeystorePtr,
		offchain: Storage,
		blocks: Blocks,
	) -> Self {
		let keys = KeyKeeper::default();
		let fetcher = Fetcher { intake, keystore, keys, penalties: HashMap::new() };
		let (awaited, members) = (HashMap::new(), BTreeMap::new());
		Self { config, fetcher, offchain, blocks, awaited, members, ready: None }
	}

	/// Runs until `blocks` ends. Spawn it within a tokio runtime; what blocks, it does on tokio's
	/// blocking threads.
	pub async fn run(self) {
		let Self { config, mut fetcher, mut offchain, blocks, mut awaited, mut members, mut ready } =
			self;
		let mut blocks = pin!(blocks);
		let mut delay = config.first_delay;
		let mut next_scan = Instant::now();
		loop {
			fetcher.keep_house().await;
			let moved = fetcher.memberships().await.is_some_and(|now| {
				let moved = now != members;
				members = now;
				moved
			});
			if moved || Instant::now() >= next_scan {
				let outcome = fetcher.full_scan().await;
				if let Some(now) = outcome.ready {
					// Written when it changes only: the off-chain worker reads it at each block.
					if ready.as_ref() != Some(&now) {
						offchain.set(STORAGE_PREFIX, READY_KEY, &now.encode());
						ready = Some(now);
					}
				}
				delay = match outcome.progress {
					Progress::Settled => config.full_scan,
					Progress::Some => config.first_delay,
					Progress::None => delay.saturating_mul(2).min(config.longest_delay),
				};
				next_scan = Instant::now() + delay;
			} else {
				fetcher.look_at_attempts(&mut awaited, config.patience).await;
			}
			tokio::select! {
				block = blocks.next() => if block.is_none() { return },
				() = tokio::time::sleep_until(next_scan) => {},
			}
			// One look sees all that has happened by now.
			while let Some(block) = blocks.next().now_or_never() {
				if block.is_none() {
					return;
				}
			}
		}
	}
}

/// How far a full scan has brought its servers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Progress {
	/// Nothing is lacking, and whoever joined is ready.
	Settled,
	/// Something was fetched, and there is more to do.
	Some,
	/// Nothing could be done now.
	None,
}

struct Outcome {
	/// Servers that hold everything and have not declared so; none if that is not known.
	ready: Option<Vec<(AccountId, SessionIndex)>>,
	progress: Progress,
}

impl Scan {
	/// Holds every key in force against the store.
	fn of(intake: &Intake) -> Result<Self, ScanError> {
		let (chain, store) = (intake.chain(), intake.store());
		let at = chain.finalized();
		let mut scan = Self::default();
		for server in intake.servers().accounts() {
			if let Some(subgroup) = chain.subgroup_of(at, &server)? {
				let joined = chain.joined(at, &server)?;
				scan.members.insert(server, (subgroup, joined));
			}
		}
		let mut after = None;
		loop {
			let page = chain.keys(at, KeyKind::Registered, after.as_ref(), PAGE)?;
			let is_last = page.len() < PAGE;
			after = page.last().map(|(account, _)| account.clone());
			for (account, key) in page {
				for (server, (subgroup, _)) in &scan.members {
					let confirmed = chain.confirmed_by(at, &key.id, *subgroup)?.contains(server);
					if !confirmed {
						scan.unconfirmed.insert(server.clone());
					}
					if store.get(&key.id, server)?.is_none() {
						scan.lost += usize::from(confirmed);
						let (account, key) = (account.clone(), key.clone());
						scan.lacking.push(Lack {
							server: server.clone(),
							subgroup: *subgroup,
							account,
							key,
						});
					}
				}
			}
			if is_last {
				return Ok(scan);
			}
		}
	}

	/// Members that have not declared themselves ready, though they hold and have confirmed all.
	fn ready(&self) -> Vec<(AccountId, SessionIndex)> {
		let lacks = |server: &AccountId| self.lacking.iter().any(|lack| lack.server == *server);
		self.members
			.iter()
			.filter(|(server, _)| !self.unconfirmed.contains(*server) && !lacks(server))
			.filter_map(|(server, (_, joined))| joined.map(|joined| (server.clone(), joined)))
			.collect()
	}

	/// Whether nothing is left to do for anybody.
	fn is_settled(&self) -> bool {
		let joining = self.members.values().filter(|(_, joined)| joined.is_some()).count();
		self.lacking.is_empty() && joining == 0
	}
}

/// Finds and fetches what is lacking.
struct Fetcher {
	intake: Arc<Intake>,
	keystore: KeystorePtr,
	keys: KeyKeeper,
	/// How often each server has handed over a wrong share.
	penalties: HashMap<AccountId, u32>,
}

/// What another server can give.
struct Offer {
	peer: ServerInfo,
	/// Places in the list of what is lacking.
	places: Vec<usize>,
}

impl Fetcher {
	/// Does on a thread of its own what blocks on reads and writes.
	async fn blocking<T: Send + 'static>(
		&self,
		work: impl FnOnce(&Intake) -> T + Send + 'static,
	) -> Option<T> {
		let intake = self.intake.clone();
		spawn_blocking(move || work(&intake)).await.ok()
	}

	/// What is done at every finalized block: keys are retired, and the subgroups counted.
	async fn keep_house(&mut self) {
		let mut keys = std::mem::take(&mut self.keys);
		let done = self
			.blocking(move |intake| {
				let retired = keys.look(intake).map_err(|error| error.to_string());
				let counted = count_subgroups(intake).map_err(|error| error.to_string());
				(keys, retired.and(counted))
			})
			.await;
		if let Some((keys, result)) = done {
			self.keys = keys;
			if let Err(error) = result {
				log::debug!(target: LOG_TARGET, "Waiting for the next block: {error}");
			}
		}
	}

	/// Where this node's servers are members in the finalized state.
	async fn memberships(&self) -> Option<BTreeMap<AccountId, SubgroupId>> {
		let read = |intake: &Intake| {
			let at = intake.chain().finalized();
			let servers = intake.servers().accounts().into_iter();
			servers
				.filter_map(|server| {
					let subgroup = intake.chain().subgroup_of(at, &server).transpose()?;
					Some(subgroup.map(|subgroup| (server, subgroup)))
				})
				.collect::<Result<_, ChainError>>()
		};
		self.blocking(read).await?.ok()
	}

	async fn full_scan(&mut self) -> Outcome {
		let scan = match self.blocking(Scan::of).await {
			Some(Ok(scan)) => scan,
			Some(Err(error)) => {
				log::warn!(target: LOG_TARGET, "Cannot look for lacking shares now: {error}");
				return Outcome { ready: None, progress: Progress::None };
			}
			None => return Outcome { ready: None, progress: Progress::None },
		};
		let (ready, settled) = (scan.ready(), scan.is_settled());
		if scan.lost > 0 {
			log::error!(
				target: LOG_TARGET,
				"The share store lacks {} share(s) that the chain says this node has confirmed: it is \
				 an old copy, or damaged. They are fetched from other servers now",
				scan.lost,
			);
		}
		let lacking = scan.lacking.len();
		self.intake.metrics().lost.set(number(scan.lost));
		self.say_backlog(lacking);
		let left = self.fetch(scan.lacking).await.len();
		self.say_backlog(left);
		if left == 0 {
			self.intake.metrics().lost.set(0);
		}
		let progress = match (settled, left < lacking) {
			(true, _) => Progress::Settled,
			(false, true) => Progress::Some,
			(false, false) => Progress::None,
		};
		Outcome { ready: Some(ready), progress }
	}

	fn say_backlog(&self, lacking: usize) {
		self.intake.metrics().backlog.set(number(lacking));
		self.intake.health().lacks(number(lacking));
	}

	/// Fetches what attempts under way lack for too long, and what those that were completed in the
	/// meantime lack.
	async fn look_at_attempts(
		&mut self,
		awaited: &mut HashMap<(RegistrationId, AccountId), (Lack, u32)>,
		patience: u32,
	) {
		let before: Vec<Lack> = awaited.values().map(|(lack, _)| lack.clone()).collect();
		let Some(Ok((open, completed))) =
			self.blocking(move |intake| lacking_of_attempts(intake, &before)).await
		else {
			return;
		};
		let mut now = HashMap::new();
		let mut due = completed;
		for lack in open {
			let place = (lack.key.id, lack.server.clone());
			let blocks = awaited.get(&place).map_or(0, |(_, blocks)| *blocks).saturating_add(1);
			if blocks > patience {
				due.push(lack.clone());
			}
			now.insert(place, (lack, blocks));
		}
		*awaited = now;
		// What cannot be had now is found again: by the next look, or by the next full scan.
		self.fetch(due).await;
	}

	/// Fetches shares from other servers of the subgroup; gives back what could not be had.
	async fn fetch(&mut self, lacking: Vec<Lack>) -> Vec<Lack> {
		let total = lacking.len();
		if total == 0 {
			return lacking;
		}
		log::info!(target: LOG_TARGET, "Lacking {total} share(s): asking other servers for them");
		let began = Instant::now();
		let mut said = began;
		let mut left = Vec::new();
		let mut silent = BTreeSet::new();
		let mut queue = lacking;
		while !queue.is_empty() {
			let rest = queue.split_off(queue.len().min(MAX_REQUESTED));
			let batch = std::mem::replace(&mut queue, rest);
			left.extend(self.fetch_batch(batch, &mut silent).await);
			if said.elapsed() > Duration::from_secs(5) {
				said = Instant::now();
				let fetched = total - queue.len() - left.len();
				log_fetched(fetched, total, began.elapsed());
			}
		}
		log_fetched(total - left.len(), total, began.elapsed());
		left
	}

	/// The same for a list that may be of several servers, but fits into one request each.
	async fn fetch_batch(
		&mut self,
		batch: Vec<Lack>,
		silent: &mut BTreeSet<AccountId>,
	) -> Vec<Lack> {
		let Some(batch) = self.blocking(move |intake| lacking_elsewhere(intake, batch)).await
		else {
			return Vec::new();
		};
		let batch = Arc::new(batch);
		let wanted = batch.clone();
		let offers = self.blocking(move |intake| offers(intake, &wanted)).await;
		let mut offers = match offers {
			Some(Ok(offers)) => offers,
			_ => Vec::new(),
		};
		offers.sort_by_key(|offer| {
			let penalty = self.penalties.get(&offer.peer.account).copied().unwrap_or(0);
			(penalty, Reverse(offer.places.len()))
		});
		let mut missing: BTreeSet<usize> = (0..batch.len()).collect();
		for Offer { peer, places } in offers {
			let wanted: Vec<usize> =
				places.into_iter().filter(|place| missing.contains(place)).collect();
			let Some(server) = wanted.first().map(|place| batch[*place].server.clone()) else {
				continue;
			};
			if silent.contains(&peer.account) {
				continue;
			}
			let ids = wanted.iter().map(|place| batch[*place].key.id).collect();
			match self.ask(&peer, &server, ids).await {
				Ok(answer) => {
					let got = self.take_over(&peer, batch.clone(), wanted, answer).await;
					missing.retain(|place| !got.contains(place));
				}
				Err(reason) => {
					log::debug!(
						target: LOG_TARGET,
						"Server {} gives no shares now: {reason}",
						peer.account,
					);
					silent.insert(peer.account);
				}
			}
		}
		missing.into_iter().map(|place| batch[place].clone()).collect()
	}

	async fn ask(
		&self,
		peer: &ServerInfo,
		server: &AccountId,
		registrations: Vec<RegistrationId>,
	) -> Result<SealedShares, String> {
		let mut nonce = [0; 32];
		OsRng.fill_bytes(&mut nonce);
		let genesis = self.intake.chain().genesis();
		let message =
			messages::request_message(&genesis, &peer.account, server, &registrations, &nonce);
		let public = sr25519::Public::from_raw(server.clone().into());
		let signature = self
			.keystore
			.sr25519_sign(server_crypto::KEY_TYPE, &public, &message)
			.map_err(|error| error.to_string())?
			.ok_or("this node has lost the key that it signs with")?;
		let request = RequestShares {
			from: Ss58(peer.account.clone()),
			requester: Ss58(server.clone()),
			registrations,
			nonce: HexBytes(nonce),
			signature: HexBytes(signature.0),
		};
		let endpoint = String::from_utf8_lossy(&peer.endpoint);
		call(&endpoint, "keyshare_requestShares", &request).await.map_err(|error| error.to_string())
	}

	/// Checks and stores what a server has handed over; the places it has filled. A wrong share ends
	/// the list: whoever hands one over is not worth another check.
	async fn take_over(
		&mut self,
		peer: &ServerInfo,
		batch: Arc<Vec<Lack>>,
		wanted: Vec<usize>,
		answer: SealedShares,
	) -> Vec<usize> {
		let taken = self
			.blocking(move |intake| {
				let mut got = Vec::new();
				for sealed in answer.shares.iter().take(wanted.len()) {
					let id = sealed.registration_id;
					let place = wanted.iter().find(|place| batch[**place].key.id == id);
					let Some(place) = place.filter(|place| !got.contains(*place)) else {
						return (got, Err(IntakeError::ShareMismatch));
					};
					let share = SealedShare { enc: sealed.enc.0, ciphertext: sealed.ciphertext.0 };
					match intake.take_over(&batch[*place], &share) {
						Ok(()) => got.push(*place),
						Err(error) => return (got, Err(error)),
					}
				}
				(got, Ok(()))
			})
			.await;
		let Some((got, result)) = taken else { return Vec::new() };
		self.intake.metrics().fetched.inc_by(number(got.len()));
		match result {
			Err(IntakeError::ShareMismatch | IntakeError::DecryptionFailed) => {
				log::warn!(
					target: LOG_TARGET,
					"Server {} has handed over a share that is not what the chain promises; it is \
					 asked last from now on",
					peer.account,
				);
				self.intake.metrics().wrong.inc();
				*self.penalties.entry(peer.account.clone()).or_default() += 1;
			}
			Err(error) => {
				log::warn!(target: LOG_TARGET, "A share that was fetched is not kept: {error}");
			}
			Ok(()) => {}
		}
		got
	}
}

fn number(count: usize) -> u64 {
	u64::try_from(count).unwrap_or(u64::MAX)
}

/// Of these, what no other server on this node holds either.
fn lacking_elsewhere(intake: &Intake, lacking: Vec<Lack>) -> Vec<Lack> {
	let is_lacking = |lack: &Lack| match intake.take_from_own(lack) {
		Ok(taken) => !taken,
		Err(error) => {
			log::warn!(target: LOG_TARGET, "A share of this node's is not kept: {error}");
			true
		}
	};
	lacking.into_iter().filter(is_lacking).collect()
}

/// Tells Prometheus how large each subgroup is in the finalized state.
fn count_subgroups(intake: &Intake) -> Result<(), ChainError> {
	let chain = intake.chain();
	let at = chain.finalized();
	for subgroup in 0..chain.subgroup_count(at)? {
		let members = chain.members(at, subgroup)?;
		let mut ready = 0;
		for member in &members {
			ready += usize::from(chain.joined(at, &member.account)?.is_none());
		}
		intake.metrics().subgroup(subgroup, members.len(), ready);
	}
	Ok(())
}

fn log_fetched(fetched: usize, total: usize, time: Duration) {
	let rate = fetched as f64 / time.as_secs_f64().max(0.001);
	log::info!(target: LOG_TARGET, "Fetched {fetched} of {total} lacking share(s), {rate:.0} a second");
}

/// Which servers can give what: those of the subgroup whose confirmation the chain shows.
fn offers(intake: &Intake, lacking: &[Lack]) -> Result<Vec<Offer>, ChainError> {
	let chain = intake.chain();
	let at = chain.finalized();
	// By who asks, too: each request is signed by one server.
	let mut offers = BTreeMap::<(AccountId, AccountId), Offer>::new();
	let mut members = BTreeMap::<SubgroupId, Vec<ServerInfo>>::new();
	for (place, lack) in lacking.iter().enumerate() {
		if let Entry::Vacant(entry) = members.entry(lack.subgroup) {
			entry.insert(chain.members(at, lack.subgroup)?);
		}
		let confirmed = chain.confirmed_by(at, &lack.key.id, lack.subgroup)?;
		let peers = members.get(&lack.subgroup).into_iter().flatten();
		for peer in peers.filter(|peer| confirmed.contains(&peer.account)) {
			if peer.account != lack.server {
				let key = (lack.server.clone(), peer.account.clone());
				let none = || Offer { peer: peer.clone(), places: Vec::new() };
				offers.entry(key).or_insert_with(none).places.push(place);
			}
		}
	}
	Ok(offers.into_values().collect())
}

/// What attempts under way lack now, and what those of `before` lack that are in force by now.
fn lacking_of_attempts(
	intake: &Intake,
	before: &[Lack],
) -> Result<(Vec<Lack>, Vec<Lack>), ScanError> {
	let (chain, store) = (intake.chain(), intake.store());
	let at: BlockHash = chain.finalized();
	let mut members = Vec::new();
	for server in intake.servers().accounts() {
		if let Some(subgroup) = chain.subgroup_of(at, &server)? {
			members.push((server, subgroup));
		}
	}
	let mut open = Vec::new();
	let mut after = None;
	loop {
		let page = chain.keys(at, KeyKind::Registering, after.as_ref(), PAGE)?;
		let is_last = page.len() < PAGE;
		after = page.last().map(|(account, _)| account.clone());
		for (account, key) in page {
			for (server, subgroup) in &members {
				if store.get(&key.id, server)?.is_none() {
					open.push(Lack {
						server: server.clone(),
						subgroup: *subgroup,
						account: account.clone(),
						key: key.clone(),
					});
				}
			}
		}
		if is_last {
			break;
		}
	}
	let mut completed = Vec::new();
	for lack in before {
		let in_force = |key: KeyRecord| key.id == lack.key.id;
		if chain.registered(at, &lack.account)?.is_some_and(in_force)
			&& store.get(&lack.key.id, &lack.server)?.is_none()
		{
			completed.push(lack.clone());
		}
	}
	Ok((open, completed))
}
