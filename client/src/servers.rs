//! JSON-RPC to the share listeners: one call, its typed errors, and retries.
//!
//! A connection lives for one call. A share is sent once to each server, so nothing is gained by
//! keeping it, and a lost connection needs no state to recover.

use backon::{ExponentialBuilder, Retryable};
use jsonrpsee::{
	core::{
		client::{ClientT, Error as RpcError},
		params::ArrayParams,
	},
	http_client::HttpClientBuilder,
	types::ErrorObjectOwned,
	ws_client::WsClientBuilder,
};
use keyshare_primitives::{
	messages, proof,
	wire::{
		CustodyChallenge, ErrorCode, ErrorData, FreshProof, HexBytes, ShareReceipt, Ss58,
		SubmitShare,
	},
	Element, Generation, KeyRecord,
};
use rand::RngCore;
use serde::{de::DeserializeOwned, Serialize};
use std::{future::Future, time::Duration};

use crate::progress::Server;

/// How long one call may take, connection included. A server answers after a durable write.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(20);
/// No answer of these methods is anywhere near this long.
const MAX_RESPONSE: u32 = 64 * 1024;
const FIRST_DELAY: Duration = Duration::from_millis(250);
const LONGEST_DELAY: Duration = Duration::from_secs(8);

/// Why a server did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
	/// The endpoint on chain cannot be used.
	#[error("its endpoint cannot be used: {0}")]
	Endpoint(String),
	/// Its published encryption key cannot be used.
	#[error("nothing can be sealed to its encryption key")]
	EncryptionKey,
	/// No connection, or it was lost.
	#[error("no connection: {0}")]
	Connection(String),
	/// No answer within [`CALL_TIMEOUT`].
	#[error("no answer within {} seconds", CALL_TIMEOUT.as_secs())]
	TimedOut,
	/// One of the protocol's errors.
	#[error("{message}")]
	Refused {
		/// Which.
		code: ErrorCode,
		/// The server's words.
		message: String,
		/// What it says beside them.
		data: ErrorData,
	},
	/// Another JSON-RPC error.
	#[error("it answered error {code}: {message}")]
	Other {
		/// JSON-RPC's code.
		code: i32,
		/// The server's words.
		message: String,
	},
	/// An answer of another shape.
	#[error("its answer is malformed: {0}")]
	Malformed(String),
	/// The answer is about another attempt.
	#[error("its answer is about another attempt or key")]
	WrongRegistration,
	/// The signature does not hold under the subgroup's verifying share.
	#[error("its custody proof is wrong: it does not hold the share")]
	WrongProof,
}

impl ServerError {
	/// Whether the same request may succeed later. `generation` is the one asked about: a server
	/// whose chain is behind ours does not know it yet.
	pub fn is_temporary(&self, generation: Generation) -> bool {
		match self {
			Self::Connection(_) | Self::TimedOut => true,
			Self::Refused { code, data, .. } => match code {
				ErrorCode::Busy | ErrorCode::StorageFailed | ErrorCode::NotRegistering => true,
				ErrorCode::WrongGeneration => data.generation.is_some_and(|has| has < generation),
				_ => false,
			},
			// JSON-RPC's own codes: overload and failures inside the server.
			Self::Other { code, .. } => matches!(code, -32603 | -32099..=-32000),
			_ => false,
		}
	}

	/// When the server wants to be asked again.
	pub fn retry_after(&self) -> Option<Duration> {
		match self {
			Self::Refused { code: ErrorCode::Busy, data, .. } => {
				data.retry_after_ms.map(Duration::from_millis)
			}
			_ => None,
		}
	}
}

/// Sends a sealed share and checks the answer: it must be about `key`, and the custody proof must
/// hold under `Y_g` of the server's subgroup.
pub async fn submit_share(
	server: &Server,
	request: &SubmitShare,
	key: &KeyRecord,
) -> Result<(), ServerError> {
	let receipt: ShareReceipt = call(&server.endpoint, "keyshare_submitShare", request).await?;
	if receipt.registration_id != key.id {
		return Err(ServerError::WrongRegistration);
	}
	let message = messages::custody_message(&key.id, &server.account);
	let expected = verifying_share(server, key)?;
	proof::verify(&receipt.custody_proof, &message, &expected)
		.then_some(())
		.ok_or(ServerError::WrongProof)
}

/// Challenges a server with fresh randomness to prove that it holds the share of `key` now.
pub async fn challenge(
	server: &Server,
	account: &keyshare_primitives::AccountId,
	key: &KeyRecord,
) -> Result<(), ServerError> {
	let mut nonce = [0; 32];
	rand::rngs::OsRng.fill_bytes(&mut nonce);
	let request = CustodyChallenge {
		server: Ss58(server.account.clone()),
		account: Ss58(account.clone()),
		nonce: HexBytes(nonce),
	};
	let answer: FreshProof = call(&server.endpoint, "keyshare_proveCustody", &request).await?;
	if answer.registration_id != key.id {
		return Err(ServerError::WrongRegistration);
	}
	let message = messages::challenge_message(&key.id, &server.account, &nonce);
	let expected = verifying_share(server, key)?;
	proof::verify(&answer.custody_proof, &message, &expected)
		.then_some(())
		.ok_or(ServerError::WrongProof)
}

/// Repeats `attempt` with growing pauses as long as its error is temporary, at the pace the
/// server asks for where it does. Without end: the caller has the deadline.
pub async fn patiently<T, Fut>(
	generation: Generation,
	attempt: impl FnMut() -> Fut,
	on_retry: impl FnMut(&ServerError, Duration),
) -> Result<T, ServerError>
where
	Fut: Future<Output = Result<T, ServerError>>,
{
	let pace = ExponentialBuilder::new()
		.with_min_delay(FIRST_DELAY)
		.with_max_delay(LONGEST_DELAY)
		.with_jitter()
		.without_max_times();
	attempt
		.retry(pace)
		.when(|error| error.is_temporary(generation))
		.adjust(|error, delay| match error.retry_after() {
			// A server's wish is heard, but never holds us up for long.
			Some(wish) => Some(wish.min(LONGEST_DELAY)),
			None => delay,
		})
		.notify(on_retry)
		.await
}

/// One call with one object as its parameters.
async fn call<Answer: DeserializeOwned>(
	endpoint: &str,
	method: &str,
	request: &impl Serialize,
) -> Result<Answer, ServerError> {
	let mut params = ArrayParams::new();
	params.insert(request).map_err(|error| ServerError::Malformed(error.to_string()))?;
	let url = url::Url::parse(endpoint).map_err(|e| ServerError::Endpoint(e.to_string()))?;
	let answer = async {
		match url.scheme() {
			"http" | "https" => {
				let client = HttpClientBuilder::default()
					.max_response_size(MAX_RESPONSE)
					.request_timeout(CALL_TIMEOUT)
					.build(endpoint)
					.map_err(|error| ServerError::Endpoint(plain(&error.to_string())))?;
				client.request(method, params).await.map_err(ServerError::from)
			}
			"ws" | "wss" => {
				let client = WsClientBuilder::default()
					.max_response_size(MAX_RESPONSE)
					.connection_timeout(CALL_TIMEOUT)
					.request_timeout(CALL_TIMEOUT)
					.build(endpoint)
					.await
					.map_err(ServerError::from)?;
				client.request(method, params).await.map_err(ServerError::from)
			}
			other => Err(ServerError::Endpoint(format!("unknown scheme {other}"))),
		}
	};
	tokio::time::timeout(CALL_TIMEOUT, answer).await.map_err(|_| ServerError::TimedOut)?
}

fn verifying_share(server: &Server, key: &KeyRecord) -> Result<Element, ServerError> {
	key.verifying_share(server.subgroup).ok_or(ServerError::WrongRegistration)
}

impl From<RpcError> for ServerError {
	fn from(error: RpcError) -> Self {
		match error {
			RpcError::Call(error) => Self::from(error),
			RpcError::RequestTimeout => Self::TimedOut,
			RpcError::ParseError(error) => Self::Malformed(plain(&error.to_string())),
			other => Self::Connection(plain(&chain_of(&other))),
		}
	}
}

impl From<ErrorObjectOwned> for ServerError {
	fn from(error: ErrorObjectOwned) -> Self {
		let message = plain(error.message());
		let Some(code) = ErrorCode::from_code(error.code()) else {
			return Self::Other { code: error.code(), message };
		};
		let data = error.data().and_then(|data| serde_json::from_str(data.get()).ok());
		Self::Refused { code, message, data: data.unwrap_or_default() }
	}
}

/// An error with the reasons behind it, which transports keep apart.
fn chain_of(error: &dyn std::error::Error) -> String {
	let mut text = error.to_string();
	let mut source = error.source();
	while let Some(error) = source {
		let reason = error.to_string();
		if !text.contains(&reason) {
			text = format!("{text}: {reason}");
		}
		source = error.source();
	}
	text
}

/// What a stranger wrote, fit for a terminal: no control characters, and not too long.
fn plain(text: &str) -> String {
	text.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
	use super::*;

	fn refused(code: ErrorCode, data: ErrorData) -> ServerError {
		ServerError::Refused { code, message: String::new(), data }
	}

	#[test]
	fn only_what_may_pass_is_temporary() {
		let at = |generation| ErrorData { generation: Some(generation), ..Default::default() };
		let none = ErrorData::default;
		for temporary in [
			ServerError::TimedOut,
			ServerError::Connection("refused".into()),
			refused(ErrorCode::Busy, none()),
			refused(ErrorCode::StorageFailed, none()),
			refused(ErrorCode::NotRegistering, none()),
			refused(ErrorCode::WrongGeneration, at(4)),
			ServerError::Other { code: -32603, message: String::new() },
		] {
			assert!(temporary.is_temporary(5), "{temporary:?}");
		}
		for lasting in [
			ServerError::WrongProof,
			ServerError::WrongRegistration,
			ServerError::Malformed(String::new()),
			refused(ErrorCode::WrongGeneration, at(6)),
			refused(ErrorCode::WrongGeneration, none()),
			refused(ErrorCode::InvalidParams, none()),
			refused(ErrorCode::UnknownServer, none()),
			refused(ErrorCode::WrongSubgroup, none()),
			refused(ErrorCode::DecryptionFailed, none()),
			refused(ErrorCode::ShareMismatch, none()),
			ServerError::Other { code: -32601, message: String::new() },
		] {
			assert!(!lasting.is_temporary(5), "{lasting:?}");
		}
	}

	#[test]
	fn a_strangers_words_cannot_control_the_terminal() {
		let text = plain(&format!("\u{1b}[2Jgone\n{}", "x".repeat(300)));
		assert!(text.starts_with("[2Jgone"));
		assert_eq!(text.chars().count(), 200);
	}
}
