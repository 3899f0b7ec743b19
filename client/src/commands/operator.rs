//! What a validator's operator does: `server`, `session-keys` and `validator`.

use super::Exit;
use crate::{
	cli::{Server, SessionKeys, Signed, Validator},
	input,
	output::Output,
	view,
};
use keyshare_client::{
	chain::Chain,
	operator::{Operator, OperatorCall},
	Result,
};
use keyshare_primitives::{api::ValidatorInfo, AccountId};

/// `server`.
pub async fn server(url: &str, command: &Server, output: &Output) -> Result<Exit> {
	match command {
		Server::Declare { server, endpoint, signed } => {
			let declare =
				async |operator: Operator<'_>| operator.declare(server.as_ref(), endpoint).await;
			act(url, signed, output, declare).await
		}
		Server::ChangeEndpoint { endpoint, signed } => {
			let change = async |operator: Operator<'_>| operator.change_endpoint(endpoint).await;
			act(url, signed, output, change).await
		}
		Server::RotateKey { signed } => {
			act(url, signed, output, async |operator: Operator<'_>| operator.rotate_key().await)
				.await
		}
		Server::Withdraw { signed } => {
			make(url, signed, output, OperatorCall::WithdrawServer).await
		}
		Server::Status { account } => {
			let chain = Chain::connect(url).await?;
			show(account, &chain.validator(account).await?, output)
		}
	}
}

/// `session-keys`.
pub async fn session_keys(url: &str, command: &SessionKeys, output: &Output) -> Result<Exit> {
	let SessionKeys::Rotate { signed } = command;
	act(url, signed, output, async |operator: Operator<'_>| operator.rotate_session_keys().await)
		.await
}

/// `validator`.
pub async fn validator(url: &str, command: &Validator, output: &Output) -> Result<Exit> {
	let (call, signed) = match command {
		Validator::Apply(signed) => (OperatorCall::RegisterAsCandidate, signed),
		Validator::Leave(signed) => (OperatorCall::LeaveIntent, signed),
	};
	make(url, signed, output, call).await
}

async fn make(url: &str, signed: &Signed, output: &Output, call: OperatorCall) -> Result<Exit> {
	act(url, signed, output, async |operator: Operator<'_>| operator.make(&call).await).await
}

/// Acts for the validator that signs, and shows where it stands afterwards.
async fn act(
	url: &str,
	signed: &Signed,
	output: &Output,
	act: impl AsyncFnOnce(Operator<'_>) -> Result<ValidatorInfo>,
) -> Result<Exit> {
	let chain = Chain::connect(url).await?;
	let signer = input::signer(&signed.signer, &chain).await?;
	let progress = output.progress();
	let deadline = signed.deadline.starting_now();
	let operator = Operator { chain: &chain, signer: &signer, deadline, progress: &progress };
	let info = act(operator).await?;
	show(&signer.account(), &info, output)
}

fn show(validator: &AccountId, info: &ValidatorInfo, output: &Output) -> Result<Exit> {
	let view = view::Validator::new(validator, info);
	output.data(&view, &view.words())?;
	Ok(None)
}
