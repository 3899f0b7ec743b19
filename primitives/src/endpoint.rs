//! Endpoints: which URLs a server may publish.

use fluent_uri::{
	component::{Authority, Host, Scheme},
	Uri,
};

/// The URL schemes an endpoint may have.
pub const ENDPOINT_SCHEMES: [&str; 2] = ["http", "https"];

/// Whether `endpoint` is a URI (RFC 3986) that a client can connect to: one of
/// [`ENDPOINT_SCHEMES`] in lower case, a host that names one machine, a port from 1 to 65535 if one
/// is given, and neither user information nor a fragment.
pub fn endpoint_is_well_formed(endpoint: &[u8]) -> bool {
	let text = core::str::from_utf8(endpoint).ok();
	let Some(uri) = text.and_then(|text| Uri::parse(text).ok()) else { return false };
	ENDPOINT_SCHEMES.contains(&Scheme::as_str(uri.scheme()))
		&& uri.authority().is_some_and(names_a_machine)
		&& !uri.has_fragment()
}

fn names_a_machine(authority: Authority<'_>) -> bool {
	let host = match authority.host_parsed() {
		Host::Ipv4(address) => !address.is_unspecified(),
		// Also as IPv4 within IPv6.
		Host::Ipv6(address) => {
			let mapped = address.to_ipv4_mapped();
			!address.is_unspecified() && !mapped.is_some_and(|address| address.is_unspecified())
		}
		Host::RegName(name) => is_dns_name(name.as_str()),
		_ => false,
	};
	// A colon without a number after it is a port that was forgotten.
	let port = match authority.has_port() {
		true => matches!(authority.port_to_u16(), Ok(Some(1..))),
		false => true,
	};
	host && port && !authority.has_userinfo()
}

/// Letters, digits and hyphens between dots (RFC 1123 §2.1). The last label is not a number, or
/// browsers take the whole for an IPv4 address in one of its other spellings.
fn is_dns_name(name: &str) -> bool {
	let is_label = |label: &str| {
		(1..=63).contains(&label.len())
			&& !label.starts_with('-')
			&& !label.ends_with('-')
			&& label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
	};
	let is_number = |label: &str| {
		let hex = label.strip_prefix("0x").or(label.strip_prefix("0X"));
		label.bytes().all(|byte| byte.is_ascii_digit())
			|| hex.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
	};
	name.len() <= 253
		&& name.split('.').all(is_label)
		&& name.rsplit('.').next().is_some_and(|last| !is_number(last))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn an_endpoint_is_a_url_that_can_be_connected_to() {
		for good in [
			"http://127.0.0.1:9955",
			"https://a.example/path?x=1",
			"http://h",
			"https://[::1]:1",
			"https://xn--nxasmq6b.example:65535/",
		] {
			assert!(endpoint_is_well_formed(good.as_bytes()), "{good}");
			// What browsers and our own clients parse with finds the same host in it.
			assert!(url::Url::parse(good).expect("a URL").has_host(), "{good}");
		}
		for bad in [
			"",
			"127.0.0.1:9955",
			"ftp://h",
			"ws://h",
			"wss://h",
			"HTTP://h",
			"http://",
			"http:///path",
			"http:h",
			"http://a b",
			"http://\u{e9}",
			"https://h:99999",
			"https://h:0",
			"https://h:",
			"https://h:x",
			"https://user@h",
			"https://user:word@h",
			"https://h/#fragment",
			"https://h#",
			"http://0.0.0.0:9955",
			"http://[::]:9955",
			"http://[::ffff:0.0.0.0]:9955",
			"http://[::ffff:0:0]",
			"http://[v1.x]",
			"http://0",
			"http://1.2.3",
			"http://1.2.3.400",
			"http://a.0x7f",
			"http://-h",
			"http://a..b",
			"http://h.",
			"http://h_h",
			"http://%61",
		] {
			assert!(!endpoint_is_well_formed(bad.as_bytes()), "{bad}");
		}
	}
}
