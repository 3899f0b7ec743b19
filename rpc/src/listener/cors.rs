//! Which web pages' scripts may call the listener.

use hyper::{
	header::{HeaderValue, CONTENT_TYPE},
	Method,
};
use std::str::FromStr;
use tower_http::cors::{AllowOrigin, AllowPrivateNetwork, Any, CorsLayer};

/// Which web pages' scripts may call the listener.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cors {
	/// Those of any origin.
	All,
	/// Those of these origins, such as `https://example.org`; none by default.
	Origins(Vec<HeaderValue>),
}

impl Default for Cors {
	fn default() -> Self {
		Self::Origins(Vec::new())
	}
}

/// The text is no list of origins that a browser would ever send.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
	"{origin:?} is not an origin as browsers send it: {reason}. Give `all`, or origins like \
	 https://example.org with commas between"
)]
pub struct InvalidOrigin {
	origin: String,
	reason: &'static str,
}

/// `all`, or origins with commas between; nothing for none.
impl FromStr for Cors {
	type Err = InvalidOrigin;

	fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
		if text == "all" {
			return Ok(Self::All);
		}
		let origins = text.split(',').map(str::trim).filter(|origin| !origin.is_empty());
		origins.map(origin).collect::<Result<_, _>>().map(Self::Origins)
	}
}

/// Origins are compared byte by byte, so what no browser sends would never match, and nobody would know why.
fn origin(text: &str) -> Result<HeaderValue, InvalidOrigin> {
	let invalid = |reason| InvalidOrigin { origin: text.into(), reason };
	let (scheme, host) = text.split_once("://").ok_or_else(|| invalid("it has no scheme"))?;
	let default_port = match scheme {
		"http" => Some(":80"),
		"https" => Some(":443"),
		// Of the pages of an extension: `chrome-extension`, `moz-extension`, `safari-web-extension`.
		scheme if scheme.ends_with("-extension") => None,
		_ => return Err(invalid("the scheme is http, https, or that of a browser's extension")),
	};
	if host.is_empty() {
		return Err(invalid("it has no host"));
	}
	if host.contains('*') {
		return Err(invalid("a `*` stands for no other name"));
	}
	if host.contains(['/', '?', '#', '@']) {
		return Err(invalid("an origin has neither a user nor a path"));
	}
	if text.contains(|character: char| character.is_ascii_uppercase()) {
		return Err(invalid("an origin is in lower case"));
	}
	if default_port.is_some_and(|port| host.ends_with(port)) {
		return Err(invalid("the scheme's own port is left out"));
	}
	let is_plain = |character: char| character.is_ascii_graphic();
	HeaderValue::from_str(text)
		.ok()
		.filter(|_| host.chars().all(is_plain))
		.ok_or_else(|| invalid("it has characters that no name of a host has"))
}

impl Cors {
	/// What answers preflights, and marks answers as readable. A page of an allowed origin may call a
	/// listener in a private network too.
	pub(super) fn layer(&self) -> CorsLayer {
		let origins = match self {
			Self::All => AllowOrigin::from(Any),
			Self::Origins(origins) => AllowOrigin::list(origins.iter().cloned()),
		};
		CorsLayer::new()
			.allow_origin(origins)
			.allow_methods([Method::POST])
			.allow_headers([CONTENT_TYPE])
			.allow_private_network(AllowPrivateNetwork::yes())
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn cors_is_all_or_a_list_of_origins() {
		assert_eq!("all".parse(), Ok(Cors::All));
		assert_eq!("".parse(), Ok(Cors::default()));
		let three =
			["https://a.example", "http://localhost:3000", "chrome-extension://abcdefghijklmnop"];
		assert_eq!(
			three.join(", ").parse(),
			Ok(Cors::Origins(three.map(HeaderValue::from_static).into()))
		);
	}

	#[test]
	fn an_origin_that_can_never_match_is_refused_with_the_reason() {
		for (bad, reason) in [
			("a.example", "scheme"),
			("ftp://a", "scheme"),
			("https://", "host"),
			("https://a.example/", "path"),
			("https://user@a.example", "user"),
			("https://*.a.example", "*"),
			("https://a,*", "scheme"),
			("https://A.example", "lower case"),
			("https://a.example:443", "port"),
			("http://a.example:80", "port"),
			("https://ä.example", "characters"),
		] {
			let refused = bad.parse::<Cors>().expect_err(bad).to_string();
			assert!(refused.contains(reason), "{bad}: {refused}");
		}
		assert!("https://a.example:80".parse::<Cors>().is_ok());
	}
}
