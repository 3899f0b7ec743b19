//! A chain that is full of transactions with tips: what servers confirm gets through all the same.

mod common;

use common::Wallet;
use jsonrpsee::{core::client::ClientT, http_client::HttpClient, rpc_params};
use keyshare_client::{chain::Chain, deliver::deliver, progress::silent, submit::Sent};
use keyshare_e2e::{users::User, DevNode};
use keyshare_runtime::{RuntimeCall, KEY};
use sp_keyring::Sr25519Keyring;
use std::{
	sync::{
		atomic::{AtomicBool, AtomicU32, Ordering},
		Arc,
	},
	time::Duration,
};
use tokio::{task::JoinSet, time::Instant};

/// The most transactions in the pool.
const POOL: usize = 128;
/// As many users as there are entries in the largest batch.
const USERS: u16 = 64;
const PATIENCE: Duration = Duration::from_secs(170);

/// Keeps the pool full of remarks that are large and pay a tip; each takes the place of others only if
/// its own priority is higher.
async fn crowd(wallet: Wallet, refused: Arc<AtomicU32>, stop: Arc<AtomicBool>) {
	let mut nonce = wallet.nonce().await;
	while !stop.load(Ordering::Relaxed) {
		let remark = vec![u8::try_from(nonce % 251).expect("a byte"); 100_000];
		let call = RuntimeCall::System(frame_system::Call::remark { remark });
		match wallet.send(nonce, 100 * KEY, call).await {
			Ok(_) => nonce += 1,
			Err(_) => {
				refused.fetch_add(1, Ordering::Relaxed);
				tokio::time::sleep(Duration::from_millis(100)).await;
				nonce = wallet.nonce().await;
			}
		}
	}
}

/// How many transactions are in the pool.
async fn pending(url: &str) -> usize {
	let node = HttpClient::builder().build(url.replace("ws:", "http:")).expect("a URL");
	let pending = node.request::<Vec<String>, _>("author_pendingExtrinsics", rpc_params![]).await;
	pending.expect("it answers").len()
}

#[tokio::test(flavor = "multi_thread")]
async fn confirmations_get_through_a_full_pool_of_transactions_with_tips() {
	let folder = tempfile::tempdir().expect("a folder");
	let mut node = DevNode::new(&folder.path().join("node"));
	node.options = vec!["--pool-limit".into(), POOL.to_string()];
	let node = node.start();
	let alice = Wallet::open(&node.url, Sr25519Keyring::Alice).await;
	for (nonce, user) in (0..).zip((0..USERS).map(User)) {
		let (dest, value) = (user.account().into(), 100 * KEY);
		let call = pallet_balances::Call::transfer_allow_death { dest, value };
		alice.send(nonce, 0, call.into()).await.expect("there is room for these");
	}
	let chain = Arc::new(Chain::connect(&node.url).await.expect("it answers"));
	let deadline = Instant::now() + PATIENCE;
	while pending(&node.url).await > 0 {
		tokio::time::sleep(Duration::from_millis(200)).await;
	}

	// Their attempts begin before the crowd comes.
	let mut begun = JoinSet::new();
	for user in (0..USERS).map(User) {
		let chain = chain.clone();
		begun.spawn(async move { (user, user.begin(&chain, deadline).await.expect("it begins")) });
	}
	let begun = begun.join_all().await;
	let (refused, stop) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
	let crowd = tokio::spawn(crowd(alice, refused.clone(), stop.clone()));
	while refused.load(Ordering::Relaxed) == 0 {
		assert!(Instant::now() < deadline, "the pool is never full");
		tokio::time::sleep(Duration::from_millis(100)).await;
	}

	let mut delivered = JoinSet::new();
	for (user, dealing) in begun {
		let chain = chain.clone();
		delivered.spawn(async move {
			deliver(&chain, &user.account(), &dealing, Sent::nothing(), deadline, &silent())
				.await
				.map(drop)
		});
	}
	for done in delivered.join_all().await {
		done.expect("it is registered in a full chain");
	}
	stop.store(true, Ordering::Relaxed);
	crowd.await.expect("it only sends");
}
