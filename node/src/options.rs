//! Options that the node and its commands have in common, as they are given.

use clap::Args;
use ipnet::IpNet;
use keyshare_rpc::listener::{Cors, MAX_CONNECTIONS, MAX_PER_ADDRESS};
use std::{
	net::{IpAddr, Ipv4Addr, SocketAddr},
	path::PathBuf,
};

/// Where the share listener listens unless told otherwise.
const SHARE_LISTENER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9955);

/// Where the operator's methods are answered unless told otherwise.
const OPERATOR_PORT: u16 = 9946;

/// An address with a port that others can be told of.
fn address_and_port(text: &str) -> Result<SocketAddr, String> {
	let addr: SocketAddr = text.parse().map_err(|_| {
		"give an address and a port, such as 127.0.0.1:9955 or [::1]:9955".to_owned()
	})?;
	match addr.port() {
		0 => Err(
			"port 0 is another port at each start, which no endpoint can name: give one from 1 \
		          to 65535"
				.into(),
		),
		_ => Ok(addr),
	}
}

/// A network, or an address alone.
fn network(text: &str) -> Result<IpNet, String> {
	let address = || text.parse::<IpAddr>().map(IpNet::from);
	text.parse().or_else(|_| address()).map_err(|_| {
		"give an address such as 127.0.0.1, or a network such as 172.16.0.0/12".to_owned()
	})
}

/// Where shares come in.
#[derive(Clone, Debug, Args)]
pub struct ListenerArgs {
	/// Address and port of the share listener.
	///
	/// It takes shares and offers nothing else of the node, so it may be open to the world. The
	/// endpoint that the validator publishes must lead to it. The genesis of the development chain
	/// names this port, so another port makes another development chain.
	#[arg(
		long, value_name = "ADDRESS:PORT", default_value_t = SHARE_LISTENER,
		value_parser = address_and_port
	)]
	pub share_rpc_addr: SocketAddr,

	/// Web pages that may send shares: `all`, or origins with commas between.
	///
	/// An origin is like `https://example.org`. By default none, and all with `--dev`.
	#[arg(long, value_name = "ORIGINS")]
	pub share_rpc_cors: Option<Cors>,

	/// Most connections to the share listener at a time.
	///
	/// If there are more, whoever has most of them loses the one that has been idle longest.
	#[arg(
		long, value_name = "COUNT", default_value_t = MAX_CONNECTIONS,
		value_parser = clap::value_parser!(u32).range(1..)
	)]
	pub share_rpc_max_connections: u32,

	/// Most connections to the share listener, and requests under way, of one address.
	///
	/// Of IPv6, of one network of 64 bits. Further connections are closed at once, and further requests
	/// are told to come back.
	#[arg(
		long, value_name = "COUNT", default_value_t = MAX_PER_ADDRESS,
		value_parser = clap::value_parser!(u32).range(1..)
	)]
	pub share_rpc_max_per_address: u32,

	/// A proxy before the share listener: its address, or a network such as `172.16.0.0/12`.
	///
	/// It is believed when it says in `X-Forwarded-For` whom it asks for, so that each caller has a share
	/// of the node, and not all of them together. It must overwrite what callers write there themselves.
	/// Can be given several times.
	#[arg(long, value_name = "ADDRESS", value_parser = network)]
	pub share_rpc_trusted_proxy: Vec<IpNet>,

	/// Fetch lacking shares from other servers at private addresses too.
	///
	/// Other validators publish the URLs that this node calls. On chains of other types than Development
	/// and Local those at addresses of a private network, or of this machine, are not called without this
	/// option.
	#[arg(long)]
	pub share_private_endpoints: bool,
}

/// Where the operator's own methods are.
#[derive(Clone, Debug, Args)]
pub struct OperatorArgs {
	/// Port of this machine at which the node answers its operator's methods.
	///
	/// They make and rotate keys. At `--rpc-port` they are refused, unless `--rpc-methods unsafe` is given, or the
	/// chain is of type Development: a proxy on this machine may lead the world there. Never let one lead
	/// to this port.
	#[arg(long, value_name = "PORT", default_value_t = OPERATOR_PORT)]
	pub operator_rpc_port: u16,
}

/// Where shares are kept.
#[derive(Clone, Debug, Default, Args)]
pub struct StoreArgs {
	/// File of the share store.
	///
	/// By default `share-store.sqlite` in the chain's folder, beside its database.
	#[arg(long, value_name = "FILE")]
	pub share_store_path: Option<PathBuf>,

	/// File whose only line is the password of the share store.
	///
	/// Needed by a node that hosts servers; one that is given it and finds no share store does not
	/// start. Others than you and your group must not be able to read it. `--dev` has a password of
	/// its own. So has the key store, if any: `--password-filename`.
	#[arg(long, value_name = "FILE", conflicts_with = "dev")]
	pub share_store_password_file: Option<PathBuf>,
}
