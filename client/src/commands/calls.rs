//! The commands that are one signed call.

use super::Exit;
use crate::{
	cli::{ConstraintsInput, Signed},
	input,
	output::Output,
	view::{Account, ConstraintsDryRun},
};
use keyshare_client::{
	call::Call, chain::Chain, error::Refusal, payload::Payload, submit::carry_out, Error, Result,
};
use keyshare_primitives::{api::AccountInfo, AccountId, Balance, Constraints, KeyScheme};

/// `constraints set`.
pub async fn set_constraints(
	url: &str,
	account: &AccountId,
	input: &ConstraintsInput,
	signed: &Signed,
	dry_run: bool,
	output: &Output,
) -> Result<Exit> {
	let wanted = input::constraints(input)?.ok_or_else(|| {
		Error::Input(
			"say which constraints: --allow, --fee and --messages, or --constraints FILE. With \
			 `--messages never` alone nothing is allowed any more"
				.into(),
		)
	})?;
	let chain = Chain::connect(url).await?;
	let info = chain.registration(account).await?;
	let scheme = info.scheme().ok_or_else(|| {
		let description =
			"the account has no constraints: it is neither registered nor registering";
		Error::Refused(Refusal::registration("NoConstraints", description))
	})?;
	let bitcoin = output.bitcoin();
	let constraints = wanted.read(scheme, bitcoin)?;
	let call = Call::UpdateConstraints {
		account: account.clone(),
		constraints: constraints.clone(),
		scheme,
		bitcoin,
	};
	if dry_run {
		let change = deposit_change(&chain, &info, &constraints).await?;
		let signer = input::signer(&signed.signer, &chain, output).await?.account();
		call.check(&signer, &info).map_err(Error::Refused)?;
		let fee = chain.fee(&call, &signer).await?;
		let encoded = chain.encode(&call).await?;
		let view = ConstraintsDryRun::new(&signer, &encoded, call.in_words(), fee, account, change);
		return output.data(&view, view.in_words()).map(|()| None);
	}
	make(&chain, &call, signed, output).await
}

/// The deposit before and after, with these constraints in place of those that are there. What else it is
/// held for is the same in both.
async fn deposit_change(
	chain: &Chain,
	info: &AccountInfo,
	constraints: &Constraints,
) -> Result<(Balance, Balance)> {
	let (scheme, threshold) = (KeyScheme::Ed25519, chain.parameters().threshold);
	let before = match &info.constraints {
		Some((_, before)) => chain.deposit(scheme, threshold, Some(before)).await?,
		None => 0,
	};
	Ok((before, chain.deposit(scheme, threshold, Some(constraints)).await?))
}

/// `constraints transfer`.
pub async fn transfer_constraints(
	url: &str,
	account: &AccountId,
	new: &AccountId,
	signed: &Signed,
	output: &Output,
) -> Result<Exit> {
	let chain = Chain::connect(url).await?;
	let call = Call::ChangeConstraintAccount { account: account.clone(), new: new.clone() };
	make(&chain, &call, signed, output).await
}

/// `cancel`.
pub async fn cancel(url: &str, signed: &Signed, output: &Output) -> Result<Exit> {
	make(&Chain::connect(url).await?, &Call::Cancel, signed, output).await
}

/// `deregister`.
pub async fn deregister(url: &str, signed: &Signed, output: &Output) -> Result<Exit> {
	make(&Chain::connect(url).await?, &Call::Deregister, signed, output).await
}

/// Makes the call, and shows what the chain holds for its subject afterwards.
async fn make(chain: &Chain, call: &Call, signed: &Signed, output: &Output) -> Result<Exit> {
	let signer = input::signer(&signed.signer, chain, output).await?;
	let deadline = signed.deadline.deadline;
	let (info, _) = carry_out(chain, call, &signer, deadline, &output.progress()).await?;
	let view = Account::new(call.subject(&signer.account()), &info, output.bitcoin());
	output.data(&view, &view.words())?;
	Ok(None)
}
