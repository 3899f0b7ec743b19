//! The off-chain worker: what it sends of the node's queue, and when again.

use crate::{mock::*, offchain::RESEND_AFTER, Call};
use frame_support::{assert_ok, traits::Hooks};
use keyshare_primitives::{
	offchain::{PendingConfirmations, Queue, QUEUE_KEY},
	Confirmation,
};
use sp_runtime::offchain::storage::StorageValueRef;

fn queue(pending: Vec<(u8, Vec<Confirmation>)>) {
	let queue: Queue = pending
		.into_iter()
		.map(|(number, confirmations)| PendingConfirmations {
			server: server(number),
			confirmations,
		})
		.collect();
	StorageValueRef::persistent(QUEUE_KEY).set(&queue);
}

fn run() {
	Registration::offchain_worker(System::block_number());
}

fn entries(extrinsic: &Extrinsic) -> usize {
	match &extrinsic.function {
		RuntimeCall::Registration(Call::confirm { confirmations, .. }) => confirmations.len(),
		other => panic!("not a confirmation: {other:?}"),
	}
}

#[test]
fn what_it_sends_is_taken_by_the_chain() {
	let (mut ext, node) = ext_with(&SERVERS);
	node.insert_key(1);
	node.insert_key(11);
	ext.execute_with(|| {
		let (one, two) = (ed25519(1), ed25519(2));
		assert_ok!(register(&ALICE, &one));
		assert_ok!(register(&BOB, &two));
		queue(vec![
			(1, vec![prove(&one, &ALICE, 1, 1), prove(&two, &BOB, 1, 1)]),
			(11, vec![prove(&one, &ALICE, 1, 11)]),
		]);
		run();
		let sent = node.take();
		assert_eq!(sent.iter().map(entries).collect::<Vec<_>>(), [2, 1], "one a server");
		for extrinsic in &sent {
			assert_eq!(apply(extrinsic), Ok(Ok(())));
		}
		let coverage = Registration::account_info(&ALICE).registering.expect("begun").coverage;
		assert_eq!(coverage[0].confirmed, vec![server(1)]);
		assert_eq!(coverage[1].confirmed, vec![server(11)]);
		run();
		assert!(node.take().is_empty(), "the chain shows them all");
	});
}

#[test]
fn more_than_fit_go_in_several_extrinsics() {
	let (mut ext, node) = ext_with(&SERVERS);
	node.insert_key(1);
	ext.execute_with(|| {
		let proofs = (100..106)
			.map(|number| {
				let key = ed25519(number);
				assert_ok!(register(&user(number), &key));
				prove(&key, &user(number), 1, 1)
			})
			.collect();
		queue(vec![(1, proofs)]);
		run();
		let sent = node.take();
		assert_eq!(sent.iter().map(entries).collect::<Vec<_>>(), [4, 2]);
		assert!(sent.iter().all(|extrinsic| apply(extrinsic) == Ok(Ok(()))));
	});
}

#[test]
fn it_sends_again_until_the_chain_shows_it() {
	let (mut ext, node) = ext_with(&SERVERS);
	node.insert_key(1);
	ext.execute_with(|| {
		let key = ed25519(1);
		assert_ok!(register(&ALICE, &key));
		queue(vec![(1, vec![prove(&key, &ALICE, 1, 1)])]);
		run();
		assert_eq!(node.take().len(), 1, "and it is lost");
		run_to(RESEND_AFTER);
		run();
		assert!(node.take().is_empty(), "it may still be on its way");
		run_to(1 + RESEND_AFTER);
		run();
		let sent = node.take();
		assert_eq!(apply(&sent[0]), Ok(Ok(())));
		run_to(1 + 2 * RESEND_AFTER);
		run();
		assert!(node.take().is_empty());
	});
}

#[test]
fn a_new_share_does_not_wait_for_those_on_their_way() {
	let (mut ext, node) = ext_with(&SERVERS);
	node.insert_key(1);
	ext.execute_with(|| {
		let (one, two) = (ed25519(1), ed25519(2));
		assert_ok!(register(&ALICE, &one));
		assert_ok!(register(&BOB, &two));
		let first = prove(&one, &ALICE, 1, 1);
		queue(vec![(1, vec![first.clone()])]);
		run();
		queue(vec![(1, vec![first, prove(&two, &BOB, 1, 1)])]);
		run();
		assert_eq!(node.take().iter().map(entries).collect::<Vec<_>>(), [1, 1]);
	});
}

#[test]
fn what_is_gone_is_not_sent() {
	let (mut ext, node) = ext_with(&SERVERS);
	node.insert_key(1);
	ext.execute_with(|| {
		let key = ed25519(1);
		assert_ok!(register(&ALICE, &key));
		assert_ok!(dispatch(&ALICE, Call::cancel {}));
		queue(vec![(1, vec![prove(&key, &ALICE, 1, 1)]), (3, vec![prove(&key, &ALICE, 1, 3)])]);
		run();
		assert!(node.take().is_empty());
	});
}

#[test]
fn without_its_key_a_server_sends_nothing_and_tries_again() {
	let (mut ext, node) = ext_with(&SERVERS);
	ext.execute_with(|| {
		let key = ed25519(1);
		assert_ok!(register(&ALICE, &key));
		queue(vec![(1, vec![prove(&key, &ALICE, 1, 1)])]);
		run();
		assert!(node.take().is_empty());
		node.insert_key(1);
		run();
		assert_eq!(node.take().len(), 1, "at once, not after the wait for a resend");
	});
}
