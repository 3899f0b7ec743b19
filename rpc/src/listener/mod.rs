//! The share listener: a port of its own with the `keyshare_*` methods and nothing else, fit to
//! be open to the world where a validator's ordinary RPC is not.
//!
//! It speaks HTTP, and no WebSocket: one request has one answer, and a connection has one request at a time.
//! So what a connection can take of the node is bounded: two buffers, one request, one answer, and the time
//! in which nothing is read or written. jsonrpsee reads and answers requests; whom they come from, and how
//! much of the node each may have, is decided here.
//!
//! | module | what it holds |
//! |---|---|
//! | `places` | connections and requests, shared out by address |
//! | `envelope` | what a request must look like |
//! | `cors` | which web pages may call |
//! | `impatient` | connections whose client has to read |

mod cors;
mod envelope;
mod impatient;
mod places;

pub use cors::{Cors, InvalidOrigin};

use crate::{
	api,
	caller::{Address, Caller},
	health::Health,
	LOG_TARGET,
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::{
	body::Incoming,
	header::{HeaderValue, CONTENT_LENGTH, CONTENT_TYPE},
	server::conn::http1,
	service::service_fn,
	HeaderMap, Method, Request, Response, StatusCode,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use impatient::Impatient;
use ipnet::IpNet;
use jsonrpsee::server::{
	http::response, stop_channel, BatchRequestConfig, HttpBody, Methods, Server, ServerHandle,
	StopHandle, TowerServiceBuilder,
};
use places::{Most, Place, Places, UnderWay};
use std::{
	io,
	net::{IpAddr, SocketAddr},
	pin::pin,
	sync::{
		atomic::{AtomicBool, Ordering},
		Arc,
	},
	time::Duration,
};
use tokio::{
	net::{TcpListener, TcpStream},
	time::{sleep, timeout},
};
use tower::{layer::util::Identity, Layer, Service};

/// Connections at most, unless the configuration says otherwise.
pub const MAX_CONNECTIONS: u32 = 1000;
/// Connections, and requests under way, of one address, unless the configuration says otherwise.
pub const MAX_PER_ADDRESS: u32 = 128;

/// Longest request; a share takes about 500 bytes.
const MAX_REQUEST_BYTES: u32 = 4 * 1024;
/// Longest answer; what `keyshare_servers` says of one server takes about 200 bytes.
const MAX_RESPONSE_BYTES: u32 = 64 * 1024;
/// Buffer for a request's head and body: the least that hyper allows.
const READ_BUFFER_BYTES: usize = 8 * 1024;
/// Time for the head of the next request, so also how long an idle connection is kept.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Time from a request's head to its answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Of that, time for a request's body.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long connections are borne with.
const LIMITS: Limits = Limits {
	write: Duration::from_secs(30),
	life: Duration::from_secs(600),
	farewell: Duration::from_secs(60),
};
/// Where whoever watches over the node asks whether it serves its users.
const READINESS: &str = "/health/readiness";
/// Where it asks whether there is anybody at all.
const LIVENESS: &str = "/health";
/// Where a proxy says whom it asks for.
const FORWARDED_FOR: &str = "x-forwarded-for";
/// Pause when the system has no more connections to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// When to come back who has as many requests under way as it may.
const RETRY_AFTER: Duration = Duration::from_millis(500);

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Answered = Result<Response<HttpBody>, BoxError>;
type Services = TowerServiceBuilder<Identity, Identity>;

/// How long a connection is borne with whose client does not read: hyper waits for it without end, and
/// meanwhile reads no further request, so that [`HEAD_TIMEOUT`] does not end it.
#[derive(Clone, Copy, Debug)]
struct Limits {
	/// Time in which the client must take something of an answer.
	write: Duration,
	/// How long a connection may serve one request after another. Whoever takes an answer byte by byte
	/// would otherwise keep it for good.
	life: Duration,
	/// How long the last answer may take then.
	farewell: Duration,
}

/// Where and for whom to listen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListenerConfig {
	/// Address and port; port 0 takes a free one.
	pub addr: SocketAddr,
	/// Which web pages may call.
	pub cors: Cors,
	/// Open connections.
	pub max_connections: u32,
	/// Open connections, and requests under way, of one address; further ones are closed or refused at once.
	pub max_per_address: u32,
	/// Proxies that are believed when they say, in `X-Forwarded-For`, whom they ask for. Their connections
	/// are bounded by the first of the limits alone.
	pub trusted_proxies: Vec<IpNet>,
}

impl ListenerConfig {
	/// At this address, for no web page and no proxy.
	pub fn at(addr: SocketAddr) -> Self {
		Self {
			addr,
			cors: Cors::default(),
			max_connections: MAX_CONNECTIONS,
			max_per_address: MAX_PER_ADDRESS,
			trusted_proxies: Vec::new(),
		}
	}
}

/// The listener could not be started.
#[derive(Debug, thiserror::Error)]
#[error("the share listener cannot listen on {addr}: {source}")]
pub struct ListenerError {
	addr: SocketAddr,
	source: io::Error,
}

/// A running listener. It stops when this is dropped: no new connection is accepted and the open
/// ones end after the requests in progress.
#[derive(Debug)]
pub struct Listener {
	addr: SocketAddr,
	handle: ServerHandle,
}

impl Listener {
	/// The address it listens on, with the port that was taken.
	pub fn local_addr(&self) -> SocketAddr {
		self.addr
	}

	/// Stops it and waits until every connection has ended.
	pub async fn stop(self) {
		// An error says that it has stopped already.
		if self.handle.stop().is_ok() {
			self.handle.stopped().await;
		}
	}
}

/// Starts to serve `methods` on a port of their own. A plain `GET /health/readiness` is answered with what
/// `health` reports: status 200 if the node is ready, else 503; and `GET /health` with the same and 200,
/// which says that it is alive. Call it within a tokio runtime.
pub async fn start(
	config: ListenerConfig,
	methods: impl Into<Methods>,
	health: Arc<Health>,
) -> Result<Listener, ListenerError> {
	start_with(config, methods.into(), health, LIMITS).await
}

async fn start_with(
	config: ListenerConfig,
	methods: Methods,
	health: Arc<Health>,
	limits: Limits,
) -> Result<Listener, ListenerError> {
	let failed = |source| ListenerError { addr: config.addr, source };
	let socket = TcpListener::bind(config.addr).await.map_err(failed)?;
	let addr = socket.local_addr().map_err(failed)?;
	let (stop, handle) = stop_channel();
	let services = services(&config);
	let ListenerConfig { cors, max_connections, max_per_address, trusted_proxies, .. } = config;
	let each = to_usize(max_per_address);
	let places = Places::new(Most { all: to_usize(max_connections), each });
	let under_way = UnderWay::new(each);
	let endpoint = Arc::new(Endpoint {
		services,
		methods,
		health,
		stop,
		limits,
		cors,
		under_way,
		trusted_proxies,
		told_of_proxy: AtomicBool::new(false),
	});
	tokio::spawn(accept(socket, places, endpoint));
	Ok(Listener { addr, handle })
}

fn to_usize(number: u32) -> usize {
	usize::try_from(number).unwrap_or(usize::MAX)
}

fn services(config: &ListenerConfig) -> Services {
	Server::builder()
		.max_request_body_size(MAX_REQUEST_BYTES)
		.max_response_body_size(MAX_RESPONSE_BYTES)
		.max_connections(config.max_connections)
		.http_only()
		.set_batch_request_config(BatchRequestConfig::Disabled)
		.to_service_builder()
}

/// What every connection is served with.
struct Endpoint {
	services: Services,
	methods: Methods,
	health: Arc<Health>,
	stop: StopHandle,
	limits: Limits,
	cors: Cors,
	under_way: Arc<UnderWay>,
	trusted_proxies: Vec<IpNet>,
	/// Whether the log has named a proxy that is not trusted.
	told_of_proxy: AtomicBool,
}

async fn accept(socket: TcpListener, places: Arc<Places>, endpoint: Arc<Endpoint>) {
	let mut stopped = pin!(endpoint.stop.clone().shutdown());
	loop {
		let accepted = tokio::select! {
			accepted = socket.accept() => accepted,
			() = &mut stopped => return,
		};
		let (stream, peer) = match accepted {
			Ok((stream, peer)) => (stream, peer.ip().to_canonical()),
			Err(error) => {
				log::debug!(target: LOG_TARGET, "The share listener cannot accept: {error}");
				sleep(ACCEPT_PAUSE).await;
				continue;
			}
		};
		match places.take(peer, endpoint.trusts(peer)) {
			Some(place) => drop(tokio::spawn(serve(stream, peer, endpoint.clone(), place))),
			None => {
				log::debug!(target: LOG_TARGET, "The share listener has no place free for {peer}");
			}
		}
	}
}

/// Holds the connection's place until it has ended.
async fn serve(stream: TcpStream, peer: IpAddr, endpoint: Arc<Endpoint>, place: Place) {
	if stream.set_nodelay(true).is_err() {
		return;
	}
	let limits = endpoint.limits;
	let service = service_fn(|request| {
		let (endpoint, place) = (&endpoint, &place);
		async move {
			// With an error that is no box: hyper makes one of it, and of a box the compiler does not see that it
			// can go from thread to thread.
			endpoint.answer(request, peer, place).await.map_err(io::Error::other)
		}
	});
	let connection = http1::Builder::new()
		.timer(TokioTimer::new())
		.header_read_timeout(HEAD_TIMEOUT)
		.max_buf_size(READ_BUFFER_BYTES)
		.serve_connection(TokioIo::new(Impatient::new(stream, limits.write)), service);
	let mut connection = pin!(connection);
	let over = async {
		tokio::select! {
			() = endpoint.stop.clone().shutdown() => {},
			() = sleep(limits.life) => {},
		}
	};
	// Whoever has lost its place is cut off at once, or there would be more connections than places.
	let ended = tokio::select! {
		ended = connection.as_mut() => Some(ended),
		() = place.lost() => None,
		() = over => {
			connection.as_mut().graceful_shutdown();
			tokio::select! {
				ended = timeout(limits.farewell, connection) => ended.ok(),
				() = place.lost() => None,
			}
		},
	};
	match ended {
		Some(Ok(())) => {}
		Some(Err(error)) => {
			log::trace!(target: LOG_TARGET, "A connection to the share listener failed: {error}");
		}
		None => {
			log::debug!(target: LOG_TARGET, "A connection to the share listener was cut off");
		}
	}
}

impl Endpoint {
	fn trusts(&self, peer: IpAddr) -> bool {
		self.trusted_proxies.iter().any(|proxies| proxies.contains(&peer))
	}

	/// Who asks over a connection from `peer`: the last that the proxies say which are trusted, and else the
	/// peer itself. Whatever stands before that, anybody can have written.
	fn address(&self, peer: IpAddr, headers: &HeaderMap) -> Address {
		let mut address = peer;
		let lists = headers.get_all(FORWARDED_FOR).iter().filter_map(|list| list.to_str().ok());
		let said: Vec<&str> = lists.flat_map(|list| list.split(',')).map(str::trim).collect();
		for said in said.into_iter().rev() {
			if !self.trusts(address) {
				self.say_untrusted(address);
				break;
			}
			let with_port = || said.parse::<SocketAddr>().map(|socket| socket.ip());
			let Ok(before) = said.parse::<IpAddr>().or_else(|_| with_port()) else { break };
			address = before.to_canonical();
		}
		address.into()
	}

	/// Says once that a proxy seems to be in front which nobody has named: all who come through it are one.
	fn say_untrusted(&self, proxy: IpAddr) {
		if !self.told_of_proxy.swap(true, Ordering::Relaxed) {
			log::warn!(
				target: LOG_TARGET,
				"{proxy} says to the share listener that it asks for others, and is not believed: if it is your \
				 proxy, name it with --share-rpc-trusted-proxy, or all that comes through it counts as one caller",
			);
		}
	}

	/// Answers within [`ANSWER_TIMEOUT`], or ends the connection.
	async fn answer(&self, request: Request<Incoming>, peer: IpAddr, place: &Place) -> Answered {
		if matches!(*request.method(), Method::GET | Method::HEAD) {
			match request.uri().path() {
				READINESS => return self.report(StatusCode::SERVICE_UNAVAILABLE),
				LIVENESS => return self.report(StatusCode::OK),
				_ => {}
			}
		}
		let call = tower::service_fn(|request| self.call(request, peer, place));
		let mut marked = self.cors.layer().layer(call);
		match timeout(ANSWER_TIMEOUT, marked.call(request)).await {
			Ok(answered) => answered,
			Err(elapsed) => Err(elapsed.into()),
		}
	}

	fn report(&self, unless_ready: StatusCode) -> Answered {
		let report = self.health.report();
		let status = if report.ready { StatusCode::OK } else { unless_ready };
		let body = serde_json::to_string(&report)?;
		let response = Response::builder().status(status).header(CONTENT_TYPE, "application/json");
		Ok(response.body(HttpBody::from(body))?)
	}

	/// Answers a JSON-RPC request, and in jsonrpsee's words what is none.
	async fn call(&self, request: Request<Incoming>, peer: IpAddr, place: &Place) -> Answered {
		let (mut head, body) = request.into_parts();
		if head.method != Method::POST {
			return Ok(response::method_not_allowed());
		}
		let kind = head.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
		if !kind.is_some_and(envelope::is_json) {
			return Ok(response::unsupported_content_type());
		}
		// From the head on, so that who sends bodies slowly has no more of them under way than others.
		let address = self.address(peer, &head.headers);
		let Some(_request) = self.under_way.begin(address) else {
			let mut refused = response::ok_response(api::busy(RETRY_AFTER));
			*refused.status_mut() = StatusCode::TOO_MANY_REQUESTS;
			return Ok(refused);
		};
		let body = Limited::new(body, to_usize(MAX_REQUEST_BYTES)).collect();
		let body = match timeout(BODY_TIMEOUT, body).await {
			Ok(Ok(body)) => body.to_bytes(),
			Ok(Err(error)) if error.is::<LengthLimitError>() => {
				return Ok(response::too_large(MAX_REQUEST_BYTES));
			}
			Ok(Err(error)) => return Err(error),
			Err(elapsed) => return Err(elapsed.into()),
		};
		// Only now: whoever does not come to the point can be sent away.
		let _at_work = place.at_work();
		// jsonrpsee knows white space after a request, and little before it.
		let body = body.trim_ascii();
		if let Err(refusal) = envelope::check(body) {
			return Ok(response::ok_response(api::invalid_request(refusal)));
		}
		head.extensions.insert(Caller::At(address));
		head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
		head.headers.remove(CONTENT_LENGTH);
		let request = Request::from_parts(head, HttpBody::from(body.to_vec()));
		let mut service = self.services.clone().build(self.methods.clone(), self.stop.clone());
		service.call(request).await
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use jsonrpsee::{
		core::client::ClientT, http_client::HttpClient, rpc_params, types::ErrorObjectOwned,
		RpcModule,
	};
	use tokio::{
		io::{AsyncReadExt, AsyncWriteExt},
		net::{tcp::OwnedReadHalf, TcpSocket},
		task::JoinHandle,
	};

	/// What is short here, and what never comes: within [`SOON`] nothing else ends a connection.
	const MOMENT: Duration = Duration::from_millis(200);
	const NEVER: Duration = Duration::from_secs(3_600);
	/// Long enough for every machine, and shorter than [`HEAD_TIMEOUT`].
	const SOON: Duration = Duration::from_secs(25);

	/// A listener with one place, whose answers are long.
	async fn with_one_place(limits: Limits) -> Listener {
		let mut module = RpcModule::new(());
		module
			.register_method("long", |_, _, _| Ok::<_, ErrorObjectOwned>("x".repeat(60_000)))
			.expect("one method");
		let config =
			ListenerConfig { max_connections: 1, ..ListenerConfig::at(([127, 0, 0, 1], 0).into()) };
		start_with(config, module.into(), Arc::default(), limits).await.expect("a free port")
	}

	/// Asks again and again, and reads nothing. The task ends when it can ask no more.
	async fn who_reads_nothing(listener: &Listener) -> (OwnedReadHalf, JoinHandle<()>) {
		let socket = TcpSocket::new_v4().expect("a socket");
		socket.set_recv_buffer_size(4 * 1024).expect("a small window");
		let stream = socket.connect(listener.local_addr()).await.expect("connects");
		let (reader, mut writer) = stream.into_split();
		let body = r#"{"jsonrpc":"2.0","id":1,"method":"long"}"#;
		let length = body.len();
		let request = format!(
			"POST / HTTP/1.1\r\nhost: share\r\ncontent-type: application/json\r\n\
			 content-length: {length}\r\n\r\n{body}"
		);
		let asking = tokio::spawn(async move {
			loop {
				if writer.write_all(request.as_bytes()).await.is_err() {
					return;
				}
			}
		});
		reader.readable().await.expect("an answer has begun");
		(reader, asking)
	}

	/// The only place is free for somebody else, soon.
	async fn has_a_place(listener: &Listener) {
		let url = format!("http://{}", listener.local_addr());
		let client = HttpClient::builder().build(url).expect("a valid URL");
		let answered = async {
			while client.request::<String, _>("long", rpc_params![]).await.is_err() {
				tokio::task::yield_now().await;
			}
		};
		timeout(SOON, answered).await.expect("a place");
	}

	#[tokio::test(flavor = "multi_thread")]
	async fn who_reads_no_answer_loses_its_place() {
		let limits = Limits { write: MOMENT, life: NEVER, farewell: NEVER };
		let listener = with_one_place(limits).await;
		let (_unread, asking) = who_reads_nothing(&listener).await;
		timeout(SOON, asking).await.expect("the connection ends").expect("no panic");
		has_a_place(&listener).await;
	}

	#[tokio::test(flavor = "multi_thread")]
	async fn nobody_keeps_a_place_for_longer_than_the_longest_life() {
		let limits = Limits { write: NEVER, life: MOMENT, farewell: MOMENT };
		let listener = with_one_place(limits).await;
		let (_unread, asking) = who_reads_nothing(&listener).await;
		timeout(SOON, asking).await.expect("the connection ends").expect("no panic");

		// Whoever says nothing either, and at once.
		let limits = Limits { write: NEVER, life: MOMENT, farewell: NEVER };
		let listener = with_one_place(limits).await;
		let mut idle = TcpStream::connect(listener.local_addr()).await.expect("connects");
		let ended = timeout(SOON, idle.read(&mut [0; 1])).await.expect("the connection ends");
		assert_eq!(ended.unwrap_or(0), 0);
		has_a_place(&listener).await;
	}
}
