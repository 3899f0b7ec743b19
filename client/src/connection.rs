//! One connection to a node: what goes over it, the versions it must speak, and what its failures mean.

use crate::{
	chain::SPEC_NAME,
	error::{Error, Result},
	follow::{Head, Heads},
};
use codec::Decode;
use jsonrpsee::ws_client::WsClientBuilder;
use keyshare_primitives::{api::Parameters, PROTOCOL_VERSION};
use std::{sync::Arc, time::Duration};
use subxt::{
	backend::LegacyBackend,
	config::RpcConfigFor,
	rpcs::{LegacyRpcMethods, RpcClient},
	utils::H256,
	OnlineClient, SubstrateConfig,
};
use tokio::time::timeout;

/// What a node says when it is asked from afar for what only its operator may ask.
const UNSAFE: &str = "unsafe to be called externally";
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) type Config = SubstrateConfig;

/// A block to read at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum At {
	/// The best block.
	Best,
	/// The last final one.
	Finalized,
}

#[derive(Clone)]
pub(crate) struct Connection {
	pub(crate) raw: RpcClient,
	pub(crate) rpc: LegacyRpcMethods<RpcConfigFor<Config>>,
	pub(crate) client: OnlineClient<Config>,
}

impl Connection {
	pub(crate) async fn open(url: &str) -> Result<Self> {
		let unreachable = |reason| Error::Unreachable { url: url.to_owned(), reason };
		let socket = WsClientBuilder::default()
			.connection_timeout(CONNECTION_TIMEOUT)
			.request_timeout(REQUEST_TIMEOUT)
			.build(url);
		// The builder's timeout is over when the connection is accepted, and a node that hangs accepts it.
		let socket = timeout(CONNECTION_TIMEOUT, socket)
			.await
			.map_err(|_| {
				let seconds = CONNECTION_TIMEOUT.as_secs();
				unreachable(format!("it has not answered within {seconds} seconds"))
			})?
			.map_err(|error| unreachable(connection_failure(url, error.to_string())))?;
		let client = RpcClient::new(socket);
		let rpc = LegacyRpcMethods::new(client.clone());
		let genesis = rpc
			.genesis_hash()
			.await
			.map_err(|error| rpc_error(url, "chain_getBlockHash", error))?;
		let config = Config::builder().set_genesis_hash(genesis).build();
		let raw = client.clone();
		let backend = Arc::new(LegacyBackend::builder().build(client));
		let client = OnlineClient::from_backend_with_config(config, backend)
			.await
			.map_err(|error| answer("chain_getBlockHash", error))?;
		Ok(Self { raw, rpc, client })
	}

	pub(crate) async fn ask<Answer: Decode>(
		&self,
		url: &str,
		function: &'static str,
		arguments: &[u8],
		at: At,
	) -> Result<Answer> {
		let block = match at {
			At::Best => None,
			At::Finalized => Some(
				self.rpc
					.chain_get_finalized_head()
					.await
					.map_err(|error| rpc_error(url, "chain_getFinalizedHead", error))?,
			),
		};
		let bytes = self
			.rpc
			.state_call(function, Some(arguments), block)
			.await
			.map_err(|error| rpc_error(url, function, error))?;
		Answer::decode(&mut bytes.as_slice()).map_err(|error| answer(function, error))
	}

	pub(crate) async fn heads(&self, url: &str) -> Result<Heads> {
		const FINALIZED: &str = "chain_getFinalizedHead";
		const BEST: &str = "chain_getBlockHash";
		// The final one first: the best one is then never behind it.
		let finalized = self.rpc.chain_get_finalized_head().await;
		let finalized = finalized.map_err(|error| rpc_error(url, FINALIZED, error))?;
		let finalized = self.head(url, finalized).await?;
		let best = self.rpc.chain_get_block_hash(None).await;
		let best = best
			.map_err(|error| rpc_error(url, BEST, error))?
			.ok_or_else(|| answer(BEST, "it knows no best block"))?;
		Ok(Heads { best: self.head(url, best).await?, finalized })
	}

	async fn head(&self, url: &str, hash: H256) -> Result<Head> {
		const REQUEST: &str = "chain_getHeader";
		let header = self.rpc.chain_get_header(Some(hash)).await;
		let header = header
			.map_err(|error| rpc_error(url, REQUEST, error))?
			.ok_or_else(|| answer(REQUEST, "it has no header of a block that it named"))?;
		Ok(Head { hash, number: header.number })
	}
}

/// What the transport says, and what that means where it does not say so.
fn connection_failure(url: &str, reason: String) -> String {
	// rustls' name for an answer that is none of TLS.
	match url.starts_with("wss://") && reason.contains("InvalidContentType") {
		true => format!("it speaks no TLS there, so try ws:// in place of wss:// ({reason})"),
		false => reason,
	}
}

/// Checks the runtime's name and gives its version.
pub(crate) async fn check_name(connection: &Connection, url: &str) -> Result<u32> {
	// The fields of `RuntimeVersion` up to the one wanted; more may follow in later versions.
	type Versions = (String, String, u32, u32);
	let (name, _, _, spec_version): Versions =
		connection.ask(url, "Core_version", &[], At::Best).await?;
	if name != SPEC_NAME {
		return Err(Error::WrongChain(format!(
			"the node at {url} follows the chain `{name}`, not `{SPEC_NAME}`"
		)));
	}
	Ok(spec_version)
}

/// Checks the protocol's version and gives the parameters.
pub(crate) async fn check_protocol(connection: &Connection, url: &str) -> Result<Parameters> {
	const FUNCTION: &str = "KeyshareApi_parameters";
	// The version comes first, and is read alone: the rest may look different in another one.
	let version: u32 = connection.ask(url, FUNCTION, &[], At::Best).await?;
	if version != PROTOCOL_VERSION {
		return Err(Error::WrongChain(format!(
			"the chain speaks version {version} of the protocol, this tool version \
			 {PROTOCOL_VERSION}"
		)));
	}
	connection.ask(url, FUNCTION, &[], At::Best).await
}

pub(crate) fn answer(request: &str, reason: impl ToString) -> Error {
	Error::Answer { request: request.to_owned(), reason: reason.to_string() }
}

pub(crate) fn rpc_error(url: &str, request: &str, error: subxt::rpcs::Error) -> Error {
	use subxt::rpcs::Error as E;
	match error {
		E::User(error) if error.message.contains(UNSAFE) => Error::Input(format!(
			"the node keeps {request} for its operator, and does not answer it at {url}: run this on \
			 the node's machine with --url ws://127.0.0.1:9946, or the port that the node was given with \
			 --operator-rpc-port"
		)),
		E::User(error) => {
			let data = error.data.map(|data| format!(" {data}")).unwrap_or_default();
			answer(request, format!("{} ({}){data}", error.message, error.code))
		}
		E::Serialization(_) | E::Deserialization(_) | E::Decode(_) => answer(request, error),
		lost => Error::Unreachable { url: url.to_owned(), reason: lost.to_string() },
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::chain::Chain;

	#[tokio::test]
	async fn a_node_that_is_not_there_is_unreachable() {
		// Bound and never accepted from, then closed: nobody else listens there.
		let port = std::net::TcpListener::bind("127.0.0.1:0")
			.and_then(|listener| listener.local_addr())
			.expect("a free port")
			.port();
		let error = Chain::connect(&format!("ws://127.0.0.1:{port}")).await.err();
		assert!(matches!(error, Some(Error::Unreachable { .. })));
	}

	#[tokio::test]
	async fn a_node_that_accepts_and_says_nothing_is_unreachable() {
		let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
		let address = silent.local_addr().expect("bound");
		let url = format!("ws://{address}");
		let connecting = Chain::connect(&url);
		let error = timeout(CONNECTION_TIMEOUT * 2, connecting).await.expect("it ends").err();
		assert!(matches!(error, Some(Error::Unreachable { .. })));
	}
}
