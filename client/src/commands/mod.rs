//! The commands: each reads its input, asks the library, and shows the answer.

mod calls;
mod key;
mod operator;
mod register;
mod show;
mod validator;
mod verify;

use crate::{
	cli::{Cli, Command, Constraints, Operator},
	output::Output,
};
use keyshare_client::{
	chain::require_safe_node,
	error::{exit, Incomplete, LOOK, LOOK_AT_OPERATOR, LOOK_AT_VALIDATOR, NOTHING_SIGNED, RESUME},
	Error, Result,
};
use std::time::Duration;
use tokio::time::timeout_at;

/// The waits inside a command end at the deadline, and name what is missing: they come first.
const LEEWAY: Duration = Duration::from_millis(500);

/// Runs the command and gives the exit code.
pub async fn run(cli: Cli, output: &Output) -> Result<u8> {
	let url = cli.global.url.as_str();
	if !matches!(cli.command, Command::Key(_)) {
		require_safe_node(url, cli.global.allow_plaintext_node)?;
	}
	let work = perform(&cli.command, url, output);
	let code = match cli.command.deadline() {
		Some(deadline) => timeout_at(deadline + LEEWAY, work)
			.await
			.unwrap_or_else(|_| Err(no_answer(&cli.command, url, output))),
		None => work.await,
	};
	code.map(|code| code.unwrap_or(exit::OK))
}

/// The deadline came while the node was asked something.
fn no_answer(command: &Command, url: &str, output: &Output) -> Error {
	let hint = match command {
		_ if !output.may_be_signed() => NOTHING_SIGNED,
		Command::Register(_) | Command::SwapKey(_) | Command::Reshare(_) => RESUME,
		Command::Server(_)
		| Command::SessionKeys(_)
		| Command::Validator(_)
		| Command::Operator(Operator::Back { .. }) => LOOK_AT_VALIDATOR,
		Command::Operator(_) => LOOK_AT_OPERATOR,
		_ => LOOK,
	};
	Error::Incomplete(Incomplete::waiting_for(format!("the node at {url} answered"), hint))
}

async fn perform(command: &Command, url: &str, output: &Output) -> Result<Exit> {
	match command {
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
		Command::Constraints(Constraints::Set { account, constraints, signed, dry_run }) => {
			calls::set_constraints(url, account, constraints, signed, *dry_run, output).await
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
}

/// No exit code of its own means that all is well.
type Exit = Option<u8>;
