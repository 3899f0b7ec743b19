//! One request over HTTP, and its answer, both of a bounded size.
//!
//! jsonrpsee's client leaves no say in which addresses a name leads to, so this is made of what that is
//! made of: hyper's client, here with our own resolver, and rustls with the platform's roots.
//! `reqwest` would be a tree of crates beside them. No redirect is followed: hyper's client never does.

use crate::{chain_of, plain, reach::Refused, CallError, Reach};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{
	body::Bytes,
	header::{ACCEPT, CONTENT_TYPE, LOCATION},
	Request, StatusCode, Uri,
};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{
	client::legacy::{
		connect::{dns::Name, HttpConnector},
		Client,
	},
	rt::TokioExecutor,
};
use rustls::{crypto::ring, ClientConfig};
use rustls_platform_verifier::BuilderVerifierExt;
use std::{error::Error, iter::successors, net::IpAddr, sync::Arc};

/// No answer of these methods is longer. It bounds the head, too.
pub(crate) const MAX_RESPONSE: usize = 64 * 1024;

const JSON: &str = "application/json";

/// Sends `body` to `endpoint`; what it answers.
pub(crate) async fn post(endpoint: &str, reach: Reach, body: Vec<u8>) -> Result<Bytes, CallError> {
	let request = Request::post(endpoint)
		.header(CONTENT_TYPE, JSON)
		.header(ACCEPT, JSON)
		.body(Full::<Bytes>::from(body))
		.map_err(|error| CallError::Endpoint(plain(&error.to_string())))?;
	// The connector asks the resolver for names only.
	if let Some(address) = literal(request.uri()).filter(|address| !reach.allows(*address)) {
		return Err(CallError::Address(address));
	}
	let resolver = tower::service_fn(move |name: Name| reach.resolve(name));
	let mut tcp = HttpConnector::new_with_resolver(resolver);
	tcp.enforce_http(false);
	tcp.set_nodelay(true);
	let connector = HttpsConnectorBuilder::new()
		.with_tls_config(tls()?)
		.https_or_http()
		.enable_http1()
		.wrap_connector(tcp);
	let client = Client::builder(TokioExecutor::new())
		.http1_max_buf_size(MAX_RESPONSE)
		.pool_max_idle_per_host(0)
		.build(connector);
	let response = client.request(request).await.map_err(|error| lost(&error))?;
	let to = response.headers().get(LOCATION).filter(|_| response.status().is_redirection());
	if let Some(to) = to {
		let to = plain(&String::from_utf8_lossy(to.as_bytes()));
		return Err(CallError::Redirected { to });
	}
	match response.status() {
		StatusCode::OK => {}
		status if may_pass(status) => {
			return Err(CallError::Connection(format!("HTTP status {status}")));
		}
		status => return Err(CallError::Status(status.as_u16())),
	}
	match Limited::new(response.into_body(), MAX_RESPONSE).collect().await {
		Ok(body) => Ok(body.to_bytes()),
		Err(error) if error.is::<LengthLimitError>() => {
			Err(CallError::Malformed(format!("longer than {MAX_RESPONSE} bytes")))
		}
		Err(error) => Err(lost(&*error)),
	}
}

/// The address that stands in a URL in place of a name.
fn literal(uri: &Uri) -> Option<IpAddr> {
	uri.host()?.trim_matches(['[', ']']).parse().ok()
}

/// Whether whoever stands before a listener may have a connection to it later.
fn may_pass(status: StatusCode) -> bool {
	let is_passing = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(&status);
	is_passing || status.is_server_error()
}

/// What jsonrpsee's client has: the platform's roots, and *ring*. That is named here, since the default is
/// what the first user of rustls in this process has chosen.
fn tls() -> Result<ClientConfig, CallError> {
	let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
		.with_safe_default_protocol_versions()
		.map_err(|error| CallError::Connection(plain(&error.to_string())))?;
	Ok(config.with_platform_verifier().with_no_client_auth())
}

/// No connection, or it was lost; or our resolver has refused where the name leads to.
fn lost(error: &(dyn Error + 'static)) -> CallError {
	let mut reasons = successors(Some(error), |&error| error.source());
	match reasons.find_map(|reason| reason.downcast_ref::<Refused>()) {
		Some(Refused(address)) => CallError::Address(*address),
		None => CallError::Connection(plain(&chain_of(error))),
	}
}
