//! Calls over real sockets, answered byte for byte.

use super::{http::MAX_RESPONSE, *};
use serde::{Deserialize, Serialize};
use serde_json::{json, Value};
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	net::{TcpListener, TcpStream},
	task::JoinHandle,
};

/// Asks for a word back.
#[derive(Serialize, Deserialize)]
struct Echo {
	word: String,
}

impl Method for Echo {
	const NAME: &'static str = "test_echo";
	const PARAMETERS: &'static str = "one object with a word";
	type Answer = String;
}

fn echo() -> Echo {
	Echo { word: "hello".into() }
}

/// A listener that answers one call.
struct Peer {
	port: u16,
	/// The head and the body of the call.
	call: JoinHandle<(String, Value)>,
}

impl Peer {
	async fn new(answer: impl Into<Vec<u8>>) -> Self {
		let answer = answer.into();
		let (listener, port) = listen().await;
		let call = tokio::spawn(async move {
			let (mut stream, _) = listener.accept().await.expect("a call");
			let call = read_call(&mut stream).await;
			// Whoever has enough of a long answer does not read on.
			let _ = stream.write_all(&answer).await;
			call
		});
		Self { port, call }
	}

	fn url(&self) -> String {
		format!("http://127.0.0.1:{}", self.port)
	}
}

async fn listen() -> (TcpListener, u16) {
	let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
	let port = listener.local_addr().expect("bound").port();
	(listener, port)
}

async fn read_call(stream: &mut TcpStream) -> (String, Value) {
	let (mut text, mut part) = (String::new(), [0; 1024]);
	loop {
		let count = stream.read(&mut part).await.expect("connected");
		assert_ne!(count, 0, "a whole call");
		text.push_str(std::str::from_utf8(&part[..count]).expect("ASCII"));
		if let Some((head, body)) = text.split_once("\r\n\r\n") {
			if let Ok(body) = serde_json::from_str(body) {
				return (head.to_lowercase(), body);
			}
		}
	}
}

fn answer(status: &str, headers: &str, body: &str) -> String {
	format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len())
}

async fn call_of(answer: impl Into<Vec<u8>>) -> Result<String, CallError> {
	let peer = Peer::new(answer).await;
	call(&peer.url(), Reach::Anywhere, &echo()).await
}

async fn call_answered(body: Value) -> Result<String, CallError> {
	call_of(answer("200 OK", "", &body.to_string())).await
}

async fn error_of(endpoint: &str, reach: Reach) -> CallError {
	call(endpoint, reach, &echo()).await.expect_err("not called")
}

#[test]
fn a_strangers_words_cannot_control_the_terminal() {
	let text = plain(&format!("\u{1b}[2Jgone\n{}", "x".repeat(300)));
	assert!(text.starts_with("[2Jgone"));
	assert_eq!(text.chars().count(), 200);
}

#[tokio::test]
async fn a_call_is_json_rpc_over_http() {
	let body = json!({ "jsonrpc": "2.0", "id": 1, "result": "hello" }).to_string();
	let peer = Peer::new(answer("200 OK", "", &body)).await;
	let endpoint = format!("{}/path?x=1", peer.url());
	assert_eq!(call(&endpoint, Reach::Anywhere, &echo()).await.expect("an answer"), "hello");
	let (head, body) = peer.call.await.expect("called");
	assert!(head.starts_with("post /path?x=1 http/1.1\r\n"), "{head}");
	assert!(head.contains("content-type: application/json"), "{head}");
	let params = json!([{ "word": "hello" }]);
	let expected = json!({ "jsonrpc": "2.0", "id": 1, "method": "test_echo", "params": params });
	assert_eq!(body, expected);
}

#[tokio::test]
async fn a_name_is_looked_up() {
	let body = json!({ "jsonrpc": "2.0", "id": 1, "result": "hello" }).to_string();
	let peer = Peer::new(answer("200 OK", "", &body)).await;
	let endpoint = format!("http://localhost:{}", peer.port);
	assert_eq!(call(&endpoint, Reach::Anywhere, &echo()).await.expect("an answer"), "hello");
}

#[tokio::test]
async fn errors_keep_their_code_and_data() {
	let data = json!({ "retryAfterMs": 300 });
	let error = json!({ "code": ErrorCode::Busy.code(), "message": "bu\u{1b}sy", "data": data });
	match call_answered(json!({ "jsonrpc": "2.0", "id": 1, "error": error })).await {
		Err(CallError::Refused { code: ErrorCode::Busy, message, data }) => {
			assert_eq!((message.as_str(), data.retry_after_ms), ("busy", Some(300)));
		}
		other => panic!("{other:?}"),
	}
	// Of one that could not read the call, so that it does not know its number.
	let error = json!({ "code": -32700, "message": "Parse error" });
	let other = call_answered(json!({ "jsonrpc": "2.0", "id": null, "error": error })).await;
	assert!(matches!(other, Err(CallError::Other { code: -32700, .. })), "{other:?}");
}

#[tokio::test]
async fn an_answer_of_another_shape_is_malformed() {
	let error = json!({ "code": 1, "message": "" });
	for body in [
		json!({ "jsonrpc": "2.0", "id": 2, "result": "hello" }),
		json!({ "jsonrpc": "2.0", "id": "1", "result": "hello" }),
		json!({ "jsonrpc": "2.0", "id": null, "result": "hello" }),
		json!({ "jsonrpc": "2.0", "result": "hello" }),
		json!({ "jsonrpc": "1.0", "id": 1, "result": "hello" }),
		json!({ "jsonrpc": "2.0", "id": 1, "result": 5 }),
		json!({ "jsonrpc": "2.0", "id": 1 }),
		json!({ "jsonrpc": "2.0", "id": 1, "result": "hello", "error": error }),
		json!({ "jsonrpc": "2.0", "id": 2, "error": error }),
		json!([]),
		json!("hello"),
	] {
		let result = call_answered(body.clone()).await;
		assert!(matches!(result, Err(CallError::Malformed(_))), "{body}: {result:?}");
	}
}

#[tokio::test]
async fn an_address_that_is_not_public_is_named_and_not_called() {
	for (endpoint, address) in [
		("http://127.0.0.1:1", "127.0.0.1"),
		("https://10.0.0.1/path", "10.0.0.1"),
		("http://169.254.169.254", "169.254.169.254"),
		("http://[::1]:1", "::1"),
		("https://[::ffff:127.0.0.1]", "::ffff:127.0.0.1"),
	] {
		let error = error_of(endpoint, Reach::Public).await;
		let is_it = |of: IpAddr| of == address.parse::<IpAddr>().expect("an address");
		assert!(matches!(error, CallError::Address(of) if is_it(of)), "{endpoint}: {error:?}");
		let text = error.to_string();
		assert!(text.contains(address) && text.contains("must publish"), "{text}");
	}
}

#[tokio::test]
async fn a_name_that_leads_to_loopback_is_not_called() {
	let (listener, port) = unasked();
	for scheme in ["http", "https"] {
		let error = error_of(&format!("{scheme}://localhost:{port}"), Reach::Public).await;
		assert!(matches!(error, CallError::Address(of) if of.is_loopback()), "{error:?}");
	}
	assert!(listener.accept().is_err(), "nobody has connected");
}

/// A listener that nobody is to call, and says so instead of waiting.
fn unasked() -> (std::net::TcpListener, u16) {
	let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
	listener.set_nonblocking(true).expect("a socket");
	let port = listener.local_addr().expect("bound").port();
	(listener, port)
}

#[tokio::test]
async fn a_redirect_is_named_and_not_followed() {
	let (elsewhere, port) = unasked();
	for status in ["301 Moved Permanently", "307 Temporary Redirect", "308 Permanent Redirect"] {
		let location = format!("location: http://127.0.0.1:{port}/\u{9b}2J\r\n");
		let error = call_of(answer(status, &location, "")).await.expect_err("no answer");
		let expected = format!("http://127.0.0.1:{port}/2J");
		assert!(matches!(&error, CallError::Redirected { to } if *to == expected), "{error:?}");
		assert!(error.to_string().contains(&format!("redirects to {expected},")), "{error}");
	}
	assert!(elsewhere.accept().is_err(), "nobody has connected");
	let long = format!("location: http://{}\r\n", "x".repeat(1_000));
	match call_of(answer("302 Found", &long, "")).await {
		Err(CallError::Redirected { to }) => assert_eq!(to.len(), 200),
		other => panic!("{other:?}"),
	}
}

#[tokio::test]
async fn another_status_is_an_error_whatever_stands_below_it() {
	let body = json!({ "jsonrpc": "2.0", "id": 1, "result": "hello" }).to_string();
	for (status, number) in [
		("404 Not Found", 404),
		("403 Forbidden", 403),
		("304 Not Modified", 304),
		("201 Made", 201),
	] {
		let error = call_of(answer(status, "", &body)).await.expect_err("no answer");
		assert!(matches!(error, CallError::Status(of) if of == number), "{error:?}");
		assert!(error.to_string().contains(&number.to_string()), "{error}");
	}
	// The listener behind it may be back soon.
	for status in ["502 Bad Gateway", "503 Service Unavailable", "429 Too Many Requests"] {
		let error = call_of(answer(status, "", &body)).await.expect_err("no answer");
		let CallError::Connection(text) = &error else { panic!("{error:?}") };
		assert!(text.contains(status), "{text}");
	}
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_refused() {
	let json = json!({ "jsonrpc": "2.0", "id": 1, "result": "hello" }).to_string();
	let filled = |length: usize| {
		let spaces = " ".repeat(length - json.len());
		answer("200 OK", "", &format!("{json}{spaces}"))
	};
	assert_eq!(call_of(filled(MAX_RESPONSE)).await.expect("just short enough"), "hello");
	let error = call_of(filled(MAX_RESPONSE + 1)).await.expect_err("too long");
	assert!(matches!(&error, CallError::Malformed(text) if text.contains("65536")), "{error:?}");
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
	for (start, more) in [
		("HTTP/1.1 200 OK\r\n\r\n", "          "),
		("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "5\r\n     \r\n"),
		// In the head.
		("HTTP/1.1 200 OK\r\nx: ", "xxxxxxxxxx"),
	] {
		let (listener, port) = listen().await;
		let peer = tokio::spawn(async move {
			let (mut stream, _) = listener.accept().await.expect("a call");
			read_call(&mut stream).await;
			stream.write_all(start.as_bytes()).await.expect("connected");
			// Until the connection is closed.
			while stream.write_all(more.repeat(800).as_bytes()).await.is_ok() {}
		});
		let error = error_of(&format!("http://127.0.0.1:{port}"), Reach::Anywhere).await;
		let is_cut = matches!(error, CallError::Malformed(_) | CallError::Connection(_));
		assert!(is_cut, "{start:?}: {error:?}");
		peer.await.expect("it has noticed");
	}
}

#[tokio::test]
async fn an_answer_that_stops_half_way_is_not_waited_for() {
	for start in ["", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"] {
		let (listener, port) = listen().await;
		let peer = tokio::spawn(async move {
			let (mut stream, _) = listener.accept().await.expect("a call");
			read_call(&mut stream).await;
			stream.write_all(start.as_bytes()).await.expect("connected");
			// Open until it is closed at the other end.
			let _ = stream.read(&mut [0]).await;
		});
		let limit = Duration::from_millis(100);
		let endpoint = format!("http://127.0.0.1:{port}");
		let error = call_within(limit, &endpoint, Reach::Anywhere, &echo()).await;
		assert!(matches!(error, Err(CallError::TimedOut)), "{start:?}: {error:?}");
		peer.await.expect("it has noticed");
	}
}

#[tokio::test]
async fn a_listener_that_is_gone_is_a_lost_connection() {
	let (listener, port) = listen().await;
	drop(listener);
	let error = error_of(&format!("http://127.0.0.1:{port}"), Reach::Anywhere).await;
	let CallError::Connection(text) = &error else { panic!("{error:?}") };
	assert!(text.contains("refused"), "{text}");
}

#[tokio::test]
async fn only_a_plain_url_is_called() {
	let (listener, port) = unasked();
	for endpoint in [
		format!("http://user:password@127.0.0.1:{port}"),
		format!("http://user@127.0.0.1:{port}"),
		format!("http://127.0.0.1:{port}#part"),
		format!("ftp://127.0.0.1:{port}"),
		format!("ws://127.0.0.1:{port}"),
		format!("127.0.0.1:{port}"),
		"http://127.0.0.1:99999".into(),
		"http://a b".into(),
		"http://".into(),
		String::new(),
	] {
		let error = error_of(&endpoint, Reach::Anywhere).await;
		assert!(matches!(error, CallError::Endpoint(_)), "{endpoint}: {error:?}");
		assert!(!error.to_string().contains("password@"), "{error}");
	}
	assert!(listener.accept().is_err(), "nobody has connected");
}
