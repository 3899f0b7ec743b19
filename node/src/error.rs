//! Why the node or a command ends.

use crate::{
	key_store::KeyStoreError, output::OutputError, server_keys::ServerKeyError,
	shares::HostingError,
};

/// Why the node could not start, or ended, or a command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
	/// The command line, or a command of the SDK.
	#[error(transparent)]
	Cli(#[from] sc_cli::Error),
	/// One of the node's parts.
	#[error(transparent)]
	Service(#[from] sc_service::Error),
	/// What the node does with shares.
	#[error(transparent)]
	Shares(#[from] HostingError),
	/// A server's keys.
	#[error(transparent)]
	ServerKeys(#[from] ServerKeyError),
	/// The node's key store.
	#[error(transparent)]
	KeyStore(#[from] KeyStoreError),
	/// What a command prints.
	#[error(transparent)]
	Output(#[from] OutputError),
	/// A development chain without `--dev`.
	#[error("{chain} is a development chain, which one process runs alone; add --dev")]
	NeedsDev {
		/// Name of the chain.
		chain: String,
	},
	/// `--dev` with another chain.
	#[error("--dev runs a development chain, and {chain} is none; leave out --dev or --chain")]
	NotForDev {
		/// Name of the chain.
		chain: String,
	},
}

/// What stands before the whole genesis in the SDK's error when the runtime cannot read it.
const BEFORE_GENESIS: &str = " for blob:\n";

/// What is said of an error.
pub fn in_words(error: &Error) -> String {
	let text = error.to_string();
	match text.split_once(BEFORE_GENESIS) {
		Some((reason, _)) => {
			// The line that it names is one of what is left out here.
			let reason = reason.rsplit_once(" at line ").map_or(reason, |(reason, _)| reason);
			format!("{reason}, in `genesis.runtimeGenesis` of the chain's specification (--chain)")
		}
		None => text,
	}
}

/// An error of one of the SDK's parts, as one of the service.
pub fn service_error(error: impl std::error::Error + Send + Sync + 'static) -> sc_service::Error {
	sc_service::Error::Application(Box::new(error))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_genesis_that_the_runtime_cannot_read_is_not_repeated() {
		let blob = "{\n".repeat(1000);
		let sdks = format!(
			"Invalid JSON blob: unknown field `sudoo` at line 4 column 9 for blob:\n{blob}"
		);
		let text = in_words(&sc_cli::Error::Input(sdks).into());
		assert!(text.contains("unknown field `sudoo`, in `genesis.runtimeGenesis`"), "{text}");
		assert!(text.len() < 200 && !text.contains('{'), "{text}");
	}
}
