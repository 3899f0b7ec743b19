//! Why the node or a command ends.

use crate::{server_keys::ServerKeyError, shares::ShareError};

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
	Shares(#[from] ShareError),
	/// A server's keys.
	#[error(transparent)]
	ServerKeys(#[from] ServerKeyError),
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

/// An error of one of the SDK's parts, as one of the service.
pub fn service_error(error: impl std::error::Error + Send + Sync + 'static) -> sc_service::Error {
	sc_service::Error::Application(Box::new(error))
}
