//! `register`, `swap-key`, `reshare` and `resume`: a key becomes shares, and the servers get them.

use super::Exit;
use crate::{
	cli,
	input::{self, NewKey},
	output::Output,
	view::{Delivered, DryRun},
};
use keyshare_client::{
	call::Call,
	chain::{Chain, Cost},
	dealing::{self, Dealing},
	deliver::deliver,
	error::Refusal,
	payload::Payload,
	progress::Progress,
	submit::{carry_out, Sent, Signer},
	Error, Result,
};
use keyshare_constraints::{in_words, BitcoinNetwork};
use keyshare_primitives::{
	api::{AccountInfo, Readiness, RegistrationInfo, RegistrationStatus, SubgroupInfo},
	split::PrivateKey,
	wire::to_hex,
	AccountId, Balance, Constraints,
};
use std::path::Path;
use tokio::time::Instant;

/// `register`.
pub async fn register(url: &str, args: &cli::Register, output: &Output) -> Result<Exit> {
	input::one_stdin(args.key.source.key_stdin, &args.signer)?;
	let wanted = input::constraints(&args.constraints)?;
	let key = NewKey::read(&args.key, output)?;
	let chain = Chain::connect(url).await?;
	if wanted.is_none() {
		output.note(
			"Note: no constraints are given, so the key is kept and never used until `keyshare \
			 constraints set` allows something.",
		);
	}
	let scheme = key.key.scheme();
	let wanted = wanted.unwrap_or_default().read(scheme, output.bitcoin())?;
	let threshold = threshold(&chain, args.threshold.threshold, output)?;
	refuse_unready_subgroups(&chain).await?;
	let signer = input::signer(&args.signer, &chain, output).await?;
	let constraint_account = args.constraint_account.clone().unwrap_or_else(|| signer.account());
	let begin = |dealing: &Dealing| Call::Register {
		constraint_account,
		constraints: wanted.clone(),
		key: dealing.commitments.clone(),
		bitcoin: output.bitcoin(),
	};
	let deposit = chain.deposit(scheme, threshold, Some(&wanted)).await?;
	let deadline = args.deadline.deadline;
	let file = file_of_new(&args.key);
	let attempt = NewAttempt { chain: &chain, key, file, threshold, signer, deposit, deadline };
	attempt.run(begin, args.dry_run, output).await
}

/// `swap-key`.
pub async fn swap_key(url: &str, args: &cli::SwapKey, output: &Output) -> Result<Exit> {
	input::one_stdin(args.key.source.key_stdin, &args.signer)?;
	let key = NewKey::read(&args.key, output)?;
	let chain = Chain::connect(url).await?;
	let signer = input::signer(&args.signer, &chain, output).await?;
	let info = chain.registration(&signer.account()).await?;
	let wanted = match (args.threshold.threshold, &info.registered) {
		(None, Some(in_force)) => Some(kept_threshold(&chain, in_force, output)),
		(wanted, _) => wanted,
	};
	let threshold = threshold(&chain, wanted, output)?;
	refuse_unready_subgroups(&chain).await?;
	let kept = info.constraints.as_ref().filter(|_| info.registered.is_some());
	if let (Some((account, constraints)), Some(scheme)) = (kept, info.scheme()) {
		output.note(&format!(
			"The constraints stay as they are, to be changed by {account}:\n{}",
			in_words(constraints, scheme, output.bitcoin())
		));
	}
	let begin = |dealing: &Dealing| Call::SwapKey {
		key: dealing.commitments.clone(),
		bitcoin: output.bitcoin(),
	};
	let deposit = chain.deposit(key.key.scheme(), threshold, None).await?;
	let deadline = args.deadline.deadline;
	let file = file_of_new(&args.key);
	let attempt = NewAttempt { chain: &chain, key, file, threshold, signer, deposit, deadline };
	attempt.run(begin, args.dry_run, output).await
}

/// `reshare`: a swap to the same key, dealt anew.
pub async fn reshare(url: &str, args: &cli::Reshare, output: &Output) -> Result<Exit> {
	input::one_stdin(args.key.source.key_stdin, &args.signer)?;
	let key = input::existing_key(&args.key, output)?;
	let chain = Chain::connect(url).await?;
	let signer = input::signer(&args.signer, &chain, output).await?;
	let account = signer.account();
	let in_force = chain.registration(&account).await?.registered;
	let in_force = in_force.ok_or_else(|| {
		let description = format!("{account} has no key in force that could be dealt anew");
		Error::Refused(Refusal::registration("NotRegistered", description))
	})?;
	refuse_another_key(&key, &in_force, &account)?;
	let wanted = args.threshold.threshold;
	let wanted = wanted.unwrap_or_else(|| kept_threshold(&chain, &in_force, output));
	let threshold = threshold(&chain, Some(wanted), output)?;
	refuse_unready_subgroups(&chain).await?;
	output.note("To deal a key anew is to swap it for itself: the call is swap_key.");
	let begin = |dealing: &Dealing| Call::SwapKey {
		key: dealing.commitments.clone(),
		bitcoin: output.bitcoin(),
	};
	let deposit = chain.deposit(key.scheme(), threshold, None).await?;
	let (key, deadline) = (key.into(), args.deadline.deadline);
	let file = args.key.source.key_file.as_deref();
	let attempt = NewAttempt { chain: &chain, key, file, threshold, signer, deposit, deadline };
	attempt.run(begin, args.dry_run, output).await
}

/// `resume`.
pub async fn resume(url: &str, args: &cli::Resume, output: &Output) -> Result<Exit> {
	let key = input::existing_key(&args.key, output)?;
	let chain = Chain::connect(url).await?;
	let info = chain.registration(&args.account).await?;
	let public = Some(key.public_key());
	let of_this_key = |registration: &&RegistrationInfo| registration.key.public_key() == public;
	let registration = shown(&info).find(of_this_key).ok_or_else(|| {
		Error::State(Refusal::registration(
			"NotRegistering",
			format!(
				"the chain shows no attempt or key of {} with this key: was it cancelled, or did \
				 it expire?",
				args.account
			),
		))
	})?;
	let dealing =
		Dealing::find(&key, chain.parameters(), chain.genesis(), &args.account, &registration.key)?;
	let deadline = args.deadline.deadline;
	finish(&chain, &args.account, dealing, registration, Sent::nothing(), deadline, output).await
}

/// A key about to be registered.
struct NewAttempt<'a> {
	chain: &'a Chain,
	key: NewKey,
	/// Where it is or will be; none for standard input.
	file: Option<&'a Path>,
	threshold: u8,
	signer: Signer,
	/// What is held after a registration, or what a swap holds in addition.
	deposit: Balance,
	deadline: Instant,
}

impl NewAttempt<'_> {
	async fn run(
		self,
		begin: impl FnOnce(&Dealing) -> Call,
		dry_run: bool,
		output: &Output,
	) -> Result<Exit> {
		let chain = self.chain;
		let account = self.signer.account();
		let before = chain.registration(&account).await?;
		let dealing = Dealing::with_threshold(
			&self.key.key,
			self.threshold,
			chain.parameters(),
			chain.genesis(),
			&account,
			before.generation.saturating_add(1),
		)?;
		let call = begin(&dealing);
		call.check(&account, &before).map_err(Error::Refused)?;
		if dry_run {
			return self.show_cost(&call, &account, output).await;
		}
		self.key.save(output)?;
		let key = match self.file {
			Some(path) => format!("--key-file {}", path.display()),
			None => "--key-stdin".into(),
		};
		output.note(&format!(
			"If this is interrupted, `keyshare resume {account} {key}` goes on, once the chain shows the \
			 call."
		));
		let deadline = self.deadline;
		let (info, sent) =
			carry_out(chain, &call, &self.signer, deadline, &output.progress()).await?;
		let registration = shown(&info)
			.find(|registration| registration.key.commitments == dealing.commitments)
			.ok_or_else(|| {
				Error::Verification("the chain's answers contradict each other".into())
			})?;
		if let Call::Register { constraint_account, constraints, .. } = &call {
			refuse_other_constraints(constraint_account, constraints, &info, output.bitcoin())?;
		}
		finish(chain, &account, dealing, registration, sent, deadline, output).await
	}

	/// Shows what `call` would cost `account`, and what that has.
	async fn show_cost(&self, call: &Call, account: &AccountId, output: &Output) -> Result<Exit> {
		let chain = self.chain;
		let fee = chain.fee(call, account).await?;
		let confirmation_fee = chain.confirmation_fee().await?;
		let funds = chain.funds(account).await?;
		let (deposit, comes_back) = match call {
			Call::Register { .. } => {
				let lasting = chain.record_deposit().await?;
				new_deposit(self.deposit, funds.deposit, lasting)
			}
			_ => (self.deposit, self.deposit),
		};
		let cost = Cost { deposit, comes_back, fee, confirmation_fee };
		let encoded = chain.encode(call).await?;
		let kept = (!self.key.is_new()).then_some(encoded.as_slice());
		let view = DryRun::new(account, kept, call.in_words(), cost, funds.spendable);
		output.data(&view, &view.words()).map(|()| None)
	}
}

/// What a registration holds beyond what is `held` from the account already, and how much of that comes
/// back: all of it but for the `lasting` part, if that is not paid for from an earlier attempt.
fn new_deposit(due: Balance, held: Balance, lasting: Balance) -> (Balance, Balance) {
	let deposit = due.saturating_sub(held);
	(deposit, deposit.saturating_sub(lasting.saturating_sub(held)))
}

/// Where a key to register is, or is written to; none for standard input.
fn file_of_new(key: &cli::NewKey) -> Option<&Path> {
	key.source.key_file.as_deref().or(key.source.generate.as_deref())
}

/// Checks what the chain shows, sends the shares, and shows the outcome.
async fn finish(
	chain: &Chain,
	account: &AccountId,
	dealing: Dealing,
	registration: &RegistrationInfo,
	sent: Sent,
	deadline: Instant,
	output: &Output,
) -> Result<Exit> {
	let progress = output.progress();
	let record = &registration.key;
	let checked = dealing.check(chain.parameters(), chain.genesis(), account, record)?;
	progress(Progress::Open {
		id: record.id,
		generation: record.generation,
		expires_at: match registration.status {
			RegistrationStatus::Registering { expires_at } => Some(expires_at),
			RegistrationStatus::Registered => None,
		},
	});
	let delivery = deliver(chain, account, &checked, sent, deadline, &progress).await?;
	let view = Delivered::new(account, &delivery);
	output.data(&view, &view.words())?;
	Ok(None)
}

/// A call that was signed elsewhere may be an earlier one, with the same key and other constraints.
fn refuse_other_constraints(
	constraint_account: &AccountId,
	constraints: &Constraints,
	info: &AccountInfo,
	bitcoin: BitcoinNetwork,
) -> Result<()> {
	let Some((account, shown)) = &info.constraints else { return Ok(()) };
	if account == constraint_account && shown == constraints {
		return Ok(());
	}
	let words = info.scheme().map(|scheme| in_words(shown, scheme, bitcoin)).unwrap_or_default();
	Err(Error::State(Refusal::registration(
		"ConstraintsDiffer",
		format!(
			"the attempt was begun with other constraints, or another constraint-modification account, \
			 than you ask for. The chain has, to be changed by {account}:\n{words}\n`keyshare \
			 constraints set` changes them, `keyshare resume` goes on with these, `keyshare cancel` \
			 gives the attempt up"
		),
	)))
}

/// The attempt under way and the key in force, in this order.
fn shown(info: &AccountInfo) -> impl Iterator<Item = &RegistrationInfo> {
	info.registering.iter().chain(&info.registered)
}

/// The threshold of the key in force, which a swap keeps. Says if it cannot.
fn kept_threshold(chain: &Chain, in_force: &RegistrationInfo, output: &Output) -> u8 {
	let now = in_force.key.commitments.len();
	let kept = dealing::kept_threshold(chain.parameters(), &in_force.key);
	if usize::from(kept) != now {
		output.note(&format!(
			"Note: the key in force has a threshold of {now}, which this chain does not allow any more. \
			 The new one has the nearest that it does: {kept}."
		));
	}
	kept
}

/// How many subgroups' shares are to make up the key. Says what it means if these are all.
fn threshold(chain: &Chain, wanted: Option<u8>, output: &Output) -> Result<u8> {
	let parameters = chain.parameters();
	let threshold = dealing::threshold(parameters, wanted)?;
	if threshold == parameters.subgroups {
		output.note(&format!(
			"Warning: with a threshold of {threshold} of {threshold} subgroups, the loss of one \
			 subgroup's share is the end of the key: keep a backup of it."
		));
	}
	Ok(threshold)
}

/// A reshare that gets another key by mistake would replace the one in force.
fn refuse_another_key(
	key: &PrivateKey,
	in_force: &RegistrationInfo,
	account: &AccountId,
) -> Result<()> {
	let given = key.public_key();
	match in_force.key.public_key() {
		Some(registered) if registered == given => Ok(()),
		registered => Err(Error::Input(format!(
			"this is not the key in force of {account}: its public key is {}, and the one in force \
			 has {}. Give the key that is registered; `keyshare swap-key` replaces it by another",
			to_hex(given.as_ref()),
			registered.map(|element| to_hex(element.as_ref())).unwrap_or_default()
		))),
	}
}

/// The chain refuses an attempt that nobody could complete now; so does this, before anyone signs.
async fn refuse_unready_subgroups(chain: &Chain) -> Result<()> {
	let subgroups = chain.subgroups().await?;
	let is_ready = |subgroup: &SubgroupInfo| {
		subgroup.members.iter().any(|member| member.readiness == Readiness::Ready)
	};
	match subgroups.iter().find(|subgroup| !is_ready(subgroup)) {
		Some(unready) => Err(Error::Refused(Refusal::registration(
			"NoReadyMember",
			format!("no member of subgroup {} is ready", unready.id),
		))),
		None => Ok(()),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn an_account_that_returns_has_paid_for_its_record() {
		// A new account: all comes back but what the record costs.
		assert_eq!(new_deposit(2424, 0, 1086), (2424, 1338));
		// That is held still after it has deregistered.
		assert_eq!(new_deposit(2424, 1086, 1086), (1338, 1338));
		// Prices that have changed since make no debts.
		assert_eq!(new_deposit(2424, 3000, 1086), (0, 0));
	}
}
