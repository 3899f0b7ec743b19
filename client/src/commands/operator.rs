//! `operator`: who is admitted, and whose validators are whose.

use super::{validator, Exit};
use crate::{
	cli::{Operator, Signed},
	input,
	output::Output,
	view,
};
use keyshare_client::{
	chain::Chain,
	error::Refusal,
	operator::{is_all_that_is_ready, make, OperatorCall, Seen},
	submit::Signer,
	Error, Result,
};
use keyshare_primitives::{api::OperatorInfo, AccountId};

/// `operator`.
pub async fn operator(url: &str, command: &Operator, output: &Output) -> Result<Exit> {
	match command {
		Operator::Admit { account, name, subgroup, seats, signed } => {
			let call = OperatorCall::Admit {
				operator: account.clone(),
				name: name.clone(),
				subgroup: *subgroup,
				seats: *seats,
			};
			let signing = Signing::new(url, signed, output).await?;
			let seen = signing.make(&call, output).await?;
			signing.show_operator(&call, &seen, output)
		}
		Operator::Dismiss { account, force, signed } => {
			let call = OperatorCall::Dismiss { operator: account.clone(), force: *force };
			let signing = Signing::new(url, signed, output).await?;
			let before = Seen::read(&signing.chain, &call).await?;
			if let Some(operator) = before.operator(account) {
				warn_of_the_last(operator, *force, &signing.chain, output).await?;
			}
			let seen = signing.make(&call, output).await?;
			output.note(
				"A dismissed operator keeps the shares that it holds. Users who do not trust it \
				 should deal their keys anew now: `keyshare reshare`.",
			);
			signing.show_operator(&call, &seen, output)
		}
		Operator::Assign { validator, signed } => {
			let call = OperatorCall::Assign { validator: validator.clone() };
			let signing = Signing::new(url, signed, output).await?;
			let seen = signing.make(&call, output).await?;
			let operator = signing.signer.account();
			if seen.operator(&operator).is_some_and(|info| info.assigned.contains(validator)) {
				output.note(&format!(
					"Now {validator} has to accept: `keyshare validator accept {operator}`."
				));
			}
			signing.show_operator(&call, &seen, output)
		}
		Operator::Unassign { validator, signed } => {
			let call = OperatorCall::Unassign { validator: validator.clone() };
			let signing = Signing::new(url, signed, output).await?;
			let seen = signing.make(&call, output).await?;
			signing.show_operator(&call, &seen, output)
		}
		Operator::Back { validator, signed } => {
			let call = OperatorCall::Back { validator: validator.clone() };
			let signing = Signing::new(url, signed, output).await?;
			signing.make(&call, output).await?;
			validator::show(validator, &signing.chain.validator(validator).await?, output)
		}
		Operator::List => {
			let chain = Chain::connect(url).await?;
			let view = view::Operators::new(&chain.operators().await?);
			output.data(&view, &view.words())?;
			Ok(None)
		}
		Operator::Status { account } => {
			let operators = Chain::connect(url).await?.operators().await?;
			show(account, operators.iter().find(|info| info.account == *account), output)
		}
	}
}

/// A call that is to be signed.
struct Signing<'a> {
	chain: Chain,
	signer: Signer,
	signed: &'a Signed,
}

impl<'a> Signing<'a> {
	async fn new(url: &str, signed: &'a Signed, output: &Output) -> Result<Self> {
		let chain = Chain::connect(url).await?;
		let signer = input::signer(&signed.signer, &chain, output).await?;
		Ok(Self { chain, signer, signed })
	}

	async fn make(&self, call: &OperatorCall, output: &Output) -> Result<Seen> {
		let deadline = self.signed.deadline.deadline;
		make(&self.chain, call, &self.signer, deadline, &output.progress()).await
	}

	/// Shows the operator that `call` is about.
	fn show_operator(&self, call: &OperatorCall, seen: &Seen, output: &Output) -> Result<Exit> {
		let signer = self.signer.account();
		let operator = call.operator(&signer);
		show(operator, seen.operator(operator), output)
	}
}

fn show(account: &AccountId, info: Option<&OperatorInfo>, output: &Output) -> Result<Exit> {
	let info = info.ok_or_else(|| {
		let description = format!("{account} was never admitted as an operator");
		Error::State(Refusal::subgroups("NotAnOperator", description))
	})?;
	let view = view::Operator::from(info);
	output.data(&view, &view.words())?;
	Ok(None)
}

/// Says what becomes of a subgroup in which nobody else is ready.
async fn warn_of_the_last(
	operator: &OperatorInfo,
	force: bool,
	chain: &Chain,
	output: &Output,
) -> Result<()> {
	if !is_all_that_is_ready(operator, &chain.subgroups().await?) {
		return Ok(());
	}
	let subgroup = operator.subgroup;
	output.note(&if force {
		format!(
			"Warning: no other member of subgroup {subgroup} is ready. With --force its share of \
			 every key is lost unless another member holds it all the same, and no key can be \
			 registered until another one is ready."
		)
	} else {
		format!(
			"Note: no other member of subgroup {subgroup} is ready, so the last one of this operator \
			 stays a member until another one is."
		)
	});
	Ok(())
}
