//! Fetches shares from other servers of the subgroup, and checks what they hand over.
//!
//! Whoever answers late, or with less than half of what the chain says that it holds, is asked last: what
//! others can give comes first, in the whole fetch, and the time spent on answers of that kind is bounded.
//! So no member can hold up what it does not have to give. Half, since the answer is given in the light of
//! another block: what has ended by then is missing from every honest one.

use super::{number, scan::Missing};
use crate::{
	chain::{key_of, ChainError},
	intake::{Intake, IntakeError, Lack},
	LOG_TARGET,
};
use keyshare_primitives::{
	membership::Seat,
	messages,
	offchain::server_crypto,
	seal::SealedShare,
	wire::{HexBytes, RequestShares, SealedShares, Ss58, MAX_REQUESTED},
	AccountId, RegistrationId, ServerInfo, SubgroupId,
};
use keyshare_transport::{call, Reach};
use sp_core::sr25519;
use sp_keystore::KeystorePtr;
use std::{
	cmp::Reverse,
	collections::{btree_map::Entry, BTreeMap, BTreeSet, HashMap},
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::Duration,
};
use tokio::{task::spawn_blocking, time::Instant};

/// How much time, in one fetch, servers may take that are asked last, with answers that are late, short or
/// none. What they have not given by then is found again by the next full scan. Good answers take none of
/// it, however many there are.
const LAST_TURN: Duration = Duration::from_secs(60);
/// How often the log says how far a fetch has come.
const SAY_EVERY: Duration = Duration::from_secs(5);

/// Fetches what is lacking.
pub(super) struct Fetcher {
	/// Whose servers it fetches for.
	pub intake: Arc<Intake>,
	keystore: KeystorePtr,
	/// An answer that takes longer is late.
	late: Duration,
	/// Where it calls.
	reach: Reach,
	standing: Mutex<Standing>,
}

/// How other servers have answered.
#[derive(Default)]
struct Standing {
	/// How often each has handed over a wrong share.
	wrong: HashMap<AccountId, u32>,
	/// Those that are asked last until the next full scan.
	last: BTreeSet<AccountId>,
	/// Whole seconds that each took for its latest answer, since the last full scan.
	seconds: HashMap<AccountId, u64>,
}

impl Standing {
	/// Who has a lower one is asked before.
	fn rank(&self, peer: &AccountId) -> (u32, u64) {
		let wrong = self.wrong.get(peer).copied().unwrap_or(0);
		let seconds = self.seconds.get(peer).copied().unwrap_or(0);
		(wrong, seconds)
	}
}

/// Who is asked now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Turn {
	/// Those of whom nothing is known that speaks against it.
	First,
	/// Those that are asked last, too.
	Last,
}

/// How far a fetch has come.
struct Course {
	total: usize,
	/// Whether something is lacking that was not the last time. Otherwise nothing is said until something
	/// is fetched.
	is_new: bool,
	/// Shares that are here now, or are not lacking any more.
	done: usize,
	began: Instant,
	said: Instant,
	/// Servers that are not asked again in this fetch.
	silent: BTreeSet<AccountId>,
	/// What is used up of [`LAST_TURN`].
	waited: Duration,
	/// Whether the log says that shares are not kept.
	complained: bool,
}

impl Course {
	fn new(total: usize, is_new: bool) -> Self {
		if is_new {
			log::info!(target: LOG_TARGET, "Lacking {total} share(s): asking other servers for them");
		}
		let now = Instant::now();
		let (silent, waited) = (BTreeSet::new(), Duration::ZERO);
		Self { total, is_new, done: 0, began: now, said: now, silent, waited, complained: false }
	}

	/// A server has taken that long for an answer that is late, short or none.
	fn waits(&mut self, turn: Turn, took: Duration) {
		if turn == Turn::Last {
			self.waited = self.waited.saturating_add(took);
		}
	}

	fn say_now_and_then(&mut self) {
		if self.said.elapsed() > SAY_EVERY {
			self.said = Instant::now();
			self.say();
		}
	}

	/// A share is not kept. If the disk is full there are many, so that is said once.
	fn complain(&mut self, error: &IntakeError) {
		if !self.complained {
			self.complained = true;
			log::warn!(target: LOG_TARGET, "Shares that are lacking cannot be kept now: {error}");
		}
	}

	fn say(&self) {
		let Self { total, done, began, .. } = self;
		if *done == 0 && !self.is_new {
			return;
		}
		let rate = *done as f64 / began.elapsed().as_secs_f64().max(0.001);
		log::info!(
			target: LOG_TARGET,
			"Fetched {done} of {total} lacking share(s), {rate:.0} a second",
		);
	}
}

/// What another server can give.
struct Offer {
	peer: ServerInfo,
	/// Places in the list of what is lacking.
	places: Vec<usize>,
}

/// What has become of a server's answer.
#[derive(Default)]
struct Taken {
	/// Places that it has filled.
	places: Vec<usize>,
	/// Whether it has given less than half of what the chain says that it holds, or a wrong share.
	is_short: bool,
	/// Why a share is not kept that it has given.
	unkept: Option<IntakeError>,
}

/// What is to be asked for, and of whom.
struct Lookup {
	/// What the chain still shows and no other server on this node holds either.
	lacks: Vec<Lack>,
	/// Which servers can give what.
	offers: Vec<Offer>,
	/// Why a share is not kept that another server on this node holds.
	unkept: Option<IntakeError>,
}

impl Fetcher {
	/// For the servers of `intake`, whose signing keys are in `keystore`; an answer that takes longer
	/// than `late` is late, and it calls where `reach` allows.
	pub fn new(intake: Arc<Intake>, keystore: KeystorePtr, late: Duration, reach: Reach) -> Self {
		Self { intake, keystore, late, reach, standing: Mutex::default() }
	}

	/// Does on a thread of its own what blocks on reads and writes.
	pub async fn blocking<T: Send + 'static>(
		&self,
		work: impl FnOnce(&Intake) -> T + Send + 'static,
	) -> Option<T> {
		let intake = self.intake.clone();
		spawn_blocking(move || work(&intake)).await.ok()
	}

	/// Nobody is asked last any more, but for those that have handed over wrong shares.
	pub fn begin_anew(&self) {
		let mut standing = self.standing();
		standing.last.clear();
		standing.seconds.clear();
	}

	/// Fetches shares from other servers of the subgroup; how many could not be had. `is_new` tells whether
	/// they are others than the last time.
	pub async fn fetch(&self, lacking: Vec<Missing>, is_new: bool) -> usize {
		let total = lacking.len();
		if total == 0 {
			return 0;
		}
		let mut course = Course::new(total, is_new);
		let mut later = Vec::new();
		let mut queue = lacking.into_iter();
		while let Some(batch) = next_batch(&mut queue) {
			later.extend(self.fetch_batch(batch, Turn::First, &mut course).await);
			course.say_now_and_then();
		}
		let mut queue = later.into_iter();
		while course.waited < LAST_TURN {
			let Some(batch) = next_batch(&mut queue) else { break };
			self.fetch_batch(batch, Turn::Last, &mut course).await;
			course.say_now_and_then();
		}
		course.say();
		total.saturating_sub(course.done)
	}

	/// The same for a list that may be of several servers, but fits into one request each; what of it
	/// only those can give that are asked last.
	async fn fetch_batch(
		&self,
		batch: Vec<Missing>,
		turn: Turn,
		course: &mut Course,
	) -> Vec<Missing> {
		let count = batch.len();
		let looked_up = self.blocking(move |intake| look_up(intake, &batch)).await;
		let Lookup { lacks, mut offers, unkept } = match looked_up {
			Some(Ok(found)) => found,
			Some(Err(error)) => {
				log::debug!(target: LOG_TARGET, "Some shares are not asked for now: {error}");
				return Vec::new();
			}
			None => return Vec::new(),
		};
		if let Some(error) = &unkept {
			course.complain(error);
		}
		// Each rank is read once: another fetch may change it meanwhile, and an order that changes while it is
		// sorted by makes the sort panic.
		offers.sort_by_cached_key(|offer| {
			(self.standing().rank(&offer.peer.account), Reverse(offer.places.len()))
		});
		let lacks = Arc::new(lacks);
		let mut open: BTreeSet<usize> = (0..lacks.len()).collect();
		let mut later = BTreeSet::new();
		for Offer { peer, places } in offers {
			let wanted: Vec<usize> =
				places.into_iter().filter(|place| open.contains(place)).collect();
			let Some(server) = wanted.first().map(|place| lacks[*place].server.clone()) else {
				continue;
			};
			if course.silent.contains(&peer.account) {
				continue;
			}
			if turn == Turn::First && self.is_asked_last(&peer.account) {
				later.extend(wanted);
				continue;
			}
			let ids = wanted.iter().map(|place| lacks[*place].key.id).collect();
			let asked = Instant::now();
			let answer = self.ask(&peer, &server, ids).await;
			let took = asked.elapsed();
			match answer {
				Ok(answer) => {
					let is_late = took > self.late;
					self.standing().seconds.insert(peer.account.clone(), took.as_secs());
					let taken = self.take_over(&peer, lacks.clone(), wanted, answer).await;
					open.retain(|place| !taken.places.contains(place));
					if let Some(error) = &taken.unkept {
						course.complain(error);
					}
					if is_late || taken.is_short {
						self.ask_last(&peer.account);
						course.waits(turn, took);
					}
					// The last turn is short, and others are to have a part of it.
					if is_late && taken.is_short && turn == Turn::Last {
						course.silent.insert(peer.account);
					}
				}
				Err(reason) => {
					log::debug!(
						target: LOG_TARGET,
						"Server {} gives no shares now: {reason}",
						peer.account,
					);
					self.standing().last.insert(peer.account.clone());
					course.waits(turn, took);
					course.silent.insert(peer.account);
				}
			}
		}
		course.done += count - open.len();
		open.intersection(&later).map(|place| Missing::from(&lacks[*place])).collect()
	}

	async fn ask(
		&self,
		peer: &ServerInfo,
		server: &AccountId,
		registrations: Vec<RegistrationId>,
	) -> Result<SealedShares, String> {
		let chain = self.intake.chain();
		let block = chain.number(chain.finalized()).map_err(|error| error.to_string())?;
		let genesis = chain.genesis();
		let message =
			messages::request_message(&genesis, &peer.account, server, &registrations, block);
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
			block,
			signature: HexBytes(signature.0),
		};
		let endpoint = String::from_utf8_lossy(&peer.endpoint);
		call(&endpoint, self.reach, &request).await.map_err(|error| error.to_string())
	}

	/// Checks and stores what a server has handed over. A wrong share ends the list: whoever hands one
	/// over is not worth another check.
	async fn take_over(
		&self,
		peer: &ServerInfo,
		lacks: Arc<Vec<Lack>>,
		wanted: Vec<usize>,
		answer: SealedShares,
	) -> Taken {
		let taken = self
			.blocking(move |intake| {
				let mut got = Vec::new();
				for sealed in answer.shares.iter().take(wanted.len()) {
					let id = sealed.registration_id;
					let place = wanted.iter().find(|place| lacks[**place].key.id == id);
					let Some(place) = place.filter(|place| !got.contains(*place)) else {
						return (got, Err(IntakeError::ShareMismatch));
					};
					let share = SealedShare { enc: sealed.enc.0, ciphertext: sealed.ciphertext.0 };
					match intake.take_over(&lacks[*place], &share) {
						Ok(()) => got.push(*place),
						Err(error) => return (got, Err(error)),
					}
				}
				let withheld = wanted.iter().filter(|place| !got.contains(*place));
				let withheld = withheld.filter(|place| is_in_best(intake, &lacks[**place])).count();
				let is_short = withheld > got.len();
				(got, Ok(is_short))
			})
			.await;
		let Some((places, result)) = taken else { return Taken::default() };
		self.intake.metrics().fetched.inc_by(number(places.len()));
		let (is_short, unkept) = match result {
			Ok(is_short) => (is_short, None),
			Err(IntakeError::ShareMismatch | IntakeError::DecryptionFailed) => {
				log::warn!(
					target: LOG_TARGET,
					"Server {} has handed over a share that is not what the chain promises; it is \
					 asked last from now on",
					peer.account,
				);
				self.intake.metrics().wrong.inc();
				*self.standing().wrong.entry(peer.account.clone()).or_default() += 1;
				(true, None)
			}
			// That is this node's fault.
			Err(error) => (false, Some(error)),
		};
		Taken { places, is_short, unkept }
	}

	fn is_asked_last(&self, peer: &AccountId) -> bool {
		self.standing().last.contains(peer)
	}

	fn ask_last(&self, peer: &AccountId) {
		if self.standing().last.insert(peer.clone()) {
			log::info!(
				target: LOG_TARGET,
				"Server {peer} answers late, or with less than half of what the chain says that it \
				 holds: others are asked first until the next full scan",
			);
		}
	}

	fn standing(&self) -> MutexGuard<'_, Standing> {
		// Whoever panicked has left nothing half written.
		self.standing.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

/// As many as fit into one request; none at the end.
fn next_batch(queue: &mut impl Iterator<Item = Missing>) -> Option<Vec<Missing>> {
	let batch: Vec<_> = queue.take(MAX_REQUESTED).collect();
	(!batch.is_empty()).then_some(batch)
}

/// Of these, what the chain still shows and no other server on this node holds either; and which servers
/// can give what: those of the subgroup whose confirmation the chain shows.
fn look_up(intake: &Intake, missing: &[Missing]) -> Result<Lookup, ChainError> {
	let chain = intake.chain();
	let at = chain.finalized();
	let masks = chain.masks(at)?;
	let (mut lacks, mut unkept) = (Vec::new(), None);
	// By who asks, too: each request is signed by one server.
	let mut offers = BTreeMap::<(AccountId, AccountId), Offer>::new();
	let mut members = BTreeMap::<SubgroupId, Vec<(ServerInfo, Seat)>>::new();
	let mut openers = BTreeMap::<&AccountId, bool>::new();
	for Missing { account, id, server, subgroup } in missing {
		let record = chain.record(at, account)?;
		let Some((key, confirmed)) = key_of(&record, id) else { continue };
		let lack = Lack {
			server: server.clone(),
			subgroup: *subgroup,
			account: account.clone(),
			key: key.clone(),
		};
		match intake.take_from_own(&lack) {
			Ok(true) => continue,
			Ok(false) => {}
			Err(error) => unkept = Some(error),
		}
		if let Entry::Vacant(entry) = members.entry(*subgroup) {
			entry.insert(chain.members(at, *subgroup)?);
		}
		let opens = match openers.entry(server) {
			Entry::Occupied(entry) => *entry.get(),
			Entry::Vacant(entry) => *entry.insert(has_published_key(intake, server)?),
		};
		// What is sealed to a key that has been lost, nobody can be blamed for; the server's keeper says it.
		let peers = members.get(subgroup).into_iter().flatten().filter(|_| opens);
		for (peer, _) in peers.filter(|(_, seat)| confirmed.has(&masks, *seat)) {
			if peer.account != *server {
				let key = (server.clone(), peer.account.clone());
				let none = || Offer { peer: peer.clone(), places: Vec::new() };
				offers.entry(key).or_insert_with(none).places.push(lacks.len());
			}
		}
		lacks.push(lack);
	}
	Ok(Lookup { lacks, offers: offers.into_values().collect(), unkept })
}

/// Whether this node can open what is sealed to the key that the best block shows for one of its servers:
/// there, whoever hands shares over looks.
fn has_published_key(intake: &Intake, server: &AccountId) -> Result<bool, ChainError> {
	let published = intake.chain().published(intake.chain().best(), server)?;
	let secrets = intake.servers().secrets(server);
	let is_here = |key| secrets.iter().any(|secret| secret.public() == key);
	Ok(published.is_none_or(|published| is_here(published.info.encryption_key)))
}

/// Whether the best block shows the attempt or key, too. Whoever hands shares over looks there, and gives
/// none of what has ended since the last finalized block. What cannot be read blames nobody.
fn is_in_best(intake: &Intake, lack: &Lack) -> bool {
	let chain = intake.chain();
	let record = chain.record(chain.best(), &lack.account);
	record.is_ok_and(|record| key_of(&record, &lack.key.id).is_some())
}
