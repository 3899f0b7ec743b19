//! Carrying out a call: signed here, or in the user's own wallet.
//!
//! **A call is done when it is final.** Whether it is, the chain's state alone says; the transaction is
//! followed beside it until it is final itself, so that one that is dropped, or fails, is noticed at once.

use crate::{
	account::account_of,
	call::Call,
	chain::{At, Chain, InBlock, MORTALITY_BLOCKS, POLL},
	connection::answer,
	error::{Error, Incomplete, Refusal, Result, NOTHING_SIGNED},
	follow::Finality,
	payload::{Payload, SUDO},
	progress::{OnProgress, Progress},
};
use keyshare_primitives::{api::AccountInfo, wire::to_hex, AccountId};
use std::{
	future::{pending, Future},
	pin::pin,
	sync::{
		atomic::{AtomicBool, Ordering},
		Arc,
	},
	time::Duration,
};
use subxt::{
	error::{BackendError, DispatchError, ExtrinsicError, RpcError, TransactionEventsError},
	rpcs::UserError,
	tx::TransactionStatus,
};
use subxt_signer::sr25519::Keypair;
use tokio::{
	sync::oneshot,
	task::JoinHandle,
	time::{sleep, sleep_until, timeout_at, Instant},
};

/// What the pool calls a signature that does not hold: ours do, so they were made for another
/// version of the runtime. That of the finalized block is signed for, and an upgrade is in force
/// from the best one.
const BAD_PROOF: &str = "BadProof";

/// What the pool says of a transaction whose block of birth it does not know. Ours was born just now,
/// so the pool is behind: that of a node that has caught up with the chain follows it from the next
/// block on.
const ANCIENT: &str = "AncientBirthBlock";

/// The refusals that pass by themselves: signed again, the same call is taken.
const PASSING: [&str; 2] = [BAD_PROOF, ANCIENT];

/// How long that may take: for an upgrade, until it is final.
const PASSING_PATIENCE: Duration = Duration::from_secs(60);

/// Who signs.
pub enum Signer {
	/// This process, with a key it holds.
	Key(Box<Keypair>),
	/// The account's owner, in a wallet of their own.
	Elsewhere(AccountId),
}

impl Signer {
	/// The account that signs.
	pub fn account(&self) -> AccountId {
		match self {
			Self::Key(key) => account_of(key),
			Self::Elsewhere(account) => account.clone(),
		}
	}
}

/// Makes `call` and waits until the chain shows it done. Gives the subject's state then, and the
/// transaction, which may not be final yet: of a call that begins an attempt, for what follows reads the
/// chain too, and ends only with what is final. Any other call is final when this returns.
///
/// Fails without asking for a signature if the chain would refuse the call. A call that is done
/// already is not made again.
pub async fn carry_out(
	chain: &Chain,
	call: &Call,
	signer: &Signer,
	deadline: Instant,
	progress: &OnProgress,
) -> Result<(AccountInfo, Sent)> {
	let account = signer.account();
	let subject = call.subject(&account);
	let before = chain.registration(subject).await?;
	call.check(&account, &before).map_err(Error::Refused)?;
	let is_done = |info: &AccountInfo| call.is_done(info) && !call.came_too_late(&before, info);
	let mut sent = Sent::nothing();
	if is_done(&before) {
		progress(Progress::NothingToDo);
	} else {
		sent = begin(chain, call, signer, deadline, progress).await?;
	}
	let done = async {
		let mut follower = chain.follow(subject, progress);
		let mut finality = Finality::default();
		loop {
			let seen = follower.next().await?;
			let is_final = finality.is_final(&seen, is_done);
			if is_final || (call.begins_an_attempt() && is_done(&seen.best)) {
				return Ok(seen.best);
			}
		}
	};
	let mut done = pin!(done);
	loop {
		match first(done.as_mut(), &mut sent, deadline).await {
			First::Done(info) => return info.map(|info| (info, sent)),
			First::Trouble(trouble)
				if trouble.is_doubtful(call) && is_done(&chain.registration(subject).await?) => {}
			First::Trouble(trouble) => return Err(Error::Refused(trouble.refusal())),
			First::TooLate => return Err(too_late(chain, call, &sent)),
		}
	}
}

/// Makes `call`, and waits until what `is_done` finds in the chain's best block is final.
pub async fn carry_out_until(
	chain: &Chain,
	call: &impl Payload,
	signer: &Signer,
	deadline: Instant,
	progress: &OnProgress,
	is_done: impl AsyncFn(At) -> Result<bool>,
) -> Result<()> {
	let mut sent = match is_done(At::Best).await? {
		// It was made before, and may not be final.
		true => {
			progress(Progress::NothingToDo);
			Sent::nothing()
		}
		false => begin(chain, call, signer, deadline, progress).await?,
	};
	let mut done = pin!(chain.until_final(progress, &is_done));
	loop {
		match first(done.as_mut(), &mut sent, deadline).await {
			First::Done(outcome) => return outcome,
			First::Trouble(Trouble::Dropped(_)) if is_done(At::Best).await? => {}
			First::Trouble(trouble) => return Err(Error::Refused(trouble.refusal())),
			First::TooLate => return Err(too_late(chain, call, &sent)),
		}
	}
}

/// What comes first.
enum First<T> {
	/// What was waited for.
	Done(T),
	/// The transaction failed, or was dropped.
	Trouble(Trouble),
	/// The deadline.
	TooLate,
}

async fn first<T>(done: impl Future<Output = T>, sent: &mut Sent, deadline: Instant) -> First<T> {
	tokio::select! {
		outcome = done => First::Done(outcome),
		trouble = sent.trouble() => First::Trouble(trouble),
		() = sleep_until(deadline) => First::TooLate,
	}
}

/// What a transaction came to, if not to what it should.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trouble {
	/// It is in a final block, and failed.
	Failed(Refusal),
	/// The node's pool has dropped it.
	Dropped(Refusal),
}

impl Trouble {
	/// Why.
	pub fn refusal(self) -> Refusal {
		match self {
			Self::Failed(refusal) | Self::Dropped(refusal) => refusal,
		}
	}

	/// Whether the chain may show the call's effect all the same: what is dropped may get into a block by
	/// another node's pool, and an attempt that is there already was begun by the same call.
	fn is_doubtful(&self, call: &Call) -> bool {
		matches!(self, Self::Dropped(_)) || call.begins_an_attempt()
	}
}

/// A transaction on its way, followed until it is final.
pub struct Sent {
	trouble: Option<oneshot::Receiver<Trouble>>,
	task: Option<JoinHandle<()>>,
	/// Whether it was in a best block when it was last heard of.
	is_included: Arc<AtomicBool>,
}

impl Sent {
	/// None: the call was made before, or is signed elsewhere.
	pub fn nothing() -> Self {
		Self { trouble: None, task: None, is_included: Arc::default() }
	}

	/// Why it did nothing: it failed, or was dropped before it was final. Otherwise this never ends; nor does
	/// it tell the same twice.
	pub async fn trouble(&mut self) -> Trouble {
		if let Some(trouble) = &mut self.trouble {
			let told = trouble.await;
			self.trouble = None;
			if let Ok(trouble) = told {
				return trouble;
			}
		}
		pending().await
	}
}

impl Drop for Sent {
	fn drop(&mut self) {
		if let Some(task) = &self.task {
			task.abort();
		}
	}
}

fn too_late(chain: &Chain, call: &impl Payload, sent: &Sent) -> Error {
	let name = call.name();
	let what = match sent.is_included.load(Ordering::Relaxed) {
		true => format!("the block with the call {name} was final"),
		false => format!("the chain showed the call {name}"),
	};
	Error::Incomplete(Incomplete::waiting_for(chain.waited_for(what), call.if_too_late()))
}

/// Has the call signed, here and sent, or elsewhere, once the node follows the chain.
async fn begin(
	chain: &Chain,
	call: &impl Payload,
	signer: &Signer,
	deadline: Instant,
	progress: &OnProgress,
) -> Result<Sent> {
	if chain.is_behind().await? {
		progress(Progress::NodeBehind);
		let caught_up = async {
			while chain.is_behind().await? {
				sleep(POLL).await;
			}
			Ok::<_, Error>(())
		};
		timeout_at(deadline, caught_up).await.map_err(|_| {
			let what = "the node had caught up with the chain".into();
			Error::Incomplete(Incomplete::waiting_for(chain.waited_for(what), NOTHING_SIGNED))
		})??;
	}
	if let Signer::Key(key) = signer {
		progress(Progress::Signing { signer: account_of(key), words: call.in_words() });
	}
	let encoded = chain.encode(call).await?;
	match signer {
		Signer::Key(key) => {
			let sending = submit(chain, call, key, deadline, progress);
			let sent = timeout_at(deadline, sending).await;
			sent.map_err(|_| too_late(chain, call, &Sent::nothing()))?
		}
		Signer::Elsewhere(account) => {
			progress(Progress::SignElsewhere {
				signer: account.clone(),
				call: to_hex(&encoded),
				words: call.in_words(),
			});
			Ok(Sent::nothing())
		}
	}
}

/// Signs and sends. Losing sight of the transaction is no error: the state decides.
async fn submit(
	chain: &Chain,
	call: &impl Payload,
	key: &Keypair,
	deadline: Instant,
	progress: &OnProgress,
) -> Result<Sent> {
	let payload = call.dynamic();
	let settled_by = deadline.min(Instant::now() + PASSING_PATIENCE);
	let mut watch = loop {
		let transactions = chain.transactions().await?;
		let signed = chain
			.signable(&transactions, &payload, &account_of(key))
			.await?
			.sign(key)
			.map_err(|error| answer("the transaction's format", error))?;
		match signed.submit_and_watch().await {
			Ok(watch) => break watch,
			Err(error) => match not_submitted(error, progress) {
				Err(Error::Refused(refusal))
					if refusal.name.as_deref().is_some_and(|name| PASSING.contains(&name))
						// Before the deadline cuts it off, so that it is told why.
						&& Instant::now() + POLL < settled_by =>
				{
					sleep(POLL).await;
				}
				result => return result.map(|()| Sent::nothing()),
			},
		}
	};
	let name = call.name();
	progress(Progress::Submitted { call: name });
	let (sender, trouble) = oneshot::channel();
	let progress = progress.clone();
	let is_included = Arc::<AtomicBool>::default();
	let included = is_included.clone();
	let task = tokio::spawn(async move {
		while let Some(Ok(status)) = watch.next().await {
			included.store(
				matches!(
					status,
					TransactionStatus::InBestBlock(_) | TransactionStatus::InFinalizedBlock(_)
				),
				Ordering::Relaxed,
			);
			match status {
				TransactionStatus::InBestBlock(block) => {
					let block = to_hex(block.block_hash().as_bytes());
					progress(Progress::Included { call: name, block });
				}
				TransactionStatus::InFinalizedBlock(block) => {
					if let Some(refusal) = failure(&block).await {
						// Whoever asked may be gone.
						let _ = sender.send(Trouble::Failed(refusal));
					}
					return;
				}
				TransactionStatus::Invalid { message }
				| TransactionStatus::Dropped { message }
				| TransactionStatus::Error { message } => {
					let _ = sender.send(Trouble::Dropped(Refusal::unnamed(format!(
						"the node's pool has dropped the call before it was final: {message}. It may \
						 still get into a block by another node, for {MORTALITY_BLOCKS} blocks: look at the \
						 account's status before you make it again"
					))));
					return;
				}
				TransactionStatus::Validated
				| TransactionStatus::Broadcasted
				| TransactionStatus::NoLongerInBestBlock => {}
			}
		}
	});
	Ok(Sent { trouble: Some(trouble), task: Some(task), is_included })
}

/// Why a transaction in a block did not do what it should. None for a block that cannot be read:
/// the state decides.
async fn failure(block: &InBlock) -> Option<Refusal> {
	let events = match block.wait_for_success().await {
		Ok(events) => events,
		Err(TransactionEventsError::ExtrinsicFailed(error)) => {
			return Some(dispatch_refusal(&error))
		}
		Err(_) => return None,
	};
	let error = events.iter().flatten().find_map(|event| {
		root_error(event.pallet_name(), event.event_name(), event.field_bytes()).map(<[u8]>::to_vec)
	})?;
	let metadata = block.at().await.ok()?.metadata();
	Some(match DispatchError::decode_from(error, metadata) {
		Ok(error) => dispatch_refusal(&error),
		Err(error) => Refusal::unnamed(error.to_string()),
	})
}

/// The encoded error of a call that was made as root, from the event that tells of it: `Sudo.sudo`
/// itself succeeds even if the call inside does not.
fn root_error<'a>(pallet: &str, event: &str, fields: &'a [u8]) -> Option<&'a [u8]> {
	match (pallet, event, fields) {
		// `sudo_result: Result<(), DispatchError>`
		(SUDO, "Sudid", [1, error @ ..]) => Some(error),
		_ => None,
	}
}

/// The pool's refusal is final. A connection lost while sending is not: the transaction may have
/// arrived.
fn not_submitted(error: ExtrinsicError, progress: &OnProgress) -> Result<()> {
	match error {
		ExtrinsicError::ErrorSubmittingTransaction(BackendError::Rpc(RpcError::ClientError(
			subxt::rpcs::Error::User(error),
		))) => Err(Error::Refused(pool_refusal(&error))),
		ExtrinsicError::ErrorSubmittingTransaction(error) => {
			progress(Progress::NodeLost { reason: error.to_string() });
			Ok(())
		}
		error => Err(answer("author_submitAndWatchExtrinsic", error)),
	}
}

/// The transaction pool says what is wrong in the error's data.
fn pool_refusal(error: &UserError) -> Refusal {
	let data = error.data.as_ref().map(|data| data.get().trim_matches('"').to_owned());
	let reason = data.unwrap_or_default();
	let names = [
		("pay some fees", "Payment"),
		("outdated", "Stale"),
		("bad signature", BAD_PROOF),
		("ancient birth block", ANCIENT),
	];
	let name = names
		.into_iter()
		.find(|(words, _)| reason.contains(words))
		.map(|(_, name)| name.to_owned());
	let description = if reason.is_empty() {
		error.message.clone()
	} else {
		format!("{}: {reason}", error.message)
	};
	Refusal { name, description }
}

/// The error's name, and what its documentation in the metadata says.
fn dispatch_refusal(error: &DispatchError) -> Refusal {
	match error {
		DispatchError::Module(module) => match module.details() {
			Ok(details) => Refusal {
				name: Some(format!("{}::{}", details.pallet.name(), details.variant.name)),
				description: first_or(&details.variant.docs.join(" "), "it gives no reason"),
			},
			Err(_) => Refusal::unnamed(module.to_string()),
		},
		DispatchError::Token(token) => {
			Refusal { name: Some(format!("Token::{token:?}")), description: token.to_string() }
		}
		other => Refusal::unnamed(other.to_string()),
	}
}

fn first_or(text: &str, otherwise: &str) -> String {
	let text = text.trim();
	if text.is_empty() { otherwise } else { text }.to_owned()
}

#[cfg(test)]
mod tests {
	use super::*;

	fn user_error(data: Option<&str>) -> UserError {
		let json =
			serde_json::json!({ "code": 1010, "message": "Invalid Transaction", "data": data });
		serde_json::from_value(json).expect("its shape")
	}

	#[test]
	fn the_pools_reasons_are_named() {
		let cannot_pay = "Inability to pay some fees (e.g. account balance too low)";
		let refusal = pool_refusal(&user_error(Some(cannot_pay)));
		assert_eq!(refusal.name.as_deref(), Some("Payment"));
		assert!(refusal.description.contains(cannot_pay), "{refusal}");
		assert!(refusal.hint().is_some());
		let stale = pool_refusal(&user_error(Some("Transaction is outdated")));
		assert_eq!(stale.name.as_deref(), Some("Stale"));
		let other_version = pool_refusal(&user_error(Some("Transaction has a bad signature")));
		assert_eq!(other_version.name.as_deref(), Some(BAD_PROOF));
		assert!(other_version.hint().is_some());
		let born = pool_refusal(&user_error(Some("Transaction has an ancient birth block")));
		assert!(born.name.is_some_and(|name| PASSING.contains(&name.as_str())));
		let bare = pool_refusal(&user_error(None));
		assert_eq!(bare, Refusal::unnamed("Invalid Transaction"));
	}

	#[test]
	fn a_call_that_failed_inside_of_sudo_has_failed() {
		// `Err(Module { index: 7, error: [3, 0, 0, 0] })`
		let failed = [1, 3, 7, 3, 0, 0, 0];
		assert_eq!(root_error("Sudo", "Sudid", &failed), Some(&failed[1..]));
		assert_eq!(root_error("Sudo", "Sudid", &[0]), None);
		assert_eq!(root_error("Sudo", "KeyChanged", &failed), None);
		assert_eq!(root_error("Balances", "Sudid", &failed), None);
	}

	#[test]
	fn tokens_and_others_are_named() {
		let token = DispatchError::Token(subxt::error::TokenError::FundsUnavailable);
		let refusal = dispatch_refusal(&token);
		assert_eq!(refusal.name.as_deref(), Some("Token::FundsUnavailable"));
		assert!(refusal.hint().is_some());
		assert_eq!(dispatch_refusal(&DispatchError::BadOrigin).name, None);
	}
}
