//! Shares that are damaged in the store: they are lacking, and a good one takes their place.

use crate::{
	common::*,
	store::{assert_holds, put},
};
use keyshare_primitives::{
	wire::{ProofBytes, ShareReceipt, SubmitStatus},
	KeyScheme,
};
use keyshare_rpc::{
	caller::Caller,
	housekeeping::Housekeeping,
	store::{maintenance::verify, Put, RecordState, Scrubbed},
};
use rusqlite::Connection;

/// What can happen to a row, other than to its proof.
const DAMAGES: [&str; 8] = [
	"ciphertext = zeroblob(48)",
	"ciphertext = X'00'",
	"nonce = zeroblob(24)",
	"nonce = X'00'",
	"account = X'ff'",
	"generation = 2",
	"subgroup = 1000",
	"state = 77",
];

async fn submit(node: &Node, dealt: &Dealt) -> ShareReceipt {
	let sent = node.intake.clone().submit(Caller::Ordinary, dealt.request(0)).await;
	sent.expect("accepted")
}

#[test]
fn a_good_share_replaces_one_that_is_damaged() {
	for damage in DAMAGES {
		let folder = tempfile::tempdir().expect("a folder");
		let store = open_store(&folder);
		let (dealt, other) = (deal(user(1), 1, SCHEMES[0]), deal(user(2), 1, SCHEMES[1]));
		for one in [&dealt, &other] {
			assert!(matches!(put(&store, one, 0), Ok(Put::Stored)));
		}
		assert_eq!(alter_shares(&folder, &format!("{damage} WHERE seq = 1")), 1);
		for _ in 0..2 {
			assert_eq!(store.get(&dealt.key.id, &server(0)).expect("readable"), None, "{damage}");
			assert!(store.load(&dealt.key.id, &server(0)).expect("readable").is_none(), "{damage}");
		}
		assert!(matches!(put(&store, &dealt, 0), Ok(Put::Stored)), "{damage}");
		let stored = store.get(&dealt.key.id, &server(0)).expect("readable").expect("stored");
		assert_eq!((stored.seq, stored.state), (1, RecordState::Stored));
		[&dealt, &other].into_iter().for_each(|one| assert_holds(&store, one, 0));
		assert!(matches!(put(&store, &dealt, 0), Ok(Put::AlreadyStored)), "{damage}");
		assert_eq!(store.count_damaged().expect("readable"), 0);
	}
}

#[test]
fn a_damaged_share_is_never_said_to_be_further_than_that() {
	let folder = tempfile::tempdir().expect("a folder");
	let store = open_store(&folder);
	let dealt = deal(user(1), 1, SCHEMES[0]);
	put(&store, &dealt, 0).expect("stored");
	let before = store.pending(0, 10).expect("readable");
	alter_shares(&folder, "ciphertext = zeroblob(48)");
	assert_eq!(store.get(&dealt.key.id, &server(0)).expect("readable"), None);
	// Whoever has read the record before says what the chain shows.
	let states = before.into_iter().map(|share| (share, RecordState::Confirmed)).collect();
	store.set_states(states).expect("writable");
	let damaged = store.damaged(10).expect("readable");
	let [damaged] = damaged.as_slice() else { panic!("one record") };
	assert_eq!(damaged.state, RecordState::Damaged);
	assert!(store.pending(0, 10).expect("readable").is_empty());
	drop(store);
	let found = verify(&store_path(&folder), &"correct horse".into(), GENESIS).expect("readable");
	assert_eq!((found.shares, found.damaged_shares), (0, 1));
}

#[test]
fn the_scrub_looks_at_every_record_in_turn() {
	let folder = tempfile::tempdir().expect("a folder");
	let store = open_store(&folder);
	let dealt: Vec<_> = (0..5).map(|number| deal(user(number), 1, SCHEMES[0])).collect();
	for one in &dealt {
		put(&store, one, 0).expect("stored");
	}
	let scrub = |after, limit| {
		let Scrubbed { next, doubtful } = store.scrub(after, limit).expect("readable");
		(next, doubtful.into_iter().map(|record| record.account).collect::<Vec<_>>())
	};
	assert_eq!(scrub(0, 10), (0, Vec::new()), "all are whole");
	alter_shares(&folder, "ciphertext = zeroblob(48) WHERE seq = 2");
	alter_shares(&folder, "nonce = X'00' WHERE seq = 3");
	alter_shares(&folder, "proof = zeroblob(65) WHERE seq = 4");
	assert_eq!(scrub(0, 3), (3, Vec::new()));
	assert_eq!(scrub(3, 3), (0, vec![user(3)]), "only the chain tells");
	flush(&store);
	assert_eq!(store.count_damaged().expect("readable"), 2);
	for number in [0, 3, 4] {
		let one = &dealt[number];
		assert!(store.get(&one.key.id, &server(0)).expect("readable").is_some());
	}
}

#[test]
fn a_proof_is_made_again_by_the_share_that_the_chain_promises_and_no_other() {
	for scheme in SCHEMES {
		let folder = tempfile::tempdir().expect("a folder");
		let store = open_store(&folder);
		let dealt = deal(user(1), 1, scheme);
		put(&store, &dealt, 0).expect("stored");
		alter_shares(&folder, "proof = X'ff'");
		let promised = |number| dealt.key.verifying_share(number).expect("one a subgroup");
		let record = dealt.record(0);
		let again = |number| store.prove_again(&record, promised(number)).expect("writable");
		// Another share is damage.
		assert_eq!(again(1), None);
		flush(&store);
		assert!(store.load(&dealt.key.id, &server(0)).expect("readable").is_none());
		// Who was mistaken, such as a program with an error, has lost nothing.
		assert_eq!(again(0), Some(record.proof));
		assert_holds(&store, &dealt, 0);
		assert_eq!(store.count_damaged().expect("readable"), 0);
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_sends_a_share_again_is_not_told_that_it_is_stored_when_it_is_damaged() {
	let node = Node::start().await;
	for (number, scheme) in (0..).zip(SCHEMES) {
		let dealt = node.register(number, scheme);
		let proof = ProofBytes::from(dealt.record(0).proof);
		let is = |receipt: ShareReceipt, status: SubmitStatus| {
			assert_eq!((receipt.status, &receipt.custody_proof), (status, &proof));
		};
		is(submit(&node, &dealt).await, SubmitStatus::Stored);
		is(submit(&node, &dealt).await, SubmitStatus::AlreadyStored);
		alter_shares(&node.folder, "ciphertext = zeroblob(48)");
		is(submit(&node, &dealt).await, SubmitStatus::Stored);
		assert_holds(node.intake.store(), &dealt, 0);
		// A proof that the chain would not take is given to nobody.
		for wrong in ["zeroblob(65)", "X'ff'"] {
			alter_shares(&node.folder, &format!("proof = {wrong}"));
			is(submit(&node, &dealt).await, SubmitStatus::AlreadyStored);
			assert_holds(node.intake.store(), &dealt, 0);
		}
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn at_each_finalized_block_some_shares_are_looked_at_and_what_is_damaged_is_told() {
	let node = Node::start().await;
	let store = node.intake.store();
	let wrong = node.register(1, KeyScheme::Ed25519);
	let damaged = node.register(2, KeyScheme::Secp256k1);
	// Neither the chain nor anybody else has ever heard of the third one.
	let unheard = deal(user(3), 1, KeyScheme::Ed25519);
	for dealt in [&wrong, &damaged, &unheard] {
		put(store, dealt, 0).expect("stored");
	}
	let mut house = Housekeeping::default();
	let mut keep = || {
		house.keep(&node.intake);
		flush(store);
		house.keep(&node.intake);
		let reasons = node.intake.health().report().reasons;
		let told = reasons.into_iter().find(|reason| reason.contains("damaged"));
		(told, node.gauge("keyshare_shares_damaged"))
	};
	assert_eq!(keep(), (None, 0.0));
	alter_shares(&node.folder, "proof = zeroblob(65) WHERE seq = 1");
	alter_shares(&node.folder, "ciphertext = zeroblob(48) WHERE seq = 2");
	let told = "1 stored share(s) are damaged and are being fetched again";
	assert_eq!(keep(), (Some(told.to_owned()), 1.0));
	assert_holds(store, &wrong, 0);
	assert_holds(store, &unheard, 0);
	assert_eq!(store.get(&damaged.key.id, &server(0)).expect("readable"), None);
	// What the chain does not want keeps nobody from being ready.
	node.chain.everywhere(|view| view.cancel(&damaged.account));
	assert_eq!(keep(), (None, 1.0));
	node.chain.everywhere(|view| view.register(&damaged));
	put(store, &damaged, 0).expect("stored");
	assert_eq!(keep(), (None, 0.0));
}

#[test]
fn a_flipped_bit_that_the_indices_do_not_know_of_keeps_nobody_from_storing() {
	let folder = tempfile::tempdir().expect("a folder");
	let dealt: Vec<_> = (0..2).map(|number| deal(user(number), 1, SCHEMES[0])).collect();
	let store = open_store(&folder);
	assert!(matches!(put(&store, &dealt[0], 0), Ok(Put::Stored)));
	let stored = store.pending(0, 1).expect("readable").remove(0);
	store.set_states(vec![(stored, RecordState::Confirmed)]).expect("writable");
	drop(store);
	// The state is the last byte of the row: confirmed becomes damaged, in the row alone.
	let ciphertext: Vec<u8> = Connection::open(store_path(&folder))
		.and_then(|file| file.query_row("SELECT ciphertext FROM shares", [], |row| row.get(0)))
		.expect("readable");
	let mut bytes = std::fs::read(store_path(&folder)).expect("readable");
	let at = bytes.windows(48).position(|window| window == ciphertext).expect("it is there") + 48;
	assert_eq!(bytes[at], 2);
	bytes[at] = 3;
	std::fs::write(store_path(&folder), bytes).expect("written");

	let store = open_store(&folder);
	assert_eq!(store.get(&dealt[0].key.id, &server(0)).expect("readable"), None);
	assert!(matches!(put(&store, &dealt[0], 0), Ok(Put::Stored)));
	assert!(matches!(put(&store, &dealt[1], 0), Ok(Put::Stored)));
	assert!(!store.fails(), "the disk can be written");
	dealt.iter().for_each(|one| assert_holds(&store, one, 0));
	let erased = store.get(&dealt[1].key.id, &server(0)).expect("readable").expect("stored");
	store.erase(vec![erased]).expect("writable");
	assert!(!contains(&store_bytes(&folder), dealt[1].key.id.as_bytes()));
}
