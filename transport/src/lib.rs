//! One call to a share listener, for all who make any: clients, and servers of one subgroup among
//! themselves.
//!
//! A connection lives for one call. Nobody has many to make to one listener in a row, so nothing is
//! gained by keeping it, and a lost connection needs no state to recover.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

use jsonrpsee::{
	core::{
		client::{ClientT, Error as RpcError},
		params::ArrayParams,
	},
	http_client::HttpClientBuilder,
	types::ErrorObjectOwned,
};
use keyshare_primitives::wire::{ErrorCode, ErrorData};
use serde::{de::DeserializeOwned, Serialize};
use std::time::Duration;

/// How long one call may take, connection included. A server answers after a durable write.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(20);
/// No answer of these methods is longer.
const MAX_RESPONSE: u32 = 64 * 1024;

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
	/// The endpoint cannot be used.
	#[error("its endpoint cannot be used: {0}")]
	Endpoint(String),
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
}

/// One call with one object as its parameters.
pub async fn call<Answer: DeserializeOwned>(
	endpoint: &str,
	method: &str,
	request: &impl Serialize,
) -> Result<Answer, CallError> {
	let mut params = ArrayParams::new();
	params.insert(request).map_err(|error| CallError::Malformed(error.to_string()))?;
	let client = HttpClientBuilder::default()
		.max_response_size(MAX_RESPONSE)
		.request_timeout(CALL_TIMEOUT)
		.build(endpoint)
		.map_err(|error| CallError::Endpoint(plain(&error.to_string())))?;
	let answer = async { client.request(method, params).await.map_err(CallError::from) };
	tokio::time::timeout(CALL_TIMEOUT, answer).await.map_err(|_| CallError::TimedOut)?
}

impl From<RpcError> for CallError {
	fn from(error: RpcError) -> Self {
		match error {
			RpcError::Call(error) => Self::from(error),
			RpcError::RequestTimeout => Self::TimedOut,
			RpcError::ParseError(error) => Self::Malformed(plain(&error.to_string())),
			other => Self::Connection(plain(&chain_of(&other))),
		}
	}
}

impl From<ErrorObjectOwned> for CallError {
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

	#[test]
	fn a_strangers_words_cannot_control_the_terminal() {
		let text = plain(&format!("\u{1b}[2Jgone\n{}", "x".repeat(300)));
		assert!(text.starts_with("[2Jgone"));
		assert_eq!(text.chars().count(), 200);
	}
}
