//! The commands that show what the chain holds.

use super::Exit;
use crate::{
	output::Output,
	view::{Account, AccountConstraints, Subgroups},
};
use keyshare_client::{chain::Chain, error::exit, Result};
use keyshare_primitives::AccountId;
use serde::Serialize;

/// `status`.
pub async fn status(url: &str, account: &AccountId, output: &Output) -> Result<Exit> {
	let chain = Chain::connect(url).await?;
	let view = Account::new(account, &chain.registration(account).await?, output.bitcoin());
	output.data(&view, &view.words())?;
	Ok(None)
}

/// `status --watch`: every change, until no attempt is under way.
pub async fn watch(url: &str, account: &AccountId, output: &Output) -> Result<Exit> {
	let chain = Chain::connect(url).await?;
	let progress = output.progress();
	let mut follower = chain.follow(account, &progress);
	let mut last = None;
	loop {
		let seen = follower.next().await?;
		let view = Account::new(account, &seen.best, output.bitcoin());
		if last.as_ref() != Some(&view) {
			output.data(&view, &view.words())?;
			last = Some(view);
		}
		// What is in the best block alone may be there again.
		if seen.best.registering.is_none() && seen.finalized == seen.best {
			return Ok(seen.best.registered.is_none().then_some(exit::INCOMPLETE));
		}
	}
}

/// `subgroups`.
pub async fn subgroups(url: &str, output: &Output) -> Result<Exit> {
	let chain = Chain::connect(url).await?;
	let (subgroups, operators) = (chain.subgroups().await?, chain.operators().await?);
	let view = Subgroups::new(chain.parameters().threshold, &subgroups, &operators);
	output.data(&view, &view.words())?;
	Ok(None)
}

/// `constraints get`.
pub async fn constraints(url: &str, account: &AccountId, output: &Output) -> Result<Exit> {
	#[derive(Serialize)]
	struct View {
		account: String,
		#[serde(flatten)]
		constraints: AccountConstraints,
	}
	let chain = Chain::connect(url).await?;
	let info = chain.registration(account).await?;
	let constraints = AccountConstraints::new(&info, output.bitcoin());
	let words = format!("{account}\n{}", constraints.words());
	output.data(&View { account: account.to_string(), constraints }, &words)?;
	Ok(None)
}
