//! `keyshare-node`: a node of the Keyshare chain that also holds key shares. Composition only;
//! the protocol is in `primitives`, the chain in `runtime`, the share intake in `rpc`.
//!
//! | module | what it holds |
//! |---|---|
//! | [`cli`] | the command line |
//! | [`command`] | from the command line to what is run |
//! | [`chain_spec`] | the chains that are known by name |
//! | [`service`] | a node's parts and how they are put together |
//! | [`shares`] | the share store, intake and listener within a node |
//! | [`server_keys`] | servers' keys: made, found, published |
//! | [`password`] | the file with the share store's password |
//! | [`share_store`] | the share store backed up, restored, checked, under another password |
//! | [`operator`] | what the ordinary RPC offers to the node's operator alone |
//! | [`rpc`] | what the ordinary RPC offers beside the usual |
//! | [`error`] | why the node or a command ends |

#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![allow(clippy::result_large_err, reason = "the SDK's errors are large; none is on a hot path")]

mod chain_spec;
mod cli;
mod command;
mod error;
mod operator;
mod password;
mod rpc;
mod server_keys;
mod service;
mod share_store;
mod shares;

use std::process::ExitCode;

/// Target of what this crate logs.
const LOG_TARGET: &str = keyshare_rpc::LOG_TARGET;

fn main() -> ExitCode {
	if let Err(reason) = forbid_core_dumps() {
		eprintln!("Warning: core dumps cannot be switched off ({reason}); they would show shares.");
	}
	match command::run() {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("Error: {error}");
			ExitCode::FAILURE
		}
	}
}

/// A core dump would hold secrets in the clear.
#[cfg(unix)]
fn forbid_core_dumps() -> std::io::Result<()> {
	use rustix::process::{setrlimit, Resource, Rlimit};
	setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).map_err(Into::into)
}

#[cfg(not(unix))]
fn forbid_core_dumps() -> std::io::Result<()> {
	Ok(())
}
