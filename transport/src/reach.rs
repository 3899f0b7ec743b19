//! Which addresses may be called.

use hyper_util::client::legacy::connect::dns::Name;
use std::{
	error::Error,
	net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
	vec::IntoIter,
};

/// Which addresses a call may go to. An endpoint is what a stranger has published: it must not make
/// this machine call services that only machines near it can reach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
	/// Any, so this machine and private networks, too.
	Anywhere,
	/// Those of [`is_public`].
	Public,
}

/// A name leads to addresses that may not be called, of which this is one, and to no others.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not a public address")]
pub(crate) struct Refused(pub IpAddr);

impl Reach {
	/// Whether a call may go there.
	pub fn allows(self, address: IpAddr) -> bool {
		match self {
			Self::Anywhere => true,
			Self::Public => is_public(address),
		}
	}

	/// Those addresses of `name` that may be called. The connection is made to one of these, without
	/// another lookup, which could answer otherwise.
	pub(crate) async fn resolve(
		self,
		name: Name,
	) -> Result<IntoIter<SocketAddr>, Box<dyn Error + Send + Sync>> {
		let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
		let (allowed, others): (Vec<_>, Vec<_>) =
			found.partition(|address| self.allows(address.ip()));
		match others.first() {
			Some(address) if allowed.is_empty() => Err(Refused(address.ip()).into()),
			_ => Ok(allowed.into_iter()),
		}
	}
}

/// Whether an address is one machine's on the public internet, and not in IANA's registries of special
/// addresses. The standard library's `is_global` is not stable.
pub fn is_public(address: IpAddr) -> bool {
	match address {
		IpAddr::V4(address) => is_public_v4(address),
		IpAddr::V6(address) => is_public_v6(address),
	}
}

fn is_public_v4(address: Ipv4Addr) -> bool {
	!matches!(
		address.octets(),
		// This network, private, loopback.
		[0 | 10 | 127, ..] | [172, 16..=31, ..] | [192, 168, ..]
		// Shared behind a provider's NAT.
		| [100, 64..=127, ..]
		// Link-local: clouds answer there with secrets.
		| [169, 254, ..]
		// Protocol assignments, relays of 6to4, benchmarks.
		| [192, 0, 0, _] | [192, 88, 99, _] | [198, 18 | 19, ..]
		// Documentation.
		| [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _]
		// Multicast, reserved, broadcast.
		| [224..=255, ..]
	)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
	match address.segments() {
		// IPv4 in IPv6: compatible (with the unspecified address and loopback), mapped, NAT64, 6to4.
		[0, 0, 0, 0, 0, 0 | 0xffff, high, low]
		| [0x64, 0xff9b, 0, 0, 0, 0, high, low]
		| [0x2002, high, low, ..] => {
			is_public_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)))
		}
		// Protocol assignments, with Teredo's tunnels; documentation.
		[0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
		// Global unicast is 2000::/3; unique local, link-local and multicast are outside of it.
		[first, ..] => first & 0xe000 == 0x2000,
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn special_addresses_are_not_public() {
		for special in [
			"0.0.0.0",
			"0.1.2.3",
			"10.0.0.1",
			"10.255.255.255",
			"100.64.0.1",
			"100.127.255.255",
			"127.0.0.1",
			"127.9.9.9",
			"169.254.169.254",
			"172.16.0.1",
			"172.31.255.255",
			"192.0.0.8",
			"192.0.2.1",
			"192.88.99.1",
			"192.168.0.1",
			"198.18.0.1",
			"198.19.255.255",
			"198.51.100.1",
			"203.0.113.1",
			"224.0.0.1",
			"239.255.255.255",
			"240.0.0.1",
			"255.255.255.255",
			"::",
			"::1",
			"::127.0.0.1",
			"::ffff:127.0.0.1",
			"::ffff:10.0.0.1",
			"::ffff:0:127.0.0.1",
			"64:ff9b::192.168.0.1",
			"64:ff9b:1::8.8.8.8",
			"100::1",
			"2001::1",
			"2001:2::1",
			"2001:1ff:ffff::1",
			"2001:db8::1",
			"2002:7f00:1::",
			"2002:c0a8:1::1",
			"3fff::1",
			"3fff:fff::1",
			"4000::1",
			"fc00::1",
			"fdff::1",
			"fe80::1",
			"fec0::1",
			"ff02::1",
		] {
			assert!(!is_public(special.parse().expect("an address")), "{special}");
			assert!(Reach::Anywhere.allows(special.parse().expect("an address")), "{special}");
		}
	}

	#[test]
	fn addresses_beside_the_special_ones_are_public() {
		for public in [
			"1.1.1.1",
			"9.255.255.255",
			"11.0.0.0",
			"100.63.255.255",
			"100.128.0.0",
			"126.255.255.255",
			"128.0.0.1",
			"169.253.255.255",
			"169.255.0.0",
			"172.15.255.255",
			"172.32.0.0",
			"192.0.1.1",
			"192.167.255.255",
			"192.169.0.0",
			"198.17.255.255",
			"198.20.0.0",
			"223.255.255.255",
			"::ffff:8.8.8.8",
			"64:ff9b::8.8.8.8",
			"2001:200::1",
			"2001:4860:4860::8888",
			"2002:808:808::1",
			"2606:4700::1111",
			"3fff:1000::1",
		] {
			assert!(is_public(public.parse().expect("an address")), "{public}");
			assert!(Reach::Public.allows(public.parse().expect("an address")), "{public}");
		}
	}

	#[tokio::test]
	async fn a_name_leads_to_what_may_be_called_only() {
		let resolve = |reach: Reach| reach.resolve("localhost".parse().expect("a name"));
		assert!(resolve(Reach::Anywhere).await.expect("itself").count() > 0);
		let error = resolve(Reach::Public).await.expect_err("only loopback");
		let Some(Refused(address)) = error.downcast_ref() else { panic!("{error}") };
		assert!(address.is_loopback());
	}
}
