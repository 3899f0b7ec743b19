//! `keyshare-node`: a node of the Keyshare chain that also holds key shares. Composition only;
//! the protocol is in `primitives`, the chain in `runtime`, the share intake in `rpc`.
//!
//! Each module uses only those below it; `tests/rooms.rs` holds them to that.
//!
//! | module | what it holds |
//! |---|---|
//! | [`run`] | from the command line to what is run |
//! | [`cli`] | the command line |
//! | [`commands`] | the subcommands that are this node's own |
//! | [`service`] | how a node's parts are put together |
//! | [`error`] | why the node or a command ends |
//! | [`shares`] | the share store, intake and listener within a node |
//! | [`rpc`] | what the ordinary RPC offers beside the usual |
//! | [`operator`] | what the ordinary RPC offers to the node's operator alone |
//! | [`server_keys`] | servers' keys: made, found, proven |
//! | [`password`] | the file with the share store's password |
//! | [`key_store`] | the key store, which one node uses at a time |
//! | [`file_system`] | which file systems can hold the share store |
//! | [`output`] | what commands print |
//! | [`options`] | options that the node and its commands have in common, as they are given |
//! | [`types`] | the types of a node's parts |
//! | [`chain_spec`] | the chains that are known by name |

#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![allow(clippy::result_large_err, reason = "the SDK's errors are large; none is on a hot path")]

mod chain_spec;
mod cli;
mod commands;
mod error;
mod file_system;
mod key_store;
mod operator;
mod options;
mod output;
mod password;
mod rpc;
mod run;
mod server_keys;
mod service;
mod shares;
mod types;

use std::{
	io::{self, Write},
	process::ExitCode,
};

/// Target of what this crate logs.
const LOG_TARGET: &str = keyshare_rpc::LOG_TARGET;

fn main() -> ExitCode {
	if let Err(reason) = forbid_core_dumps() {
		complain(&format!(
			"Warning: core dumps cannot be switched off ({reason}); they would show shares."
		));
	}
	match run::run() {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			complain(&format!("Error: {}", error::in_words(&error)));
			ExitCode::FAILURE
		}
	}
}

/// A line on standard error. Nothing can be done if that is closed.
fn complain(line: &str) {
	let _ = writeln!(io::stderr(), "{line}");
}

/// A core dump would hold secrets in the clear.
#[cfg(unix)]
fn forbid_core_dumps() -> io::Result<()> {
	use rustix::process::{setrlimit, Resource, Rlimit};
	setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
	// The limit is for files: a system that pipes dumps to a program does not ask for it. Nor do other
	// processes of the same user read this one's memory then.
	#[cfg(target_os = "linux")]
	{
		use rustix::process::{set_dumpable_behavior, DumpableBehavior};
		set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
	}
	Ok(())
}

#[cfg(not(unix))]
fn forbid_core_dumps() -> io::Result<()> {
	Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
	use rustix::process::{dumpable_behavior, getrlimit, DumpableBehavior, Resource};

	#[test]
	fn no_core_is_written_to_a_file_or_to_a_program() {
		super::forbid_core_dumps().expect("nobody needs a right for it");
		assert_eq!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
		assert_eq!(getrlimit(Resource::Core).maximum, Some(0));
	}
}
