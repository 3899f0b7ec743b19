//! `keyshare`: registers private keys with a Keyshare network, and shows and checks what became
//! of them. The work is done by the library; here are the command line and the output.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod cli;
mod commands;
mod input;
mod output;
mod view;

use clap::Parser;
use keyshare_client::{
	secret::{looks_like_a_secret, Misplaced},
	Error,
};
use keyshare_constraints::BitcoinNetwork;
use output::Output;
use std::{
	ffi::OsString,
	io::{self, Write},
	process::ExitCode,
};

fn main() -> ExitCode {
	if let Err(reason) = forbid_core_dumps() {
		// Nothing can be done when standard error is closed.
		let _ = writeln!(
			io::stderr(),
			"Warning: core dumps cannot be switched off ({reason}); they would show private keys."
		);
	}
	let cli = match cli::Cli::try_parse() {
		Ok(cli) => cli,
		Err(error) => return refuse(&error),
	};
	let output = Output::new(cli.global.json, cli.global.bitcoin_network.into());
	let result = tokio::runtime::Builder::new_multi_thread()
		.enable_all()
		.build()
		.map_err(Error::from)
		.and_then(|runtime| runtime.block_on(commands::run(cli, &output)));
	match result {
		Ok(code) => ExitCode::from(code),
		Err(error) => {
			output.failure(&error);
			ExitCode::from(error.exit_code())
		}
	}
}

/// A core dump would hold private keys in the clear. Nor do other processes of the same user read the memory
/// of this one then.
#[cfg(target_os = "linux")]
fn forbid_core_dumps() -> io::Result<()> {
	use rustix::process::{set_dumpable_behavior, DumpableBehavior};
	set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(Into::into)
}

#[cfg(not(target_os = "linux"))]
fn forbid_core_dumps() -> io::Result<()> {
	Ok(())
}

/// Answers a command line that asks for help, or that is wrong: that is a failure like any other.
fn refuse(error: &clap::Error) -> ExitCode {
	if !error.use_stderr() {
		// Nothing can be done when standard output is closed.
		let _ = error.print();
		return ExitCode::SUCCESS;
	}
	let text = without_secrets(&error.render().to_string(), std::env::args_os().skip(1));
	let message = match text.strip_prefix("error: ") {
		Some(message) => message.trim_end().to_owned(),
		// All that is said then is the help.
		None => {
			let _ = error.print();
			"the command line names no command".to_owned()
		}
	};
	let is_json = std::env::args_os().any(|argument| argument == "--json");
	let error = Error::Input(message);
	Output::new(is_json, BitcoinNetwork::default()).failure(&error);
	ExitCode::from(error.exit_code())
}

/// What is said of a wrong command line, which quotes it, without the secrets that are in it.
fn without_secrets(text: &str, arguments: impl Iterator<Item = OsString>) -> String {
	let mut shown = text.to_owned();
	for argument in arguments {
		let argument = argument.to_string_lossy();
		let value = argument.split_once('=').map_or("", |(_, value)| value);
		for given in [argument.trim(), value.trim()] {
			if looks_like_a_secret(given) {
				shown = shown.replace(given, "…");
			}
		}
	}
	let words = Misplaced::ARGUMENT.to_string();
	// What is no address says it by itself.
	match shown.strip_prefix("error: ") {
		Some(rest) if shown != text && !rest.contains("a secret was given") => {
			format!("error: {words}\n{rest}")
		}
		_ => shown,
	}
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
	use rustix::process::{dumpable_behavior, DumpableBehavior};

	#[test]
	fn no_core_is_written_of_a_process_that_reads_private_keys() {
		super::forbid_core_dumps().expect("nobody needs a right for it");
		assert_eq!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
	}
}
