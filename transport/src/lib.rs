//! One call to a share listener, for all who make any: clients, and servers of one subgroup among
//! themselves.
//!
//! A connection lives for one call. Nobody has many to make to one listener in a row, so nothing is
//! gained by keeping it, and a lost connection needs no state to recover.
//!
//! | module | what it holds |
//! |---|---|
//! | `http` | one request and its answer |
//! | `reach` | which addresses may be called |

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod http;
mod reach;
#[cfg(test)]
mod tests;

pub use reach::{is_public, Reach};

use jsonrpsee_types::{ErrorObjectOwned, Id, Response, ResponsePayload};
use keyshare_primitives::{
	endpoint::endpoint_is_well_formed,
	wire::{ErrorCode, ErrorData, Method},
};
use serde::de::DeserializeOwned;
use serde_json::value::{to_raw_value, RawValue};
use std::{net::IpAddr, time::Duration};

/// How long one call may take, connection included. A server answers after a durable write.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(20);
/// The number of a call: there is one on each connection.
const ID: u64 = 1;

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
	/// The endpoint cannot be used.
	#[error("its endpoint cannot be used: {0}")]
	Endpoint(String),
	/// It leads to an address that may not be called.
	#[error(
		"its endpoint leads to {0}, and only public addresses are called: its validator must publish \
		 one; a node calls private ones too with --share-private-endpoints"
	)]
	Address(IpAddr),
	/// No connection, or it was lost.
	#[error("no connection: {0}")]
	Connection(String),
	/// No answer within [`CALL_TIMEOUT`].
	#[error("no answer within {} seconds", CALL_TIMEOUT.as_secs())]
	TimedOut,
	/// It sends to another place. Nobody goes there: it has not been published.
	#[error(
		"its endpoint redirects to {to}, and redirects are not followed: its validator must publish \
		 that one"
	)]
	Redirected {
		/// Where it sends to.
		to: String,
	},
	/// An HTTP status that lasts. One that may pass is [`Self::Connection`].
	#[error(
		"its endpoint answers with HTTP status {0}: that is no share listener, so its validator must \
		 publish the right one"
	)]
	Status(u16),
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

/// One call of the method whose parameters `request` is, to an address that `reach` allows.
pub async fn call<Request: Method>(
	endpoint: &str,
	reach: Reach,
	request: &Request,
) -> Result<Request::Answer, CallError> {
	call_within(CALL_TIMEOUT, endpoint, reach, request).await
}

async fn call_within<Request: Method>(
	limit: Duration,
	endpoint: &str,
	reach: Reach,
	request: &Request,
) -> Result<Request::Answer, CallError> {
	// What the chain admits, which an endpoint that has stood there for long may not be.
	if !endpoint_is_well_formed(endpoint.as_bytes()) {
		return Err(CallError::Endpoint(
			"it must be an http or https URL of one machine, without user, password and fragment"
				.into(),
		));
	}
	let request = to_raw_value(request).map_err(malformed)?;
	// What has no parameters is nothing in JSON.
	let params = match request.get() {
		"null" => None,
		_ => Some(to_raw_value(&[&request]).map_err(malformed)?),
	};
	let name = Request::NAME.into();
	let call = jsonrpsee_types::Request::new(name, params.as_deref(), Id::Number(ID));
	let body = serde_json::to_vec(&call).map_err(malformed)?;
	let answer = tokio::time::timeout(limit, http::post(endpoint, reach, body)).await;
	read(&answer.map_err(|_| CallError::TimedOut)??)
}

/// What stands in a JSON-RPC answer.
fn read<Answer: DeserializeOwned>(body: &[u8]) -> Result<Answer, CallError> {
	let response: Response<&RawValue> = serde_json::from_slice(body).map_err(malformed)?;
	match (response.payload, response.id) {
		(ResponsePayload::Success(answer), Id::Number(ID)) => {
			serde_json::from_str(answer.get()).map_err(malformed)
		}
		// Whoever could not read the call does not know its number.
		(ResponsePayload::Error(error), Id::Number(ID) | Id::Null) => {
			Err(error.into_owned().into())
		}
		_ => Err(CallError::Malformed("it is the answer to another call".into())),
	}
}

fn malformed(error: serde_json::Error) -> CallError {
	CallError::Malformed(plain(&error.to_string()))
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
