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
	let head = format!(
		"{head} HTTP/1.1\r\nhost: share\r\ncontent-type: application/json\r\n\
		 origin: https://page.example"
	);
	whole(node, &head, body).await
}

/// The same with every line of the head but the last two.
async fn whole(node: &Node, head: &str, body: &str) -> String {
	let length = body.len();
	let request = format!("{head}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
	answer_to(node, &request).await
}

/// What comes on a new connection until it ends; nothing if it is refused.
async fn answer_to(node: &Node, request: &str) -> String {
	let mut stream = TcpStream::connect(node.listener.local_addr()).await.expect("connects");
	let mut answer = String::new();
	// An error says that the connection was closed at once.
	if stream.write_all(request.as_bytes()).await.is_ok() {
		drop(stream.read_to_string(&mut answer).await);
	}
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
	assert_eq!(answer, *b"HTTP/1.1 405", "{}", String::from_utf8_lossy(&answer));
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
async fn a_share_whose_id_is_no_id_is_refused_with_a_word_and_not_lost() {
	let node = Node::start().await;
	let dealt = node.register(1, KeyScheme::Ed25519);
	let mut submit = call("keyshare_submitShare", json!([dealt.request(0)]));
	for id in [json!(-1), json!(1.5), json!({}), json!([1]), json!(true)] {
		submit["id"] = id;
		let answer = raw(&node, "POST /", &submit.to_string()).await;
		assert!(answer.contains("-32600") && answer.contains("the id must be"), "{answer}");
	}
	let twice = submit.to_string().replacen('{', r#"{"id":7,"#, 1);
	let answer = raw(&node, "POST /", &twice).await;
	assert!(answer.contains("-32600") && answer.contains("twice"), "{answer}");
	assert_eq!(node.stored_count(), 0);
	for (number, id) in (2..).zip([json!("a"), json!(u64::MAX), json!(null)]) {
		let dealt = node.register(number, KeyScheme::Ed25519);
		let mut submit = call("keyshare_submitShare", json!([dealt.request(0)]));
		submit["id"] = id.clone();
		let answer = raw(&node, "POST /", &submit.to_string()).await;
		assert!(answer.contains(&format!(r#""id":{id}"#)) && answer.contains("stored"), "{answer}");
	}
	assert_eq!(node.stored_count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn white_space_around_a_request_and_any_spelling_of_json_are_borne_with() {
	let node = Node::start().await;
	let body = format!("\r\n \t{} \n", call("keyshare_servers", json!([])));
	for kind in ["Application/JSON; Charset=\"UTF-8\"", "application/json-rpc"] {
		let head = format!("POST / HTTP/1.1\r\nhost: share\r\ncontent-type: {kind}");
		let answer = whole(&node, &head, &body).await;
		assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("genesisHash"), "{answer}");
	}
	let head = "POST / HTTP/1.1\r\nhost: share\r\ncontent-type: text/plain";
	assert!(whole(&node, head, &body).await.starts_with("HTTP/1.1 415 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_an_allowed_origin_may_call_into_a_private_network() {
	let node = Node::start_with(1, 4, "https://page.example".parse().expect("valid"), 4).await;
	let head = "OPTIONS / HTTP/1.1\r\nhost: share\r\norigin: https://page.example\r\n\
	            access-control-request-method: POST\r\n\
	            access-control-request-private-network: true";
	let answer = whole(&node, head, "").await.to_lowercase();
	assert!(answer.contains("access-control-allow-private-network: true"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_behind_a_proxy_that_is_trusted_each_have_their_own_share() {
	for (proxies, expected) in [(&["127.0.0.0/8"][..], true), (&[][..], false)] {
		let mut node = Node::start().await;
		let config = ListenerConfig {
			trusted_proxies: proxies.iter().map(|proxy| proxy.parse().expect("valid")).collect(),
			max_per_address: 1,
			..ListenerConfig::at(([127, 0, 0, 1], 0).into())
		};
		node.listener = listener::start(config, api::module(node.intake.clone()), Arc::default())
			.await
			.expect("a free port");
		// One of them keeps its only place among the requests under way.
		node.chain.close();
		let body = call("keyshare_servers", json!([])).to_string();
		let length = body.len();
		let request = |forwarded: &str| {
			format!(
				"POST / HTTP/1.1\r\nhost: share\r\ncontent-type: application/json\r\n\
				 x-forwarded-for: 192.0.2.99, {forwarded}\r\nconnection: close\r\n\
				 content-length: {length}\r\n\r\n{body}"
			)
		};
		let mut held = TcpStream::connect(node.listener.local_addr()).await.expect("connects");
		held.write_all(request("192.0.2.1").as_bytes()).await.expect("written");
		let chain = node.chain.clone();
		tokio::task::spawn_blocking(move || chain.wait_for_reader()).await.expect("runs");
		let same = answer_to(&node, &request("192.0.2.1")).await;
		let request = request("192.0.2.2");
		let other = answer_to(&node, &request);
		if expected {
			assert!(same.starts_with("HTTP/1.1 429 ") && same.contains("9007"), "{same}");
			node.chain.open();
			assert!(other.await.contains("genesisHash"));
		} else {
			// Without it both are the proxy, which may have one connection.
			assert_eq!(same, "");
			assert_eq!(other.await, "");
			node.chain.open();
		}
	}
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
	let config = ListenerConfig::at(node.listener.local_addr());
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
	let head = raw(&node, "HEAD /health/readiness", "").await;
	assert!(head.starts_with("HTTP/1.1 503 ") && head.ends_with("\r\n\r\n"), "{head}");
	let alive = raw(&node, "GET /health", "").await;
	assert!(alive.starts_with("HTTP/1.1 200 ") && alive.ends_with(body), "{alive}");
	let elsewhere = raw(&node, "GET /", "").await;
	assert!(elsewhere.starts_with("HTTP/1.1 405 "), "{elsewhere}");
}
