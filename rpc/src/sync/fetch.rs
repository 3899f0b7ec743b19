//! Fetches shares from other servers of the subgroup, and checks what they hand over.

use super::number;
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
use keyshare_transport::call;
use sp_core::sr25519;
use sp_keystore::KeystorePtr;
use std::{
	cmp::Reverse,
	collections::{btree_map::Entry, BTreeMap, BTreeSet, HashMap},
	sync::Arc,
	time::Duration,
};
use tokio::{task::spawn_blocking, time::Instant};

/// Fetches what is lacking.
pub(super) struct Fetcher {
	/// Whose servers it fetches for.
	pub intake: Arc<Intake>,
	keystore: KeystorePtr,
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
	/// For the servers of `intake`, whose signing keys are in `keystore`.
	pub fn new(intake: Arc<Intake>, keystore: KeystorePtr) -> Self {
		Self { intake, keystore, penalties: HashMap::new() }
	}

	/// Does on a thread of its own what blocks on reads and writes.
	pub async fn blocking<T: Send + 'static>(
		&self,
		work: impl FnOnce(&Intake) -> T + Send + 'static,
	) -> Option<T> {
		let intake = self.intake.clone();
		spawn_blocking(move || work(&intake)).await.ok()
	}

	/// Fetches shares from other servers of the subgroup; gives back what could not be had.
	pub async fn fetch(&mut self, lacking: Vec<Lack>) -> Vec<Lack> {
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

/// Which servers can give what: those of the subgroup whose confirmation the chain shows.
fn offers(intake: &Intake, lacking: &[Lack]) -> Result<Vec<Offer>, ChainError> {
	let chain = intake.chain();
	let at = chain.finalized();
	let masks = chain.masks(at)?;
	// By who asks, too: each request is signed by one server.
	let mut offers = BTreeMap::<(AccountId, AccountId), Offer>::new();
	let mut members = BTreeMap::<SubgroupId, Vec<(ServerInfo, Seat)>>::new();
	for (place, lack) in lacking.iter().enumerate() {
		if let Entry::Vacant(entry) = members.entry(lack.subgroup) {
			entry.insert(chain.members(at, lack.subgroup)?);
		}
		let record = chain.record(at, &lack.account)?;
		let Some((_, confirmed)) = key_of(&record, &lack.key.id) else { continue };
		let peers = members.get(&lack.subgroup).into_iter().flatten();
		for (peer, _) in peers.filter(|(_, seat)| confirmed.has(&masks, *seat)) {
			if peer.account != lack.server {
				let key = (lack.server.clone(), peer.account.clone());
				let none = || Offer { peer: peer.clone(), places: Vec::new() };
				offers.entry(key).or_insert_with(none).places.push(place);
			}
		}
	}
	Ok(offers.into_values().collect())
}

fn log_fetched(fetched: usize, total: usize, time: Duration) {
	let rate = fetched as f64 / time.as_secs_f64().max(0.001);
	log::info!(target: LOG_TARGET, "Fetched {fetched} of {total} lacking share(s), {rate:.0} a second");
}
