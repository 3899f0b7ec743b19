//! The `keyshare_*` methods of protocol §5 and §6 as a JSON-RPC module. The shapes and the error
//! table are `keyshare_primitives::wire`'s.
//!
//! Parameters are one object. JSON-RPC 2.0 lets it stand as the parameters by name
//! (`"params": {…}`) or as the only one by position (`"params": [{…}]`, what polkadot.js sends);
//! both are read. jsonrpsee's `#[rpc]` macro knows named parameters only as several arguments, so
//! the methods are registered by hand.
//!
//! What was sent is never repeated in an error: a share sent by mistake stays out of logs.

use crate::{
	caller::Caller,
	intake::{Intake, IntakeError},
};
use jsonrpsee::{
	types::{ErrorObjectOwned, Params},
	RpcModule,
};
use keyshare_primitives::wire::{ErrorCode, ErrorData, Method};
use serde_json::value::RawValue;
use std::{future::Future, sync::Arc, time::Duration};

/// JSON-RPC's code for a failure inside the server.
const INTERNAL_ERROR: i32 = -32603;
/// JSON-RPC's code for what is no request.
const INVALID_REQUEST: i32 = -32600;
/// What no parameters are in JSON.
const ABSENT: &str = "null";

/// The methods over `intake`, in the order of [`Method`]'s table: the same module serves the ordinary RPC
/// and the share listener.
pub fn module(intake: Arc<Intake>) -> RpcModule<Intake> {
	let mut module = RpcModule::from_arc(intake);
	register(&mut module, Intake::submit);
	register(&mut module, Intake::share_status);
	register(&mut module, Intake::prove_custody);
	register(&mut module, Intake::hosted_servers);
	register(&mut module, Intake::request_shares);
	module
}

fn register<Request, Fut>(
	module: &mut RpcModule<Intake>,
	handler: fn(Arc<Intake>, Caller, Request) -> Fut,
) where
	Request: Method + Send + 'static,
	Request::Answer: Clone + Send + 'static,
	Fut: Future<Output = Result<Request::Answer, IntakeError>> + Send + 'static,
{
	module
		.register_async_method(Request::NAME, move |params, intake, extensions| async move {
			// The share listener says who asks, and the ordinary RPC does not.
			let caller = extensions.get::<Caller>().copied().unwrap_or(Caller::Ordinary);
			handler(intake, caller, parameters(&params)?).await.map_err(ErrorObjectOwned::from)
		})
		.expect("the methods' names are distinct; qed");
}

/// The parameters of a method.
pub fn parameters<Request: Method>(params: &Params<'_>) -> Result<Request, ErrorObjectOwned> {
	one_object(params.as_str().unwrap_or(ABSENT)).ok_or_else(|| {
		let expected = format!("the parameters must be {}", Request::PARAMETERS);
		error_object(ErrorCode::InvalidParams, &expected, None)
	})
}

/// The one object that the parameters are, by name or by position; for a method that has none, nothing of
/// either. A list is no object, though serde would read one as an object's fields.
fn one_object<Request: Method>(params: &str) -> Option<Request> {
	let is_object = |json: &str| json.trim_start().starts_with('{');
	if is_object(params) {
		return serde_json::from_str(params).ok();
	}
	let by_position: Option<Vec<&RawValue>> = serde_json::from_str(params).ok()?;
	let nothing = serde_json::from_str(ABSENT);
	match (by_position.as_deref().unwrap_or_default(), nothing) {
		([], nothing) => nothing.ok(),
		([only], Err(_)) if is_object(only.get()) => serde_json::from_str(only.get()).ok(),
		_ => None,
	}
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

/// The answer to what is no request.
pub(crate) fn invalid_request(reason: &str) -> String {
	let error =
		ErrorObjectOwned::owned(INVALID_REQUEST, format!("Invalid request: {reason}"), None::<()>);
	answer(&error)
}

/// The answer of a node that has no place now for a request that it has not read.
pub(crate) fn busy(retry_after: Duration) -> String {
	answer(&IntakeError::Busy(retry_after).into())
}

fn answer(error: &ErrorObjectOwned) -> String {
	let error = serde_json::to_string(error).expect("numbers and text are JSON; qed");
	format!(r#"{{"jsonrpc":"2.0","id":null,"error":{error}}}"#)
}
