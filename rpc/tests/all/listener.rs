//! The share listener's limits, over real sockets.

use crate::common::*;
use jsonrpsee::{core::client::ClientT, http_client::HttpClient, rpc_params};
use keyshare_primitives::KeyScheme;
use keyshare_rpc::{
	api,
	listener::{self, ListenerConfig},
};
use serde_json::{json, Value};
use std::sync::Arc;
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	net::TcpStream,
};

/// Sends one HTTP request as it stands and returns the whole answer, head included.
async fn raw(node: &Node, head: &str, body: &str) -> String {
	let mut stream = TcpStream::connect(node.listener.local_addr()).await.expect("connects");
	let length = body.len();
	let request = format!(
		"{head} HTTP/1.1\r\nhost: share\r\ncontent-type: application/json\r\n\
		 origin: https://page.example\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
	);
	stream.write_all(request.as_bytes()).await.expect("written");
	let mut answer = String::new();
	stream.read_to_string(&mut answer).await.expect("answered");
	answer
}

fn call(method: &str, params: Value) -> Value {
	json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_refused() {
	let node = Node::start().await;
	let dealt = node.register(1, KeyScheme::Ed25519);
	let submit = call("keyshare_submitShare", json!([dealt.request(0)]));
	let answer = raw(&node, "POST /", &json!([submit]).to_string()).await;
	assert!(answer.contains("-32005"), "{answer}");
	assert_eq!(node.stored_count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_websocket_is_opened() {
	let node = Node::start().await;
	let mut stream = TcpStream::connect(node.listener.local_addr()).await.expect("connects");
	let upgrade = "GET / HTTP/1.1\r\nhost: share\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
	               sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
	stream.write_all(upgrade.as_bytes()).await.expect("written");
	let mut answer = [0; 12];
	stream.read_exact(&mut answer).await.expect("answered");
	assert!(answer.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_are_refused() {
	let node = Node::start().await;
	let dealt = node.register(1, KeyScheme::Ed25519);
	let fits = |spaces: usize| {
		let submit = call("keyshare_submitShare", json!([dealt.request(0)]));
		format!("{submit}{}", " ".repeat(spaces))
	};
	let answer = raw(&node, "POST /", &fits(4096)).await;
	assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
	assert_eq!(node.stored_count(), 0);
	let answer = raw(&node, "POST /", &fits(2048)).await;
	assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
	assert_eq!(node.stored_count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_our_methods_are_served() {
	let node = Node::start().await;
	for method in ["author_rotateKeys", "system_health", "rpc_methods", "keyshare_newEncryptionKey"]
	{
		let answer = raw(&node, "POST /", &call(method, json!([])).to_string()).await;
		assert!(answer.contains("-32601"), "{method}: {answer}");
	}
	let mut names: Vec<_> = api::module(node.intake.clone()).method_names().collect();
	names.sort_unstable();
	assert_eq!(
		names,
		[
			"keyshare_proveCustody",
			"keyshare_requestShares",
			"keyshare_servers",
			"keyshare_shareStatus",
			"keyshare_submitShare"
		]
	);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_allowed_origins_only_may_read_answers() {
	let allows = |answer: &str| {
		let answer = answer.to_lowercase();
		answer.contains("access-control-allow-origin: https://page.example")
			|| answer.contains("access-control-allow-origin: *")
	};
	let body = call("keyshare_servers", json!([])).to_string();
	for (cors, expected) in [
		("", false),
		("all", true),
		("https://page.example", true),
		("https://other.example", false),
	] {
		let node = Node::start_with(1, 4, cors.parse().expect("valid"), 4).await;
		assert_eq!(allows(&raw(&node, "POST /", &body).await), expected, "{cors:?}");
		assert_eq!(allows(&raw(&node, "OPTIONS /", "").await), expected, "{cors:?}");
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_limit_are_closed() {
	let node = Node::start_with(1, 4, Default::default(), 2).await;
	let idle = TcpStream::connect(node.listener.local_addr()).await.expect("connects");
	let _other = TcpStream::connect(node.listener.local_addr()).await.expect("connects");
	let mut third = TcpStream::connect(node.listener.local_addr()).await.expect("accepted first");
	assert_eq!(third.read(&mut [0; 1]).await.unwrap_or(0), 0, "closed without a word");

	// A place that is given up is free again.
	drop(idle);
	let client = HttpClient::builder().build(node.url("http")).expect("a valid URL");
	let answered = async {
		while client.request::<Value, _>("keyshare_servers", rpc_params![]).await.is_err() {
			tokio::task::yield_now().await;
		}
	};
	tokio::time::timeout(std::time::Duration::from_secs(60), answered).await.expect("a place");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_listener_frees_its_port_and_a_taken_port_is_an_error() {
	let node = Node::start().await;
	let config = ListenerConfig {
		addr: node.listener.local_addr(),
		cors: Default::default(),
		max_connections: 1,
	};
	let taken =
		listener::start(config.clone(), api::module(node.intake.clone()), Arc::default()).await;
	let error = taken.expect_err("the port is taken").to_string();
	assert!(error.contains(&config.addr.to_string()), "{error}");
	node.listener.stop().await;
	let again = listener::start(config, api::module(node.intake.clone()), Arc::default()).await;
	assert!(again.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_is_a_plain_http_answer() {
	let node = Node::start().await;
	let answer = raw(&node, "GET /health/readiness", "").await;
	assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
	let body = answer.lines().last().expect("a body");
	let report: Value = serde_json::from_str(body).expect("JSON");
	assert_eq!(report["ready"], false);
	assert!(report["reasons"][0].as_str().is_some_and(|reason| reason.contains("chain")));
	let elsewhere = raw(&node, "GET /health", "").await;
	assert!(!elsewhere.starts_with("HTTP/1.1 200 "), "{elsewhere}");
}
