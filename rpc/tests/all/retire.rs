//! Encryption keys over a rotation.

use crate::common::*;
use keyshare_primitives::{EncryptionKey, Endpoint, KeyScheme, RetiredKey, ServerInfo};
use keyshare_rpc::{chain::PublishedServer, retire::KeyKeeper};

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
	let answer = node.intake.clone().submit(dealt.request(0)).await;
	assert!(answer.is_ok(), "an envelope in flight is opened: {answer:?}");

	show(&node, 5, Some(0), LAST_BLOCK_OF_GRACE + 1);
	keeper.look(&node.intake).expect("works");
	assert_eq!(keys(&node), publics(&[5]));
	let late = node.register(2, KeyScheme::Ed25519);
	assert!(node.intake.clone().submit(late.request(0)).await.is_err());
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
