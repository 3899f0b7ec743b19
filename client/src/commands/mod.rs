//! The commands: each reads its input, asks the library, and shows the answer.

mod calls;
mod key;
mod operator;
mod register;
mod show;
mod validator;
mod verify;

use crate::{
	cli::{Cli, Command, Constraints, Deadline},
	output::Output,
};
use keyshare_client::{chain::require_safe_node, error::exit, Result};
use std::time::Duration;
use tokio::time::Instant;

/// Runs the command and gives the exit code.
pub async fn run(cli: Cli, output: &Output) -> Result<u8> {
	let url = cli.global.url.as_str();
	if !matches!(cli.command, Command::Key(_)) {
		require_safe_node(url, cli.global.allow_plaintext_node)?;
	}
	match &cli.command {
		Command::Register(args) => register::register(url, args, output).await,
		Command::SwapKey(args) => register::swap_key(url, args, output).await,
		Command::Reshare(args) => register::reshare(url, args, output).await,
		Command::Resume(args) => register::resume(url, args, output).await,
		Command::Status(args) if args.watch => show::watch(url, &args.account, output).await,
		Command::Status(args) => show::status(url, &args.account, output).await,
		Command::Subgroups => show::subgroups(url, output).await,
		Command::Constraints(Constraints::Get { account }) => {
			show::constraints(url, account, output).await
		}
		Command::Constraints(Constraints::Set { account, constraints, signed }) => {
			calls::set_constraints(url, account, constraints, signed, output).await
		}
		Command::Constraints(Constraints::Transfer { account, new, signed }) => {
			calls::transfer_constraints(url, account, new, signed, output).await
		}
		Command::Cancel(signed) => calls::cancel(url, signed, output).await,
		Command::Deregister(signed) => calls::deregister(url, signed, output).await,
		Command::Verify(args) => verify::verify(url, args, output).await,
		Command::Key(command) => key::run(command, output),
		Command::Server(command) => validator::server(url, command, output).await,
		Command::SessionKeys(command) => validator::session_keys(url, command, output).await,
		Command::Validator(command) => validator::validator(url, command, output).await,
		Command::Operator(command) => operator::operator(url, command, output).await,
	}
	.map(|code| code.unwrap_or(exit::OK))
}

/// No exit code of its own means that all is well.
type Exit = Option<u8>;

impl Deadline {
	/// The instant `--deadline` stands for, counted from now.
	fn starting_now(&self) -> Instant {
		Instant::now() + Duration::from_secs(self.deadline)
	}
}
