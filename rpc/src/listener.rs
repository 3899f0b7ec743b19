//! The share listener: a port of its own with the `keyshare_*` methods and nothing else, fit to
//! be open to the world where a validator's ordinary RPC is not.
//!
//! jsonrpsee speaks HTTP on it, and no WebSocket: one request has one answer, and a connection that is
//! kept open holds nothing but a place among the connections. The limits are ours. Its own connection limit counts
//! requests in progress, so connections are accepted here, where idle ones count too and slow
//! ones end: those that send nothing, those that read nothing, and after a while all others.

use crate::{health::Health, LOG_TARGET};
use hyper::{
	body::Incoming,
	header::{HeaderValue, CONTENT_TYPE},
	server::conn::http1,
	service::service_fn,
	Method, Request, Response, StatusCode,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use jsonrpsee::server::{
	stop_channel, BatchRequestConfig, HttpBody, Methods, Server, ServerHandle, StopHandle,
	TowerServiceBuilder,
};
use std::{
	future::Future,
	io::{self, IoSlice},
	net::SocketAddr,
	pin::{pin, Pin},
	str::FromStr,
	sync::Arc,
	task::{Context, Poll},
	time::Duration,
};
use tokio::{
	io::{AsyncRead, AsyncWrite, ReadBuf},
	net::{TcpListener, TcpStream},
	sync::{OwnedSemaphorePermit, Semaphore},
	time::{sleep, timeout, Sleep},
};
use tower::{
	layer::util::{Identity, Stack},
	Service, ServiceBuilder,
};
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

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
/// How long connections are borne with.
const LIMITS: Limits = Limits {
	write: Duration::from_secs(30),
	life: Duration::from_secs(600),
	farewell: Duration::from_secs(60),
};
/// Where whoever watches over the node asks whether it serves its users.
const READINESS: &str = "/health/readiness";
/// Pause when the system has no more connections to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Services = TowerServiceBuilder<Identity, Stack<CorsLayer, Identity>>;

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

/// The text is no list of origins.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
	"{0:?} is not an origin; give `all`, or origins like https://example.org with commas between"
)]
pub struct InvalidOrigin(String);

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

fn origin(text: &str) -> Result<HeaderValue, InvalidOrigin> {
	let invalid = || InvalidOrigin(text.into());
	let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
	// An origin has no path: a browser sends none, so one given here would never match.
	host.filter(|host| !host.is_empty() && !host.contains('/')).ok_or_else(invalid)?;
	HeaderValue::from_str(text).map_err(|_| invalid())
}

impl Cors {
	fn layer(&self) -> CorsLayer {
		let origins = match self {
			Self::All => AllowOrigin::from(Any),
			Self::Origins(origins) => AllowOrigin::list(origins.iter().cloned()),
		};
		CorsLayer::new()
			.allow_origin(origins)
			.allow_methods([Method::POST])
			.allow_headers([CONTENT_TYPE])
	}
}

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
	/// Open connections; further ones are closed at once.
	pub max_connections: u32,
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

/// Starts to serve `methods` on a port of their own, and with a plain `GET /health/readiness` what
/// `health` reports: status 200 if the node is ready, else 503. Call it within a tokio runtime.
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
	let connections = Arc::new(Semaphore::new(to_usize(config.max_connections)));
	let endpoint = Endpoint { services: services(&config), methods, health, stop, limits };
	tokio::spawn(accept(socket, connections, endpoint));
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
		.set_http_middleware(ServiceBuilder::new().layer(config.cors.layer()))
		.to_service_builder()
}

/// What every connection is served with.
#[derive(Clone)]
struct Endpoint {
	services: Services,
	methods: Methods,
	health: Arc<Health>,
	stop: StopHandle,
	limits: Limits,
}

async fn accept(socket: TcpListener, connections: Arc<Semaphore>, endpoint: Endpoint) {
	let mut stopped = pin!(endpoint.stop.clone().shutdown());
	loop {
		let accepted = tokio::select! {
			accepted = socket.accept() => accepted,
			() = &mut stopped => return,
		};
		let stream = match accepted {
			Ok((stream, _)) => stream,
			Err(error) => {
				log::debug!(target: LOG_TARGET, "The share listener cannot accept: {error}");
				sleep(ACCEPT_PAUSE).await;
				continue;
			}
		};
		match connections.clone().try_acquire_owned() {
			Ok(place) => drop(tokio::spawn(serve(stream, endpoint.clone(), place))),
			Err(_) => log::debug!(target: LOG_TARGET, "The share listener has no place free"),
		}
	}
}

/// Holds the connection's place until it has ended.
async fn serve(stream: TcpStream, endpoint: Endpoint, _place: OwnedSemaphorePermit) {
	if stream.set_nodelay(true).is_err() {
		return;
	}
	let Endpoint { services, methods, health, stop, limits } = endpoint;
	let service = service_fn(|request: Request<Incoming>| {
		let service = services.clone().build(methods.clone(), stop.clone());
		answer(service, request, health.clone())
	});
	let connection = http1::Builder::new()
		.timer(TokioTimer::new())
		.header_read_timeout(HEAD_TIMEOUT)
		.max_buf_size(READ_BUFFER_BYTES)
		.serve_connection(TokioIo::new(Impatient::new(stream, limits.write)), service);
	let mut connection = pin!(connection);
	let over = async {
		tokio::select! {
			() = stop.clone().shutdown() => {},
			() = sleep(limits.life) => {},
		}
	};
	let ended = tokio::select! {
		ended = connection.as_mut() => Ok(ended),
		() = over => {
			connection.as_mut().graceful_shutdown();
			timeout(limits.farewell, connection).await
		},
	};
	match ended {
		Ok(Ok(())) => {}
		Ok(Err(error)) => {
			log::trace!(target: LOG_TARGET, "A connection to the share listener failed: {error}");
		}
		Err(_) => {
			log::debug!(target: LOG_TARGET, "A connection to the share listener was cut off");
		}
	}
}

/// A client's connection. A write fails when the client takes nothing for too long.
struct Impatient {
	stream: TcpStream,
	limit: Duration,
	/// Runs while the client takes nothing.
	stalled: Option<Pin<Box<Sleep>>>,
}

impl Impatient {
	fn new(stream: TcpStream, limit: Duration) -> Self {
		Self { stream, limit, stalled: None }
	}

	fn or_give_up(
		&mut self,
		cx: &mut Context<'_>,
		written: Poll<io::Result<usize>>,
	) -> Poll<io::Result<usize>> {
		if written.is_ready() {
			self.stalled = None;
			return written;
		}
		let limit = self.limit;
		let timer = self.stalled.get_or_insert_with(|| Box::pin(sleep(limit)));
		timer.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
	}
}

impl AsyncRead for Impatient {
	fn poll_read(
		mut self: Pin<&mut Self>,
		cx: &mut Context<'_>,
		buffer: &mut ReadBuf<'_>,
	) -> Poll<io::Result<()>> {
		Pin::new(&mut self.stream).poll_read(cx, buffer)
	}
}

/// A socket's flush and shutdown wait for nobody, so they need no limit.
impl AsyncWrite for Impatient {
	fn poll_write(
		mut self: Pin<&mut Self>,
		cx: &mut Context<'_>,
		bytes: &[u8],
	) -> Poll<io::Result<usize>> {
		let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
		self.or_give_up(cx, written)
	}

	fn poll_write_vectored(
		mut self: Pin<&mut Self>,
		cx: &mut Context<'_>,
		bytes: &[IoSlice<'_>],
	) -> Poll<io::Result<usize>> {
		let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
		self.or_give_up(cx, written)
	}

	fn is_write_vectored(&self) -> bool {
		self.stream.is_write_vectored()
	}

	fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
		Pin::new(&mut self.stream).poll_flush(cx)
	}

	fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
		Pin::new(&mut self.stream).poll_shutdown(cx)
	}
}

fn readiness(health: &Health) -> Result<Response<HttpBody>, BoxError> {
	let report = health.report();
	let status = if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
	let body = serde_json::to_string(&report)?;
	let response = Response::builder().status(status).header(CONTENT_TYPE, "application/json");
	Ok(response.body(HttpBody::from(body))?)
}

async fn answer<S>(
	mut service: S,
	request: Request<Incoming>,
	health: Arc<Health>,
) -> Result<Response<HttpBody>, BoxError>
where
	S: Service<Request<Incoming>, Response = Response<HttpBody>, Error = BoxError>,
{
	if request.method() == Method::GET && request.uri().path() == READINESS {
		return readiness(&health);
	}
	timeout(ANSWER_TIMEOUT, service.call(request)).await.map_err(BoxError::from)?
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
		let config = ListenerConfig {
			addr: ([127, 0, 0, 1], 0).into(),
			cors: Cors::default(),
			max_connections: 1,
		};
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

	#[test]
	fn cors_is_all_or_a_list_of_origins() {
		assert_eq!("all".parse(), Ok(Cors::All));
		assert_eq!("".parse(), Ok(Cors::default()));
		let two = ["https://a.example", "http://localhost:3000"];
		assert_eq!(
			"https://a.example, http://localhost:3000".parse(),
			Ok(Cors::Origins(two.map(HeaderValue::from_static).into()))
		);
		for bad in ["a.example", "https://", "https://a.example/", "ftp://a", "https://a,*"] {
			assert!(bad.parse::<Cors>().is_err(), "{bad}");
		}
	}
}
