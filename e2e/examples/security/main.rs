//! What a stranger on the network can do to a node's share listener, done to a real node, with what came of
//! it as a table for `docs/security-testing.md`. Run by `scripts/soak security [SECONDS]`.
//!
//! The node and this are processes of their own, and strangers come from other addresses of this machine.
//! The honest client is on 127.0.0.1.

mod stranger;
#[path = "../../tests/common/mod.rs"]
mod wallet;

use keyshare_client::{chain::Chain, progress::silent};
use keyshare_e2e::{users::User, DevNode, Node};
use keyshare_primitives::wire::{to_hex, Ss58};
use keyshare_runtime::KEY;
use serde_json::{json, Value};
use sp_keyring::Sr25519Keyring;
use std::{
	sync::{
		atomic::{AtomicUsize, Ordering},
		Arc,
	},
	time::Duration,
};
use stranger::{Stranger, SOURCES};
use tokio::{
	task::JoinSet,
	time::{sleep, timeout, Instant},
};
use wallet::Wallet;

/// An honest request that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(5);
/// What a node may grow by under any of this.
const GROWTH_MIB: u64 = 128;
/// Users that register while the node is flooded.
const USERS: u16 = 20;

/// A line of the table.
struct Outcome {
	attack: &'static str,
	how: String,
	result: String,
	is_held: bool,
}

/// The node under attack.
struct Target {
	node: Node,
	port: u16,
	/// Its memory before anything, in MiB.
	before: u64,
}

#[tokio::main]
async fn main() {
	let seconds = std::env::args().nth(1).map_or(60, |text| text.parse().expect("SECONDS"));
	let lasting = Duration::from_secs(seconds);
	stranger::allow_many_files();
	let folder = tempfile::tempdir().expect("a folder");
	let start = DevNode::new(folder.path());
	let node = start.start();
	let target = Target { before: memory(&node), node, port: start.share_port };
	honest(&target).await.expect("it answers before anybody does it harm");
	let outcomes = [
		garbage(&target).await,
		idle(&target).await,
		unread(&target).await,
		trickle(&target).await,
		flood(&target, lasting).await,
	];
	println!("| attack | how | result | held |\n|---|---|---|---|");
	for Outcome { attack, how, result, is_held } in &outcomes {
		println!("| {attack} | {how} | {result} | {} |", if *is_held { "yes" } else { "**no**" });
	}
	target.node.stop();
	if !outcomes.iter().all(|outcome| outcome.is_held) {
		std::process::exit(1);
	}
}

/// Resident memory of the node, in MiB.
fn memory(node: &Node) -> u64 {
	let status = std::fs::read_to_string(format!("/proc/{}/status", node.pid())).expect("it runs");
	let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it has memory");
	let kib: u64 = line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).expect("KiB");
	kib / 1024
}

/// What an honest client on a new connection is answered, within its patience.
async fn honest(target: &Target) -> Option<Value> {
	let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "keyshare_servers" }).to_string();
	let answered = async {
		let mut client = Stranger::at([127, 0, 0, 1].into(), target.port).await.ok()?;
		client.post(&body).await.ok()
	};
	let answer = timeout(PATIENCE, answered).await.ok()??;
	serde_json::from_str::<Value>(&answer).ok()?.get("result").cloned()
}

/// How many of so many honest requests are answered.
async fn answered(target: &Target, of: usize) -> usize {
	let mut answers = 0;
	for _ in 0..of {
		answers += usize::from(honest(target).await.is_some());
	}
	answers
}

impl Target {
	/// What became of the node, and of twenty honest requests, while an attack went on.
	async fn outcome(&self, attack: &'static str, how: String, more: String) -> Outcome {
		let answers = answered(self, 20).await;
		let grown = memory(&self.node).saturating_sub(self.before);
		let is_held = answers == 20 && grown < GROWTH_MIB;
		let result = format!("{more}20 honest requests: {answers} answered; memory +{grown} MiB");
		Outcome { attack, how, result, is_held }
	}
}

/// One connection that asks for a WebSocket, and sends garbage without reading.
async fn garbage(target: &Target) -> Outcome {
	let lasting = Duration::from_secs(35);
	let mut stranger = Stranger::at(SOURCES.address(0), target.port).await.expect("a connection");
	let sending = tokio::spawn(async move { stranger.send_garbage(lasting).await });
	sleep(lasting / 2).await;
	let outcome = target
		.outcome(
			"garbage connection",
			"one connection, 4 kB a message, reads nothing".into(),
			String::new(),
		)
		.await;
	let sent = sending.await.expect("no panic");
	Outcome { result: format!("cut off after {sent} kB; {}", outcome.result), ..outcome }
}

/// Ten thousand connections that say nothing.
async fn idle(target: &Target) -> Outcome {
	let mut strangers = Vec::new();
	for number in 0..10_000 {
		if let Ok(stranger) = Stranger::at(SOURCES.address(number % 100), target.port).await {
			strangers.push(stranger);
		}
	}
	let how = format!("{} connections from 100 addresses", strangers.len());
	let outcome = target.outcome("10,000 connections", how, String::new()).await;
	drop(strangers);
	outcome
}

/// Clients that ask for one answer after another and read none.
async fn unread(target: &Target) -> Outcome {
	let mut tasks = JoinSet::new();
	for number in 0..512 {
		let (address, port) = (SOURCES.address(number % 8), target.port);
		tasks.spawn(async move {
			if let Ok(mut stranger) = Stranger::at(address, port).await {
				stranger.ask_and_read_nothing(Duration::from_secs(20)).await;
			}
		});
	}
	sleep(Duration::from_secs(10)).await;
	let how = "512 clients of 8 addresses that read no answer".into();
	let outcome = target.outcome("slow readers", how, String::new()).await;
	tasks.shutdown().await;
	outcome
}

/// Clients that send a byte a second.
async fn trickle(target: &Target) -> Outcome {
	let mut tasks = JoinSet::new();
	for number in 0..512 {
		let (address, port) = (SOURCES.address(number % 8), target.port);
		tasks.spawn(async move {
			if let Ok(mut stranger) = Stranger::at(address, port).await {
				stranger.write_slowly(Duration::from_secs(20)).await;
			}
		});
	}
	sleep(Duration::from_secs(10)).await;
	let how = "512 clients of 8 addresses that send a byte a second".into();
	let outcome = target.outcome("slow writers", how, String::new()).await;
	tasks.shutdown().await;
	outcome
}

/// Wrong envelopes as fast as they are answered, while users register.
async fn flood(target: &Target, lasting: Duration) -> Outcome {
	let chain = Arc::new(Chain::connect(&target.node.url).await.expect("it answers"));
	let victim = User(1_000);
	fund(target, &chain, (0..USERS).map(User).chain([victim])).await;
	let until = Instant::now() + Duration::from_secs(300);
	victim.begin(&chain, until).await.expect("the chain takes it");
	let members = chain.subgroups().await.expect("it answers");
	let server = members[0].members[0].server.account.clone();
	let body = json!({
		"jsonrpc": "2.0", "id": 1, "method": "keyshare_submitShare",
		"params": [{
			"server": Ss58(server), "account": Ss58(victim.account()), "generation": 1,
			"subgroup": 0, "enc": to_hex(&[9; 32]), "ciphertext": to_hex(&[9; 48]),
		}],
	})
	.to_string();
	let sent = Arc::new(AtomicUsize::new(0));
	let mut strangers = JoinSet::new();
	for number in 0..64 {
		let (address, port) = (SOURCES.address(number), target.port);
		let (body, sent) = (body.clone(), sent.clone());
		strangers.spawn(async move {
			loop {
				let Ok(mut stranger) = Stranger::at(address, port).await else { continue };
				while stranger.post(&body).await.is_ok() {
					sent.fetch_add(1, Ordering::Relaxed);
				}
			}
		});
	}
	let began = Instant::now();
	let first = height(&chain).await;
	let users = (0..USERS).map(User);
	let registering = async {
		let mut registered = 0;
		for user in users {
			let patience = Duration::from_secs(120);
			registered += usize::from(user.register(&chain, patience, &silent()).await.is_ok());
		}
		registered
	};
	let (registered, ()) = tokio::join!(registering, sleep(lasting));
	let took = began.elapsed();
	let blocks = height(&chain).await - first;
	strangers.shutdown().await;
	let rate = sent.load(Ordering::Relaxed) as f64 / took.as_secs_f64();
	let expected = took.as_secs() / 2;
	let more = format!(
		"{rate:.0} a second answered; {registered} of {USERS} registrations completed; {blocks} blocks, \
		 {expected} on an idle node; "
	);
	let how = format!("wrong envelopes from 64 addresses for {} s", took.as_secs());
	let outcome = target.outcome("flood", how, more).await;
	let is_held = outcome.is_held
		&& registered == usize::from(USERS)
		&& u64::from(blocks) * 10 >= expected * 9;
	Outcome { is_held, ..outcome }
}

/// Gives users what they need, and waits until the chain shows it.
async fn fund(target: &Target, chain: &Chain, users: impl Iterator<Item = User>) {
	let alice = Wallet::open(&target.node.url, Sr25519Keyring::Alice).await;
	let mut last = None;
	for (nonce, user) in (alice.nonce().await..).zip(users) {
		let (dest, value) = (user.account().into(), 100 * KEY);
		let call = pallet_balances::Call::transfer_allow_death { dest, value };
		alice.send(nonce, 0, call.into()).await.expect("there is room for these");
		last = Some(user.account());
	}
	let Some(last) = last else { return };
	while chain.funds(&last).await.expect("it answers").spendable == 0 {
		sleep(Duration::from_millis(200)).await;
	}
}

/// The number of the best block.
async fn height(chain: &Chain) -> u32 {
	let header: Value = chain.request("chain_getHeader", None::<()>).await.expect("it answers");
	let number = header["number"].as_str().expect("hex").trim_start_matches("0x").to_owned();
	u32::from_str_radix(&number, 16).expect("a number")
}
