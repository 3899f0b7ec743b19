//! A connection to a share listener from an address of its own, that does what no client would.

use rustix::process::{getrlimit, setrlimit, Resource, Rlimit};
use std::{
	io,
	net::{IpAddr, Ipv4Addr, SocketAddr},
	time::Duration,
};
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	net::{TcpSocket, TcpStream},
	time::{sleep, timeout, Instant},
};

/// Addresses of this machine that strangers come from.
pub struct Sources;

/// The only ones.
pub const SOURCES: Sources = Sources;

impl Sources {
	/// The address with a number, which is none of the honest client's.
	pub fn address(&self, number: usize) -> IpAddr {
		let last = u8::try_from(number % 250).unwrap_or(0);
		Ipv4Addr::new(127, 9, 9, last + 1).into()
	}
}

/// As many files as the system lets this process have.
pub fn allow_many_files() {
	let most = getrlimit(Resource::Nofile).maximum;
	let limit = Rlimit { current: most, maximum: most };
	setrlimit(Resource::Nofile, limit).expect("within the hard limit");
}

/// A connection.
pub struct Stranger(TcpStream);

impl Stranger {
	/// From an address.
	pub async fn at(from: IpAddr, port: u16) -> io::Result<Self> {
		let socket = TcpSocket::new_v4()?;
		socket.set_reuseaddr(true)?;
		socket.bind(SocketAddr::new(from, 0))?;
		Ok(Self(socket.connect(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)).await?))
	}

	/// One request, and the body of its answer.
	pub async fn post(&mut self, body: &str) -> io::Result<String> {
		self.0.write_all(request(body).as_bytes()).await?;
		let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
		loop {
			let read = self.0.read(&mut buffer).await?;
			if read == 0 {
				return Err(io::ErrorKind::UnexpectedEof.into());
			}
			answer.extend_from_slice(&buffer[..read]);
			let text = String::from_utf8_lossy(&answer);
			let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
			let length = head.lines().find_map(|line| {
				let (name, value) = line.split_once(':')?;
				name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
			});
			if length.is_some_and(|length: usize| body.len() >= length) {
				return Ok(body.to_owned());
			}
		}
	}

	/// Asks for a WebSocket, and sends 4 kB after 4 kB whatever the answer; how many kB got away.
	pub async fn send_garbage(&mut self, lasting: Duration) -> usize {
		let upgrade =
			"GET / HTTP/1.1\r\nhost: share\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
		               sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
		let (end, mut sent) = (Instant::now() + lasting, 0);
		if self.0.write_all(upgrade.as_bytes()).await.is_err() {
			return sent;
		}
		while Instant::now() < end {
			match timeout(lasting, self.0.write_all(&[b'x'; 4_000])).await {
				Ok(Ok(())) => sent += 4,
				_ => break,
			}
		}
		sent
	}

	/// Sends requests as long as the connection takes them.
	pub async fn ask_and_read_nothing(&mut self, lasting: Duration) {
		let body = r#"{"jsonrpc":"2.0","id":1,"method":"keyshare_servers"}"#;
		let asking = async { while self.0.write_all(request(body).as_bytes()).await.is_ok() {} };
		// Whether it ends by itself or not is seen by what others get.
		let _ = timeout(lasting, asking).await;
	}

	/// Sends a request byte by byte.
	pub async fn write_slowly(&mut self, lasting: Duration) {
		let end = Instant::now() + lasting;
		for byte in request(&" ".repeat(1_000)).bytes() {
			if Instant::now() >= end || self.0.write_all(&[byte]).await.is_err() {
				return;
			}
			sleep(Duration::from_secs(1)).await;
		}
	}
}

fn request(body: &str) -> String {
	format!(
		"POST / HTTP/1.1\r\nhost: share\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
		body.len()
	)
}
