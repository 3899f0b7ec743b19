//! The `keyshare_*` methods of protocol §5 and §6 as a JSON-RPC module. The shapes and the error
//! table are `keyshare_primitives::wire`'s.
//!
//! Parameters are one object. JSON-RPC 2.0 lets it stand as the parameters by name
//! (`"params": {…}`) or as the only one by position (`"params": [{…}]`, what polkadot.js sends);
//! both are read. jsonrpsee's `#[rpc]` macro knows named parameters only as several arguments, so
//! the methods are registered by hand.
//!
//! What was sent is never repeated in an error: a share sent by mistake stays out of logs.

use crate::intake::{Intake, IntakeError};
use jsonrpsee::{
	types::{ErrorObjectOwned, Params},
	RpcModule,
};
use keyshare_primitives::wire::{ErrorCode, ErrorData};
use serde::{de::DeserializeOwned, Deserialize, Serialize};
use std::{future::Future, sync::Arc};

/// JSON-RPC's code for a failure inside the server.
const INTERNAL_ERROR: i32 = -32603;

/// The methods over `intake`: the same module serves the ordinary RPC and the share listener.
///
/// | method | parameters | answer |
/// |---|---|---|
/// | `keyshare_submitShare` | `wire::SubmitShare` | `wire::ShareReceipt` |
/// | `keyshare_shareStatus` | `wire::ShareStatusQuery` | `wire::ShareStatus` |
/// | `keyshare_proveCustody` | `wire::CustodyChallenge` | `wire::FreshProof` |
/// | `keyshare_requestShares` | `wire::RequestShares` | `wire::SealedShares` |
/// | `keyshare_servers` | none | `wire::HostedServers` |
pub fn module(intake: Arc<Intake>) -> RpcModule<Intake> {
	let mut module = RpcModule::from_arc(intake);
	register(
		&mut module,
		"keyshare_submitShare",
		"server and account (SS58), generation and subgroup (numbers), \
		 enc (0x and 64 hex digits), ciphertext (0x and 96 hex digits)",
		Intake::submit,
	);
	register(
		&mut module,
		"keyshare_shareStatus",
		"server and account (SS58)",
		Intake::share_status,
	);
	register(
		&mut module,
		"keyshare_proveCustody",
		"server and account (SS58), nonce (0x and 64 hex digits)",
		Intake::prove_custody,
	);
	register(
		&mut module,
		"keyshare_requestShares",
		"from and requester (SS58), registrations (at most 32 times 0x and 64 hex digits), \
		 block (a number), signature (0x and 128 hex digits)",
		Intake::request_shares,
	);
	module
		.register_async_method("keyshare_servers", |params, intake, _| async move {
			params.parse::<Nothing>().map_err(|_| invalid_params("no parameters"))?;
			intake.hosted_servers().await.map_err(ErrorObjectOwned::from)
		})
		.expect(DISTINCT);
	module
}

const DISTINCT: &str = "the methods' names are distinct; qed";

fn register<Request, Answer, Fut>(
	module: &mut RpcModule<Intake>,
	name: &'static str,
	fields: &'static str,
	handler: fn(Arc<Intake>, Request) -> Fut,
) where
	Request: DeserializeOwned + Send + 'static,
	Answer: Serialize + Clone + Send + 'static,
	Fut: Future<Output = Result<Answer, IntakeError>> + Send + 'static,
{
	module
		.register_async_method(name, move |params, intake, _| async move {
			let request = one_object(&params)
				.ok_or_else(|| invalid_params(&format!("one object with exactly {fields}")))?;
			handler(intake, request).await.map_err(ErrorObjectOwned::from)
		})
		.expect(DISTINCT);
}

/// The one object that the parameters are, by name or by position.
fn one_object<Request: DeserializeOwned>(params: &Params<'_>) -> Option<Request> {
	if params.is_object() {
		params.parse().ok()
	} else {
		params.one().ok()
	}
}

/// No parameters: absent, or empty by position or by name.
#[derive(Deserialize)]
#[serde(untagged)]
enum Nothing {
	Absent,
	ByPosition([(); 0]),
	ByName(Empty),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {}

fn invalid_params(expected: &str) -> ErrorObjectOwned {
	error_object(ErrorCode::InvalidParams, &format!("the parameters must be {expected}"), None)
}

fn error_object(code: ErrorCode, message: &str, data: Option<ErrorData>) -> ErrorObjectOwned {
	ErrorObjectOwned::owned(code.code(), format!("{}: {message}", code.name()), data)
}

impl From<IntakeError> for ErrorObjectOwned {
	fn from(error: IntakeError) -> Self {
		let message = error.to_string();
		let Some(code) = error.code() else {
			return ErrorObjectOwned::owned(INTERNAL_ERROR, message, None::<()>);
		};
		let none = ErrorData::default();
		let data = match error {
			IntakeError::WrongGeneration(generation) => {
				Some(ErrorData { generation: Some(generation), ..none })
			}
			IntakeError::WrongSubgroup(subgroup) => Some(ErrorData { subgroup, ..none }),
			IntakeError::WrongBlock(block) => Some(ErrorData { block: Some(block), ..none }),
			IntakeError::Busy(after) => {
				Some(ErrorData { retry_after_ms: u64::try_from(after.as_millis()).ok(), ..none })
			}
			_ => None,
		};
		error_object(code, &message, data)
	}
}
