//! Sending every share of an attempt, and following it until the chain shows the key registered.
//!
//! Every server has a line of its own: sealed, sent, stored, confirmed. A server that is slow or
//! gone holds up no other. Confirmations are read from the chain's state, so nothing depends on
//! who else is watching, or on this process having run all the time.

use crate::{
	chain::Chain,
	dealing::Checked,
	error::{Error, Incomplete, MissingServer, MissingSubgroup, Refusal, Result, RESUME},
	follow::{Finality, Seen},
	progress::{OnProgress, Progress, Server, ServerState},
	servers::{self, ServerError},
	submit::{Sent, Trouble},
};
use futures::{future::BoxFuture, stream::FuturesUnordered, FutureExt, StreamExt};
use keyshare_primitives::{
	api::{AccountInfo, Coverage, RegistrationInfo, RegistrationStatus, SubgroupInfo},
	seal::{seal, ShareContext},
	wire::{HexBytes, Ss58, SubmitShare},
	AccountId, EncryptionKey,
};
use std::{
	collections::BTreeMap,
	convert::Infallible,
	sync::{Mutex, PoisonError},
	time::Duration,
};
use tokio::{
	sync::{mpsc, Semaphore},
	time::{sleep_until, Instant},
};

/// How many calls are under way at a time; a server that is waited for counts for none.
const CALLS_AT_A_TIME: usize = 32;
/// How long servers that the quorums did not need may still take, once the key is registered.
const GRACE: Duration = Duration::from_secs(8);

/// How a delivery ended: every subgroup has its quorum, and the chain shows the key registered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
	/// What the chain shows.
	pub registration: RegistrationInfo,
	/// How far each server came. One that is not confirmed was not needed for its quorum.
	pub servers: Vec<(Server, ServerState)>,
}

/// Sends what the chain does not show as confirmed, and waits until the key is registered and that is
/// final. `sent` is the transaction that began the attempt, if it may not be final yet.
///
/// # Errors
///
/// [`Error::Incomplete`] when the deadline passes, naming who is missing; [`Error::State`] when
/// the attempt is gone: expired or cancelled.
pub async fn deliver(
	chain: &Chain,
	account: &AccountId,
	dealing: &Checked,
	mut sent: Sent,
	deadline: Instant,
	progress: &OnProgress,
) -> Result<Delivery> {
	let board = Board::new(progress.clone());
	let calls = Semaphore::new(CALLS_AT_A_TIME);
	let mut sends: FuturesUnordered<BoxFuture<'_, ()>> = FuturesUnordered::new();
	let (looks, mut observed) = mpsc::unbounded_channel();
	let watch = observe(chain, account, dealing, &board, looks);
	tokio::pin!(watch);
	let mut shown: Option<RegistrationInfo> = None;
	let mut end = deadline;
	let mut is_final = false;
	let mut trouble = None;
	loop {
		tokio::select! {
			() = sleep_until(end) => break,
			Err(error) = &mut watch => return Err(error),
			Some(()) = sends.next() => {},
			told = sent.trouble() => trouble = Some(told),
			Some(look) = observed.recv() => {
				// Either the chain shows the attempt, or the trouble is the reason that it does not.
				let Some(Look { newcomers, now, is_final: now_final }) = look else {
					match trouble.take() {
						Some(told) => return Err(Error::Refused(Trouble::refusal(told))),
						None => continue,
					}
				};
				board.confirm(&now.coverage);
				for (server, key) in newcomers {
					sends.push(send(&board, &calls, account, dealing, server, key).boxed());
				}
				if is_registered(&now) && !shown.as_ref().is_some_and(is_registered) {
					progress(Progress::Complete { id: now.key.id });
				}
				if now_final && !is_final {
					progress(Progress::Registered { id: now.key.id });
					is_final = true;
					end = end.min(Instant::now() + GRACE);
				}
				shown = Some(now);
			},
		}
		if shown.as_ref().is_some_and(|shown| board.is_over(shown, is_final)) {
			break;
		}
	}
	match shown {
		Some(registration) if is_final => Ok(Delivery { registration, servers: board.servers() }),
		shown => {
			let is_complete = shown.as_ref().is_some_and(is_registered);
			let coverage = shown.map(|registration| registration.coverage).unwrap_or_default();
			Err(Error::Incomplete(Incomplete {
				waiting_for: chain.waited_for(match is_complete {
					true => "the block in which the key is registered was final".into(),
					false => "every subgroup reached its quorum".into(),
				}),
				missing: board.missing(&coverage),
				hint: RESUME,
			}))
		}
	}
}

/// What the chain showed at one block.
struct Look {
	/// Servers that have just got their line, with the key to seal to.
	newcomers: Vec<(Server, EncryptionKey)>,
	/// The attempt, or the key in force, in the best block.
	now: RegistrationInfo,
	/// Whether it is registered, and that is final.
	is_final: bool,
}

/// Reads the attempt at each new block; ends only with an error.
async fn observe(
	chain: &Chain,
	account: &AccountId,
	dealing: &Checked,
	board: &Board,
	looks: mpsc::UnboundedSender<Option<Look>>,
) -> Result<Infallible> {
	let progress = board.progress.clone();
	let mut follower = chain.follow(account, &progress);
	let mut finality = Finality::default();
	loop {
		let seen = follower.next().await?;
		let is_there =
			|info: &AccountInfo| of_this_attempt(info, dealing).is_some_and(is_registered);
		let is_final = finality.is_final(&seen, is_there);
		match look(chain, dealing, board, &seen, is_final).await {
			// The receiver lives as long as this future.
			Ok(look) => drop(looks.send(look)),
			// The next block brings another try, over a new connection.
			Err(Error::Unreachable { .. }) => {}
			Err(error) => return Err(error),
		}
	}
}

async fn look(
	chain: &Chain,
	dealing: &Checked,
	board: &Board,
	seen: &Seen,
	is_final: bool,
) -> Result<Option<Look>> {
	let Some(registration) = of_this_attempt(&seen.best, dealing) else {
		refuse_if_gone(&seen.finalized, dealing)?;
		return Ok(None);
	};
	let unknown = registration.coverage.iter().any(|coverage| board.has_unknown(coverage));
	let newcomers = if unknown {
		let finalized = chain.finalized_subgroups().await?;
		new_members(board, &chain.subgroups().await?, &finalized)
	} else {
		Vec::new()
	};
	Ok(Some(Look { newcomers, now: registration.clone(), is_final }))
}

fn is_registered(registration: &RegistrationInfo) -> bool {
	registration.status == RegistrationStatus::Registered
}

/// The attempt, or the key in force, that `dealing` is of.
fn of_this_attempt<'a>(info: &'a AccountInfo, dealing: &Checked) -> Option<&'a RegistrationInfo> {
	[&info.registering, &info.registered]
		.into_iter()
		.flatten()
		.find(|registration| registration.key.id == dealing.record.id)
}

/// A best block without the attempt may be a fork that is left again; a finalized one is not.
fn refuse_if_gone(finalized: &AccountInfo, dealing: &Checked) -> Result<()> {
	let gone = finalized.generation >= dealing.record.generation
		&& of_this_attempt(finalized, dealing).is_none();
	if gone {
		return Err(Error::State(Refusal::registration(
			"NotRegistering",
			"the attempt is gone: it expired, or was cancelled or replaced",
		)));
	}
	Ok(())
}

/// The members that have no line yet, with the key to seal to; each gets its line.
///
/// Only members whose subgroup is final get a share. A block that is left again may have put one
/// into another subgroup than it will belong to for ever, and two shares can be the whole key.
fn new_members(
	board: &Board,
	subgroups: &[SubgroupInfo],
	finalized: &[SubgroupInfo],
) -> Vec<(Server, EncryptionKey)> {
	let is_final = |server: &Server| {
		finalized.iter().any(|subgroup| {
			subgroup.id == server.subgroup
				&& subgroup.members.iter().any(|one| one.server.account == server.account)
		})
	};
	subgroups
		.iter()
		.flat_map(|subgroup| subgroup.members.iter().map(move |member| (subgroup.id, member)))
		.map(|(subgroup, member)| {
			let info = &member.server;
			(Server::new(subgroup, info.account.clone(), &info.endpoint), info.encryption_key)
		})
		.filter(|(server, _)| is_final(server) && board.add(server))
		.collect()
}

/// Seals one server's share and sends it until it is stored, refused for good, or confirmed by
/// then.
async fn send(
	board: &Board,
	calls: &Semaphore,
	account: &AccountId,
	dealing: &Checked,
	server: Server,
	key: EncryptionKey,
) {
	// Stored on an earlier run, or by another one: the chain knows.
	if board.is_confirmed(&server) {
		return;
	}
	let state = match sealed(account, dealing, &server, &key) {
		Ok(request) => {
			board.set(&server, ServerState::Sealed);
			let attempt = || async {
				// Never closed, so a permit always comes.
				let _permit = calls.acquire().await.ok();
				board.set(&server, ServerState::Sent);
				servers::submit_share(&server, &request, &dealing.record).await
			};
			let on_retry = |error: &ServerError, after| {
				board.set(&server, ServerState::Retrying { reason: error.to_string(), after });
			};
			servers::patiently(dealing.record.generation, attempt, on_retry).await
		}
		Err(error) => Err(error),
	};
	board.set(
		&server,
		match state {
			Ok(()) => ServerState::Stored,
			Err(error) => ServerState::Failed { reason: error.to_string() },
		},
	);
}

/// The message that brings `server` its share, sealed to `key`.
///
/// # Errors
///
/// [`ServerError::EncryptionKey`] if nothing can be sealed to the key, and
/// [`ServerError::WrongRegistration`] if the dealing has no share for the server's subgroup.
pub fn sealed(
	account: &AccountId,
	dealing: &Checked,
	server: &Server,
	key: &EncryptionKey,
) -> std::result::Result<SubmitShare, ServerError> {
	let share = dealing.share(server.subgroup).ok_or(ServerError::WrongRegistration)?;
	let context =
		ShareContext { id: &dealing.record.id, server: &server.account, subgroup: server.subgroup };
	let sealed = seal(share.share(), key, context).map_err(|_| ServerError::EncryptionKey)?;
	Ok(SubmitShare {
		server: Ss58(server.account.clone()),
		account: Ss58(account.clone()),
		generation: dealing.record.generation,
		subgroup: server.subgroup,
		enc: HexBytes(sealed.enc),
		ciphertext: HexBytes(sealed.ciphertext),
	})
}

/// How far every server has come; what changes is an event.
struct Board {
	lines: Mutex<BTreeMap<AccountId, (Server, ServerState)>>,
	progress: OnProgress,
}

impl Board {
	fn new(progress: OnProgress) -> Self {
		Self { lines: Mutex::default(), progress }
	}

	fn with<T>(&self, f: impl FnOnce(&mut BTreeMap<AccountId, (Server, ServerState)>) -> T) -> T {
		f(&mut self.lines.lock().unwrap_or_else(PoisonError::into_inner))
	}

	/// Gives a server its line; false if it has one.
	fn add(&self, server: &Server) -> bool {
		self.with(|lines| {
			let new = !lines.contains_key(&server.account);
			if new {
				let line = (server.clone(), ServerState::Sealed);
				lines.insert(server.account.clone(), line);
			}
			new
		})
	}

	fn has_unknown(&self, coverage: &Coverage) -> bool {
		self.with(|lines| coverage.members.iter().any(|member| !lines.contains_key(member)))
	}

	/// A confirmed server stays confirmed: the chain knows better than a late answer.
	fn set(&self, server: &Server, state: ServerState) {
		let changed = self.with(|lines| match lines.get_mut(&server.account) {
			Some((_, ServerState::Confirmed)) | None => false,
			Some((_, old)) => {
				*old = state.clone();
				true
			}
		});
		if changed {
			(self.progress)(Progress::Server { server: server.clone(), state });
		}
	}

	fn confirm(&self, coverage: &[Coverage]) {
		let confirmed = coverage.iter().flat_map(|coverage| &coverage.confirmed);
		let servers: Vec<Server> = self.with(|lines| {
			confirmed.filter_map(|account| lines.get(account)).map(|line| line.0.clone()).collect()
		});
		for server in servers {
			self.set(&server, ServerState::Confirmed);
		}
	}

	fn is_confirmed(&self, server: &Server) -> bool {
		self.with(|lines| matches!(lines.get(&server.account), Some((_, ServerState::Confirmed))))
	}

	/// Whether waiting can change nothing: the key is registered, finally, and every server has confirmed
	/// or failed; or a subgroup lacks its quorum and none of its members is still trying. One that
	/// has confirmed and is not ready may be so any time, and counts then.
	fn is_over(&self, shown: &RegistrationInfo, is_final: bool) -> bool {
		self.with(|lines| {
			let ended = |account: &AccountId| {
				lines.get(account).is_some_and(|(_, state)| {
					matches!(state, ServerState::Confirmed | ServerState::Failed { .. })
				})
			};
			if is_registered(shown) {
				return is_final && lines.keys().all(ended);
			}
			let stuck = |subgroup: &Coverage| {
				subgroup
					.members
					.iter()
					.all(|member| ended(member) && !is_confirmed_before_ready(member, subgroup))
			};
			shown.coverage.iter().any(|subgroup| !subgroup.is_reached() && stuck(subgroup))
		})
	}

	fn servers(&self) -> Vec<(Server, ServerState)> {
		let mut servers: Vec<_> = self.with(|lines| lines.values().cloned().collect());
		servers.sort_by(|a, b| a.0.cmp(&b.0));
		servers
	}

	fn missing(&self, coverage: &[Coverage]) -> Vec<MissingSubgroup> {
		coverage
			.iter()
			.filter(|coverage| !coverage.is_reached())
			.map(|coverage| MissingSubgroup {
				subgroup: coverage.subgroup,
				quorum: coverage.quorum,
				confirmed: u32::try_from(coverage.counted()).unwrap_or(u32::MAX),
				servers: coverage
					.members
					.iter()
					.filter(|member| {
						!coverage.confirmed.contains(member) || !coverage.ready.contains(member)
					})
					.map(|member| MissingServer {
						account: member.clone(),
						state: self.state_in_words(member, coverage),
					})
					.collect(),
			})
			.collect()
	}

	fn state_in_words(&self, member: &AccountId, coverage: &Coverage) -> String {
		let words = self.with(|lines| lines.get(member).map(|(_, state)| state.in_words()));
		let words = words.unwrap_or_else(|| "not sent".into());
		if coverage.ready.contains(member) {
			return words;
		}
		format!("{words}; it is not ready, and does not count yet")
	}
}

/// Whether a member has confirmed while it still fetches older shares: that counts once it is ready.
fn is_confirmed_before_ready(member: &AccountId, coverage: &Coverage) -> bool {
	coverage.confirmed.contains(member) && !coverage.ready.contains(member)
}
