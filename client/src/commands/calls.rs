//! The commands that are one signed call.

use super::Exit;
use crate::{
	cli::{ConstraintsInput, Signed},
	input,
	output::Output,
	view::Account,
};
use keyshare_client::{call::Call, chain::Chain, error::Refusal, submit::carry_out, Error, Result};
use keyshare_primitives::AccountId;

/// `constraints set`.
pub async fn set_constraints(
	url: &str,
	account: &AccountId,
	input: &ConstraintsInput,
	signed: &Signed,
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
	let scheme = chain.registration(account).await?.scheme().ok_or_else(|| {
		let description =
			"the account has no constraints: it is neither registered nor registering";
		Error::Refused(Refusal::registration("NoConstraints", description))
	})?;
	let bitcoin = output.bitcoin();
	let constraints = wanted.read(scheme, bitcoin)?;
	let call = Call::UpdateConstraints { account: account.clone(), constraints, scheme, bitcoin };
	make(&chain, &call, signed, output).await
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
	let signer = input::signer(&signed.signer, chain).await?;
	let deadline = signed.deadline.starting_now();
	let (info, _) = carry_out(chain, call, &signer, deadline, &output.progress()).await?;
	let view = Account::new(call.subject(&signer.account()), &info, output.bitcoin());
	output.data(&view, &view.words())?;
	Ok(None)
}
