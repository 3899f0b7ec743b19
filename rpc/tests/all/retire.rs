//! Encryption keys over a rotation.

use crate::common::*;
use keyshare_primitives::{
	wire::ServersQuery, AccountId, EncryptionKey, Endpoint, KeyScheme, RetiredKey, ServerInfo,
};
use keyshare_rpc::{
	caller::Caller,
	chain::PublishedServer,
	retire::{KeyKeeper, FORMER_GRACE},
};
use std::sync::{
	atomic::{AtomicBool, Ordering},
	Arc,
};

const LAST_BLOCK_OF_GRACE: u32 = 99;

/// Makes the chain show `current` for server 0, and `before` as retired.
fn show(node: &Node, current: u8, before: Option<u8>, number: u32) {
	let info = ServerInfo {
		account: server(0),
		encryption_key: secret(current).public(),
		endpoint: Endpoint::truncate_from(b"http://127.0.0.1:1".to_vec()),
	};
	let retired = before
		.map(|before| RetiredKey { key: secret(before).public(), until: LAST_BLOCK_OF_GRACE + 1 });
	node.chain.everywhere(|view| {
		let published = PublishedServer { info: info.clone(), retired };
		view.published.insert(server(0), published);
		view.number = number;
	});
}

/// Makes the chain show server 0 no longer: its validator has withdrawn it, or published another.
fn withdraw(node: &Node, number: u32) {
	node.chain.everywhere(|view| {
		if view.published.remove(&server(0)).is_some() {
			view.withdrawn.insert(server(0));
		}
		view.leave(&server(0));
		view.number = number;
	});
}

/// Looks at what the chain shows at some blocks.
fn look_at(keeper: &mut KeyKeeper, node: &Node, numbers: impl IntoIterator<Item = u32>) {
	for number in numbers {
		node.chain.everywhere(|view| view.number = number);
		keeper.look(&node.intake).expect("works");
	}
}

/// A node whose server 0 was published with key 0, has made key 5 since, and is withdrawn at block 100.
async fn withdrawn() -> (Node, KeyKeeper) {
	let node = Node::start().await;
	let mut keeper = KeyKeeper::default();
	add(&node, 0);
	add(&node, 5);
	show(&node, 0, None, 1);
	keeper.look(&node.intake).expect("works");
	withdraw(&node, 100);
	(node, keeper)
}

/// Gives server 0 a further key, as the node does when one is asked for.
fn add(node: &Node, number: u8) {
	node.intake.store().add_key(&server(0), &secret(number)).expect("writable");
	if number != 0 {
		node.intake.servers().add(&server(0), secret(number));
	}
}

/// The keys of server 0, oldest first; the same in the store and in memory.
fn keys(node: &Node) -> Vec<EncryptionKey> {
	let mut memory: Vec<_> =
		node.intake.servers().secrets(&server(0)).iter().map(|secret| secret.public()).collect();
	memory.reverse();
	let stored = node.intake.store().servers().expect("readable").remove(&server(0));
	let stored: Vec<_> = stored.iter().flatten().map(|secret| secret.public()).collect();
	assert_eq!(memory, stored);
	memory
}

fn publics(numbers: &[u8]) -> Vec<EncryptionKey> {
	numbers.iter().map(|number| secret(*number).public()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_key_is_kept_until_its_grace_period_ends() {
	let node = Node::start().await;
	let mut keeper = KeyKeeper::default();
	add(&node, 0);
	add(&node, 5);
	show(&node, 0, None, 1);
	keeper.look(&node.intake).expect("works");
	assert_eq!(keys(&node), publics(&[0, 5]), "the new one waits to be published");

	show(&node, 5, Some(0), LAST_BLOCK_OF_GRACE);
	keeper.look(&node.intake).expect("works");
	assert_eq!(keys(&node), publics(&[0, 5]));
	let dealt = node.register(1, KeyScheme::Ed25519);
	let answer = node.intake.clone().submit(Caller::Ordinary, dealt.request(0)).await;
	assert!(answer.is_ok(), "an envelope in flight is opened: {answer:?}");

	show(&node, 5, Some(0), LAST_BLOCK_OF_GRACE + 1);
	keeper.look(&node.intake).expect("works");
	assert_eq!(keys(&node), publics(&[5]));
	let late = node.register(2, KeyScheme::Ed25519);
	assert!(node.intake.clone().submit(Caller::Ordinary, late.request(0)).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_never_published_goes_with_those_before_the_current_one() {
	let node = Node::start().await;
	for number in [0, 5, 6] {
		add(&node, number);
	}
	show(&node, 6, Some(0), 1);
	KeyKeeper::default().look(&node.intake).expect("works");
	assert_eq!(keys(&node), publics(&[0, 6]));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_erased_when_the_published_key_is_lost() {
	let node = Node::start().await;
	add(&node, 0);
	show(&node, 9, Some(0), LAST_BLOCK_OF_GRACE + 1);
	KeyKeeper::default().look(&node.intake).expect("works");
	assert_eq!(keys(&node), publics(&[0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_erased_of_a_server_that_the_chain_does_not_show() {
	let node = Node::start().await;
	add(&node, 0);
	add(&node, 5);
	KeyKeeper::default().look(&node.intake).expect("works");
	assert_eq!(keys(&node), publics(&[0, 5]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_of_a_former_server_are_erased_after_a_grace_period() {
	let (node, mut keeper) = withdrawn().await;
	look_at(&mut keeper, &node, [100, 101, 99 + FORMER_GRACE]);
	assert_eq!(keys(&node), publics(&[0, 5]));
	look_at(&mut keeper, &node, [100 + FORMER_GRACE]);
	assert_eq!(
		keys(&node),
		publics(&[5]),
		"nothing was sealed to it, and it may be published soon"
	);
	look_at(&mut keeper, &node, [101 + FORMER_GRACE, 200 + 3 * FORMER_GRACE]);
	assert_eq!(keys(&node), publics(&[5]));
}

/// A node whose server 0 has key 0 alone, and is published with it.
async fn published() -> Node {
	let node = Node::start().await;
	add(&node, 0);
	show(&node, 0, None, 1);
	node
}

#[tokio::test(flavor = "multi_thread")]
async fn a_former_server_has_a_key_to_be_published_with_before_its_own_is_erased() {
	let node = published().await;
	let mut keeper = KeyKeeper::default();
	keeper.look(&node.intake).expect("works");
	withdraw(&node, 100);
	look_at(&mut keeper, &node, [100]);
	let both = keys(&node);
	assert_eq!(both.len(), 2, "what is handed out from now on is the new one");
	assert_eq!(both[0], secret(0).public());
	look_at(&mut keeper, &node, [99 + FORMER_GRACE]);
	assert_eq!(keys(&node), both);
	look_at(&mut keeper, &node, [100 + FORMER_GRACE, 100 + 3 * FORMER_GRACE]);
	assert_eq!(keys(&node), both[1..]);
	let hosted =
		node.intake.clone().hosted_servers(Caller::Ordinary, ServersQuery).await.expect("answered");
	assert_eq!(hosted.servers.len(), usize::from(SUBGROUPS));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_of_a_former_server_are_erased_after_a_restart_too() {
	let node = published().await;
	add(&node, 5);
	withdraw(&node, 100);
	// This process has never seen it published, but the chain knows whose it was.
	let mut keeper = KeyKeeper::default();
	look_at(&mut keeper, &node, [100, 99 + FORMER_GRACE]);
	assert_eq!(keys(&node), publics(&[0, 5]));
	look_at(&mut keeper, &node, [100 + FORMER_GRACE]);
	assert_eq!(keys(&node), publics(&[5]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_waits_to_be_published_again_outlives_restarts() {
	let node = published().await;
	let mut keeper = KeyKeeper::default();
	keeper.look(&node.intake).expect("works");
	withdraw(&node, 100);
	look_at(&mut keeper, &node, [100]);
	// The operator is handed out the newest now, and the call that publishes it takes days.
	let handed_out = keys(&node)[1];
	let mut began = 101;
	for _ in 0..3 {
		let mut restarted = KeyKeeper::default();
		look_at(&mut restarted, &node, [began, began + FORMER_GRACE, began + 2 * FORMER_GRACE]);
		assert_eq!(keys(&node), [handed_out]);
		began += 3 * FORMER_GRACE;
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_published_again_in_time_keeps_its_keys() {
	let (node, mut keeper) = withdrawn().await;
	look_at(&mut keeper, &node, [100, 50 + FORMER_GRACE]);
	show(&node, 0, None, 51 + FORMER_GRACE);
	node.chain.everywhere(|view| view.join(server(0), 0));
	look_at(&mut keeper, &node, [51 + FORMER_GRACE, 3 * FORMER_GRACE]);
	let dealt = node.register(1, KeyScheme::Ed25519);
	let answer = node.intake.clone().submit(Caller::Ordinary, dealt.request(0)).await;
	assert!(answer.is_ok(), "it goes on: {answer:?}");
	// The time is counted anew.
	withdraw(&node, 4 * FORMER_GRACE);
	look_at(&mut keeper, &node, [4 * FORMER_GRACE, 5 * FORMER_GRACE - 1]);
	assert_eq!(keys(&node), publics(&[0, 5]));
	// What is published in the best block is about to be so in the finalized one.
	show(&node, 0, None, 5 * FORMER_GRACE);
	let mut finalized = node.chain.finalized.write().expect("not poisoned");
	finalized.published.remove(&server(0));
	drop(finalized);
	look_at(&mut keeper, &node, [5 * FORMER_GRACE]);
	assert_eq!(keys(&node), publics(&[0, 5]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_keeps_its_keys_whatever_else_the_chain_shows() {
	let (node, mut keeper) = withdrawn().await;
	node.chain.everywhere(|view| view.join(server(0), 0));
	look_at(&mut keeper, &node, [100, 100 + FORMER_GRACE, 100 + 3 * FORMER_GRACE]);
	assert_eq!(keys(&node), publics(&[0, 5]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_waits_to_be_published_keeps_its_keys() {
	let node = Node::start().await;
	add(&node, 0);
	withdraw(&node, 100);
	let mut keeper = KeyKeeper::default();
	look_at(&mut keeper, &node, [100, 100 + FORMER_GRACE, 100 + 3 * FORMER_GRACE]);
	assert_eq!(keys(&node), publics(&[0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_catches_up_erases_no_key_of_a_former_server() {
	let (node, mut keeper) = withdrawn().await;
	let behind = Arc::new(AtomicBool::new(true));
	let is_behind = behind.clone();
	node.intake.health().follow(move || is_behind.load(Ordering::SeqCst));
	look_at(&mut keeper, &node, [100, 100 + FORMER_GRACE, 100 + 3 * FORMER_GRACE]);
	assert_eq!(keys(&node), publics(&[0, 5]), "it may be published again by now");
	behind.store(false, Ordering::SeqCst);
	look_at(&mut keeper, &node, [101 + 3 * FORMER_GRACE, 100 + 4 * FORMER_GRACE]);
	assert_eq!(keys(&node), publics(&[0, 5]));
	look_at(&mut keeper, &node, [101 + 4 * FORMER_GRACE]);
	assert!(!keys(&node).contains(&secret(0).public()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_turns_out_to_be_behind_counts_the_blocks_anew() {
	let (node, mut keeper) = withdrawn().await;
	let behind = Arc::new(AtomicBool::new(false));
	let is_behind = behind.clone();
	node.intake.health().follow(move || is_behind.load(Ordering::SeqCst));
	// It has no peers yet, and does not know.
	look_at(&mut keeper, &node, [100]);
	behind.store(true, Ordering::SeqCst);
	look_at(&mut keeper, &node, [101, 3 * FORMER_GRACE]);
	behind.store(false, Ordering::SeqCst);
	let began = 3 * FORMER_GRACE + 1;
	look_at(&mut keeper, &node, [began, began + FORMER_GRACE - 1]);
	assert_eq!(keys(&node), publics(&[0, 5]));
	look_at(&mut keeper, &node, [began + FORMER_GRACE]);
	assert_eq!(keys(&node), publics(&[5]));
}

/// Another server is a member, with a key of server 0 as its own.
fn publish_for_another(node: &Node, account: &AccountId, number: u8) {
	node.chain.everywhere(|view| {
		let info = ServerInfo {
			account: account.clone(),
			encryption_key: secret(number).public(),
			endpoint: Endpoint::truncate_from(b"http://127.0.0.1:1".to_vec()),
		};
		view.published.insert(account.clone(), PublishedServer { info, retired: None });
		view.join(account.clone(), 0);
	});
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_another_server_of_the_node_has_published_is_not_erased() {
	let (node, mut keeper) = withdrawn().await;
	publish_for_another(&node, &server(1), 0);
	look_at(&mut keeper, &node, [100, 100 + FORMER_GRACE]);
	assert_eq!(keys(&node), publics(&[0, 5]));
	publish_for_another(&node, &server(1), 8);
	look_at(&mut keeper, &node, [101 + FORMER_GRACE]);
	assert_eq!(keys(&node), publics(&[5]));
}

/// The chain asks nobody to prove that an encryption key is its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_that_publishes_a_key_keeps_nobody_from_erasing_it() {
	let (node, mut keeper) = withdrawn().await;
	publish_for_another(&node, &server(7), 0);
	look_at(&mut keeper, &node, [100, 100 + FORMER_GRACE]);
	assert_eq!(keys(&node), publics(&[5]));
}
