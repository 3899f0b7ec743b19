//! What is done for a validator: `server`, `session-keys` and `validator`.

use super::Exit;
use crate::{
	cli::{self, Server, SessionKeys, Signed},
	input,
	output::Output,
	view,
};
use keyshare_client::{
	chain::Chain,
	validator::{Validator, ValidatorCall},
	Result,
};
use keyshare_primitives::{
	api::{MemberInfo, ValidatorInfo},
	AccountId,
};

/// `server`.
pub async fn server(url: &str, command: &Server, output: &Output) -> Result<Exit> {
	match command {
		Server::Declare { server, endpoint, signed } => {
			let declare =
				async |validator: Validator<'_>| validator.declare(server.as_ref(), endpoint).await;
			act(url, signed, output, declare).await
		}
		Server::ChangeEndpoint { endpoint, signed } => {
			let change = async |validator: Validator<'_>| validator.change_endpoint(endpoint).await;
			act(url, signed, output, change).await
		}
		Server::RotateKey { signed } => {
			let rotate = async |validator: Validator<'_>| validator.rotate_key().await;
			act(url, signed, output, rotate).await
		}
		Server::Withdraw { signed } => {
			let withdraw = async |validator: Validator<'_>| {
				validator.make(&ValidatorCall::WithdrawServer).await
			};
			act(url, signed, output, withdraw).await
		}
		Server::Status { account } => status(url, account, output).await,
	}
}

/// `session-keys`.
pub async fn session_keys(url: &str, command: &SessionKeys, output: &Output) -> Result<Exit> {
	let SessionKeys::Rotate { signed } = command;
	let rotate = async |validator: Validator<'_>| validator.rotate_session_keys().await;
	act(url, signed, output, rotate).await
}

/// `validator`.
pub async fn validator(url: &str, command: &cli::Validator, output: &Output) -> Result<Exit> {
	match command {
		cli::Validator::Accept { operator, signed } => {
			let accept = async |validator: Validator<'_>| validator.accept(operator).await;
			act(url, signed, output, accept).await
		}
		cli::Validator::Leave(signed) => {
			let leave = async |validator: Validator<'_>| validator.leave().await;
			act(url, signed, output, leave).await
		}
		cli::Validator::Status { account } => status(url, account, output).await,
	}
}

async fn status(url: &str, account: &AccountId, output: &Output) -> Result<Exit> {
	let chain = Chain::connect(url).await?;
	let info = chain.validator(account).await?;
	// Users see the accounts of servers everywhere else.
	if info.server.is_none() {
		let subgroups = chain.subgroups().await?;
		let mut members = subgroups.iter().flat_map(|subgroup| &subgroup.members);
		let is_its = |member: &&MemberInfo| member.server.account == *account;
		if let Some(MemberInfo { validator, .. }) = members.find(is_its) {
			output.note(&format!("{account} is the server of validator {validator}. That one:"));
			return show(validator, &chain.validator(validator).await?, output);
		}
	}
	show(account, &info, output)
}

/// Acts for the validator that signs, and shows where it stands afterwards.
async fn act(
	url: &str,
	signed: &Signed,
	output: &Output,
	act: impl AsyncFnOnce(Validator<'_>) -> Result<ValidatorInfo>,
) -> Result<Exit> {
	let chain = Chain::connect(url).await?;
	let signer = input::signer(&signed.signer, &chain, output).await?;
	let progress = output.progress();
	let deadline = signed.deadline.deadline;
	let validator = Validator { chain: &chain, signer: &signer, deadline, progress: &progress };
	let info = act(validator).await?;
	show(&signer.account(), &info, output)
}

/// Shows where a validator stands.
pub fn show(validator: &AccountId, info: &ValidatorInfo, output: &Output) -> Result<Exit> {
	let view = view::Validator::new(validator, info);
	output.data(&view, &view.words())?;
	Ok(None)
}
