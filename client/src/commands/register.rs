//! `register`, `swap-key` and `resume`: a key becomes shares, and the servers get them.

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
	constraints,
	dealing::Dealing,
	deliver::deliver,
	error::Refusal,
	payload::Payload,
	progress::Event,
	submit::{carry_out, Signer},
	Error, Result,
};
use keyshare_primitives::{
	api::{AccountInfo, RegistrationInfo, RegistrationStatus},
	AccountId,
};
use tokio::time::Instant;

/// `register`.
pub async fn register(url: &str, args: &cli::Register, output: &Output) -> Result<Exit> {
	input::one_stdin(args.key.source.key_stdin, &args.signer)?;
	let wanted = input::constraints(&args.constraints)?;
	let key = NewKey::read(&args.key, output)?;
	let chain = Chain::connect(url).await?;
	if wanted.is_none() {
		output.note(
			"Note: no constraints are given, so EVM and Bitcoin are both switched off until \
			 `keyshare constraints set` changes that.",
		);
	}
	let wanted = wanted.unwrap_or_default();
	constraints::check_length(&wanted, chain.parameters().max_acl_addresses)?;
	refuse_empty_subgroups(&chain).await?;
	let signer = input::signer(&args.signer, &chain).await?;
	let constraint_account = args.constraint_account.clone().unwrap_or_else(|| signer.account());
	let begin = |dealing: &Dealing| Call::Register {
		constraint_account,
		constraints: wanted.clone(),
		key: dealing.commitments.clone(),
	};
	let deposit = chain.deposit(key.key.scheme(), Some(&wanted)).await?;
	let attempt = Attempt { chain: &chain, key, signer, deposit };
	attempt.run(begin, args.dry_run, &args.deadline, output).await
}

/// `swap-key`.
pub async fn swap_key(url: &str, args: &cli::SwapKey, output: &Output) -> Result<Exit> {
	input::one_stdin(args.key.source.key_stdin, &args.signer)?;
	let key = NewKey::read(&args.key, output)?;
	let chain = Chain::connect(url).await?;
	refuse_empty_subgroups(&chain).await?;
	let signer = input::signer(&args.signer, &chain).await?;
	let begin = |dealing: &Dealing| Call::SwapKey { key: dealing.commitments.clone() };
	let deposit = chain.deposit(key.key.scheme(), None).await?;
	let attempt = Attempt { chain: &chain, key, signer, deposit };
	attempt.run(begin, args.dry_run, &args.deadline, output).await
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
	let deadline = args.deadline.starting_now();
	finish(&chain, &args.account, dealing, registration, deadline, output).await
}

/// A key about to be registered.
struct Attempt<'a> {
	chain: &'a Chain,
	key: NewKey,
	signer: Signer,
	deposit: keyshare_primitives::Balance,
}

impl Attempt<'_> {
	async fn run(
		self,
		begin: impl FnOnce(&Dealing) -> Call,
		dry_run: bool,
		deadline: &cli::Deadline,
		output: &Output,
	) -> Result<Exit> {
		let chain = self.chain;
		let account = self.signer.account();
		let before = chain.registration(&account).await?;
		let dealing = Dealing::new(
			&self.key.key,
			chain.parameters(),
			chain.genesis(),
			&account,
			before.generation.saturating_add(1),
		)?;
		let call = begin(&dealing);
		call.check(&account, &before).map_err(Error::Refused)?;
		if dry_run {
			let fee = chain.fee(&call, &account).await?;
			let cost = Cost { deposit: self.deposit, fee };
			let encoded = chain.encode(&call).await?;
			let view = DryRun::new(&account, &encoded, call.in_words(), cost);
			return output.data(&view, &view.words()).map(|()| None);
		}
		self.key.save(output)?;
		let deadline = deadline.starting_now();
		let info = carry_out(chain, &call, &self.signer, deadline, &output.progress()).await?;
		let registration = shown(&info)
			.find(|registration| registration.key.commitments == dealing.commitments)
			.ok_or_else(|| {
				Error::Verification("the chain's answers contradict each other".into())
			})?;
		finish(chain, &account, dealing, registration, deadline, output).await
	}
}

/// Checks what the chain shows, sends the shares, and shows the outcome.
async fn finish(
	chain: &Chain,
	account: &AccountId,
	dealing: Dealing,
	registration: &RegistrationInfo,
	deadline: Instant,
	output: &Output,
) -> Result<Exit> {
	let progress = output.progress();
	let record = &registration.key;
	let checked = dealing.check(chain.parameters(), chain.genesis(), account, record)?;
	progress(Event::Open {
		id: record.id,
		generation: record.generation,
		expires_at: match registration.status {
			RegistrationStatus::Registering { expires_at } => Some(expires_at),
			RegistrationStatus::Registered => None,
		},
	});
	let delivery = deliver(chain, account, &checked, deadline, &progress).await?;
	let view = Delivered::new(account, &delivery);
	output.data(&view, &view.words())?;
	Ok(None)
}

/// The attempt under way and the key in force, in this order.
fn shown(info: &AccountInfo) -> impl Iterator<Item = &RegistrationInfo> {
	info.registering.iter().chain(&info.registered)
}

/// The chain refuses an attempt that can never be completed; so does this, before anyone signs.
async fn refuse_empty_subgroups(chain: &Chain) -> Result<()> {
	let subgroups = chain.subgroups().await?;
	match subgroups.iter().find(|subgroup| subgroup.members.is_empty()) {
		Some(empty) => Err(Error::Refused(Refusal::registration(
			"EmptySubgroup",
			format!("subgroup {} has no members", empty.id),
		))),
		None => Ok(()),
	}
}
