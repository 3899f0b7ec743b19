//! What is asked of share listeners, with the checks of their answers, and retries.

use backon::{ExponentialBuilder, Retryable};
use keyshare_primitives::{
	messages, proof,
	wire::{CustodyChallenge, ErrorCode, HexBytes, ProofBytes, Ss58, SubmitShare},
	Element, Generation, KeyRecord,
};
use keyshare_transport::{call, CallError, Reach};
use rand::RngCore;
use std::{future::Future, time::Duration};

use crate::progress::Server;

const FIRST_DELAY: Duration = Duration::from_millis(250);
const LONGEST_DELAY: Duration = Duration::from_secs(8);

/// Why a server did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
	/// The call has no answer.
	#[error(transparent)]
	Call(#[from] CallError),
	/// Its published encryption key cannot be used.
	#[error("nothing can be sealed to its encryption key")]
	EncryptionKey,
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
		let Self::Call(error) = self else { return false };
		match error {
			CallError::Connection(_) | CallError::TimedOut => true,
			CallError::Refused { code, data, .. } => code.is_retryable(data, generation),
			// JSON-RPC's own codes: overload and failures inside the server.
			CallError::Other { code, .. } => matches!(code, -32603 | -32099..=-32000),
			_ => false,
		}
	}

	/// When a busy server is asked again, if it says so. Its wish is heard, but neither hurries us
	/// nor holds us up for long.
	fn pause(&self) -> Option<Duration> {
		let Self::Call(CallError::Refused { code: ErrorCode::Busy, data, .. }) = self else {
			return None;
		};
		let wish = Duration::from_millis(data.retry_after_ms?);
		Some(wish.clamp(FIRST_DELAY, LONGEST_DELAY))
	}
}

/// Sends a sealed share and checks the answer: it must be about `key`, and the custody proof must
/// hold under `Y_g` of the server's subgroup.
pub async fn submit_share(
	server: &Server,
	request: &SubmitShare,
	key: &KeyRecord,
) -> Result<(), ServerError> {
	let receipt = call(&server.endpoint, Reach::Anywhere, request).await?;
	if receipt.registration_id != key.id {
		return Err(ServerError::WrongRegistration);
	}
	let message = messages::custody_message(&key.id, &server.account);
	let expected = verifying_share(server, key)?;
	require_proof(&receipt.custody_proof, &message, &expected)
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
	let answer = call(&server.endpoint, Reach::Anywhere, &request).await?;
	if answer.registration_id != key.id {
		return Err(ServerError::WrongRegistration);
	}
	let message = messages::challenge_message(&key.id, &server.account, &nonce);
	let expected = verifying_share(server, key)?;
	require_proof(&answer.custody_proof, &message, &expected)
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
		.adjust(|error, delay| error.pause().or(delay))
		.notify(on_retry)
		.await
}

fn require_proof(
	proof: &ProofBytes,
	message: &[u8],
	expected: &Element,
) -> Result<(), ServerError> {
	proof
		.of_scheme(expected.scheme())
		.filter(|proof| proof::verify(proof, message, expected))
		.map(drop)
		.ok_or(ServerError::WrongProof)
}

fn verifying_share(server: &Server, key: &KeyRecord) -> Result<Element, ServerError> {
	key.verifying_share(server.subgroup).ok_or(ServerError::WrongRegistration)
}

#[cfg(test)]
mod tests {
	use super::*;
	use keyshare_primitives::wire::ErrorData;

	fn refused(code: ErrorCode, data: ErrorData) -> ServerError {
		CallError::Refused { code, message: String::new(), data }.into()
	}

	#[test]
	fn only_what_may_pass_is_temporary() {
		let at = |generation| ErrorData { generation: Some(generation), ..Default::default() };
		let none = ErrorData::default;
		for temporary in [
			CallError::TimedOut.into(),
			CallError::Connection("refused".into()).into(),
			refused(ErrorCode::Busy, none()),
			refused(ErrorCode::StorageFailed, none()),
			refused(ErrorCode::NotRegistering, none()),
			refused(ErrorCode::WrongGeneration, at(4)),
			CallError::Other { code: -32603, message: String::new() }.into(),
		] {
			assert!(temporary.is_temporary(5), "{temporary:?}");
		}
		for lasting in [
			ServerError::WrongProof,
			ServerError::WrongRegistration,
			CallError::Malformed(String::new()).into(),
			CallError::Redirected { to: String::new() }.into(),
			CallError::Status(404).into(),
			refused(ErrorCode::WrongGeneration, at(6)),
			refused(ErrorCode::WrongGeneration, none()),
			refused(ErrorCode::InvalidParams, none()),
			refused(ErrorCode::UnknownServer, none()),
			refused(ErrorCode::WrongSubgroup, none()),
			refused(ErrorCode::DecryptionFailed, none()),
			refused(ErrorCode::ShareMismatch, none()),
			CallError::Other { code: -32601, message: String::new() }.into(),
		] {
			assert!(!lasting.is_temporary(5), "{lasting:?}");
		}
	}

	#[test]
	fn a_busy_server_neither_hurries_us_nor_holds_us_up() {
		let after = |ms| ErrorData { retry_after_ms: Some(ms), ..Default::default() };
		let busy = |ms| refused(ErrorCode::Busy, after(ms)).pause();
		assert_eq!(busy(0), Some(FIRST_DELAY));
		assert_eq!(busy(500), Some(Duration::from_millis(500)));
		assert_eq!(busy(u64::MAX), Some(LONGEST_DELAY));
		assert_eq!(refused(ErrorCode::StorageFailed, after(500)).pause(), None);
	}
}
