//! What reaches the off-chain worker, and when a record is over, against a mock chain and an
//! off-chain storage in memory.

use crate::common::*;
use codec::Decode;
use keyshare_primitives::{
	messages,
	offchain::{Queue, MAX_QUEUED, QUEUE_KEY},
	AccountId, Confirmation, KeyScheme,
};
use keyshare_rpc::{
	caller::Caller,
	confirm::{ConfirmationFeeder, Room, Window},
	intake::{Intake, IntakeConfig},
	keys::ServerKeys,
	store::{RecordState, ShareStore},
};
use sp_core::offchain::{storage::InMemOffchainStorage, OffchainStorage, STORAGE_PREFIX};
use std::sync::{mpsc, Arc, Mutex};
use tempfile::TempDir;

/// Off-chain storage whose clones share what they hold, as the node's do, and count writes.
#[derive(Clone, Default)]
pub(super) struct SharedStorage(Arc<Mutex<(InMemOffchainStorage, usize)>>);

impl OffchainStorage for SharedStorage {
	fn set(&mut self, prefix: &[u8], key: &[u8], value: &[u8]) {
		let mut inner = self.0.lock().expect("not poisoned");
		inner.1 += 1;
		inner.0.set(prefix, key, value);
	}

	fn remove(&mut self, prefix: &[u8], key: &[u8]) {
		self.0.lock().expect("not poisoned").0.remove(prefix, key);
	}

	fn get(&self, prefix: &[u8], key: &[u8]) -> Option<Vec<u8>> {
		self.0.lock().expect("not poisoned").0.get(prefix, key)
	}

	fn compare_and_set(
		&mut self,
		prefix: &[u8],
		key: &[u8],
		old_value: Option<&[u8]>,
		new_value: &[u8],
	) -> bool {
		self.0.lock().expect("not poisoned").0.compare_and_set(prefix, key, old_value, new_value)
	}
}

impl SharedStorage {
	fn queue(&self) -> Option<Queue> {
		let bytes = self.get(STORAGE_PREFIX, QUEUE_KEY)?;
		Some(Queue::decode(&mut bytes.as_slice()).expect("a queue"))
	}

	fn writes(&self) -> usize {
		self.0.lock().expect("not poisoned").1
	}
}

struct Bed {
	chain: Arc<MockChain>,
	servers: ServerKeys,
	store: ShareStore,
	offchain: SharedStorage,
	window: Window<SharedStorage>,
	folder: TempDir,
}

impl Bed {
	fn new() -> Self {
		Self::hosting(hosted())
	}

	fn hosting(servers: ServerKeys) -> Self {
		let folder = tempfile::tempdir().expect("a folder");
		let (chain, store) = (MockChain::new(), open_store(&folder));
		let offchain = SharedStorage::default();
		let window = Window::new(
			chain.clone(),
			servers.clone(),
			store.clone(),
			offchain.clone(),
			uncounted(),
		);
		Self { chain, servers, store, offchain, window, folder }
	}

	/// One that remembers nothing, over the same store.
	fn new_window(&self) -> Window<SharedStorage> {
		let (chain, servers) = (self.chain.clone(), self.servers.clone());
		Window::new(chain, servers, self.store.clone(), self.offchain.clone(), uncounted())
	}

	/// A key that is registering in both blocks, with the shares of these servers stored.
	fn stored(&self, number: u32, servers: &[u8]) -> Dealt {
		let dealt = deal(user(number), 1, KeyScheme::Ed25519);
		self.chain.everywhere(|view| view.register(&dealt));
		for server in servers {
			store_share(&self.store, &dealt, *server);
		}
		dealt
	}

	fn update(&mut self) -> Queue {
		self.window.update().expect("readable and writable");
		self.offchain.queue().expect("written")
	}

	fn holds(&self, dealt: &Dealt, number: u8) -> bool {
		self.store.get(&dealt.key.id, &server(number)).expect("readable").is_some()
	}

	/// Whose damaged records are kept.
	fn damaged(&self) -> Vec<AccountId> {
		let damaged = self.store.damaged(10).expect("readable");
		damaged.into_iter().map(|share| share.record.account).collect()
	}

	fn state(&self, dealt: &Dealt, number: u8) -> RecordState {
		self.store.get(&dealt.key.id, &server(number)).expect("readable").expect("stored").state
	}
}

fn store_share(store: &ShareStore, dealt: &Dealt, number: u8) {
	let (reply, answer) = mpsc::channel();
	store.put(dealt.record(number), &dealt.verified(number), move |result| {
		reply.send(result).expect("the test waits");
	});
	answer.recv().expect("answered").expect("stored");
}

fn confirmation(dealt: &Dealt, number: u8) -> Confirmation {
	Confirmation {
		account: dealt.account.clone(),
		generation: dealt.key.generation,
		proof: dealt.record(number).proof,
	}
}

fn expected<const N: usize>(lists: [(AccountId, Vec<Confirmation>); N]) -> Queue {
	let list = |(server, confirmations)| keyshare_primitives::offchain::PendingConfirmations {
		server,
		confirmations,
	};
	lists.map(list).into()
}

#[test]
fn what_is_stored_is_handed_over_a_list_for_each_server() {
	let mut bed = Bed::new();
	assert_eq!(bed.update(), Queue::new(), "what an earlier run left is cleared");
	let (first, second) = (bed.stored(1, &[0, 1]), bed.stored(2, &[0]));
	assert_eq!(bed.state(&first, 0), RecordState::Stored);
	assert_eq!(
		bed.update(),
		expected([
			(server(0), vec![confirmation(&first, 0), confirmation(&second, 0)]),
			(server(1), vec![confirmation(&first, 1)]),
		])
	);
	for (dealt, number) in [(&first, 0), (&first, 1), (&second, 0)] {
		assert_eq!(bed.state(dealt, number), RecordState::Confirming);
	}
	// It is offered until the chain shows it, and written only when it changes.
	let writes = bed.offchain.writes();
	assert_eq!(bed.update().len(), 2);
	assert_eq!(bed.offchain.writes(), writes);
}

#[test]
fn a_confirmation_is_over_when_the_finalized_chain_shows_it() {
	let mut bed = Bed::new();
	let dealt = bed.stored(1, &[0, 1]);
	bed.update();
	bed.chain.at_best(|view| view.confirm(&dealt, 0));
	let rest = expected([(server(1), vec![confirmation(&dealt, 1)])]);
	assert_eq!(bed.update(), rest, "sent no more");
	assert_eq!(bed.state(&dealt, 0), RecordState::Confirming, "but not over");

	// A reorganisation takes it back: it is sent again.
	bed.chain.at_best(|view| view.forget_confirmations());
	assert_eq!(bed.update().len(), 2);

	bed.chain.everywhere(|view| view.confirm(&dealt, 0));
	assert_eq!(bed.update(), rest);
	assert_eq!(bed.state(&dealt, 0), RecordState::Confirmed);
	assert_eq!(bed.state(&dealt, 1), RecordState::Confirming);
}

#[test]
fn an_attempt_is_gone_when_the_finalized_chain_has_had_it_and_shows_it_no_longer() {
	let mut bed = Bed::new();
	let dealt = bed.stored(1, &[0]);
	bed.update();
	// Gone at the best block only, as before a cancellation is final.
	bed.chain.at_best(|view| view.cancel_all());
	assert_eq!(bed.update(), Queue::new());
	assert_eq!(bed.state(&dealt, 0), RecordState::Confirming);
	// The finalized chain never had it: a reorganisation has put it off.
	bed.chain.finalized.write().expect("not poisoned").records.clear();
	bed.update();
	assert_eq!(bed.state(&dealt, 0), RecordState::Confirming);
	bed.chain.at_best(|view| view.register(&dealt));
	assert_eq!(bed.update().len(), 1, "it came back");

	bed.chain.everywhere(|view| {
		view.register(&dealt);
		view.cancel_all();
	});
	assert_eq!(bed.update(), Queue::new());
	assert!(!bed.holds(&dealt, 0), "its share is erased");
}

#[test]
fn a_confirmed_share_is_erased_when_its_key_is_gone_for_good() {
	let mut bed = Bed::new();
	let (left, stays) = (bed.stored(1, &[0]), bed.stored(2, &[0]));
	bed.chain.everywhere(|view| {
		view.confirm(&left, 0);
		view.confirm(&stays, 0);
	});
	bed.update();
	assert_eq!(bed.state(&left, 0), RecordState::Confirmed);
	// Deregistered at the best block only: that may still be undone.
	bed.chain.at_best(|view| view.cancel(&left.account));
	bed.update();
	assert!(bed.holds(&left, 0));
	bed.chain.everywhere(|view| view.cancel(&left.account));
	bed.update();
	assert!(!bed.holds(&left, 0));
	assert!(bed.holds(&stays, 0));
}

#[test]
fn all_confirmed_shares_are_looked_at_in_turn() {
	let mut bed = Bed::new();
	let dealt: Vec<_> = (0..520).map(|number| bed.stored(number, &[0])).collect();
	bed.chain.everywhere(|view| dealt.iter().for_each(|one| view.confirm(one, 0)));
	bed.update();
	bed.chain.everywhere(|view| view.cancel_all());
	let left = |bed: &Bed| dealt.iter().filter(|one| bed.holds(one, 0)).count();
	// The update that found them confirmed has looked at the first of them already.
	bed.update();
	assert_eq!(left(&bed), 512);
	bed.update();
	assert_eq!(left(&bed), 0);
}

#[test]
fn a_key_in_force_is_confirmed_late_and_beside_its_swap() {
	let mut bed = Bed::new();
	let dealt = bed.stored(1, &[0]);
	let swap = deal(user(1), 2, KeyScheme::Ed25519);
	bed.chain.everywhere(|view| {
		view.complete(&dealt);
		view.register(&swap);
	});
	store_share(&bed.store, &swap, 0);
	let both = vec![confirmation(&dealt, 0), confirmation(&swap, 0)];
	assert_eq!(bed.update(), expected([(server(0), both)]));
	// The swap takes effect: the old key is gone.
	bed.chain.everywhere(|view| view.complete(&swap));
	assert_eq!(bed.update(), expected([(server(0), vec![confirmation(&swap, 0)])]));
	assert!(!bed.holds(&dealt, 0));
	assert!(bed.holds(&swap, 0));
}

#[test]
fn only_hosted_members_of_the_shares_subgroup_confirm() {
	let mut bed = Bed::hosting(hosting([0, 1]));
	let dealt = bed.stored(1, &[0, 1, 2]);
	bed.chain.at_best(|view| view.join(server(1), 2));
	assert_eq!(bed.update(), expected([(server(0), vec![confirmation(&dealt, 0)])]));
	assert_eq!(bed.state(&dealt, 1), RecordState::Stored, "it waits");
	assert_eq!(bed.state(&dealt, 2), RecordState::Stored);
	bed.chain.at_best(|view| view.join(server(1), 1));
	assert_eq!(bed.update().len(), 2);
}

#[test]
fn what_was_confirmed_for_a_seat_that_is_lost_is_confirmed_again() {
	let mut bed = Bed::new();
	let dealt = bed.stored(1, &[0]);
	bed.chain.everywhere(|view| view.confirm(&dealt, 0));
	bed.update();
	assert_eq!(bed.state(&dealt, 0), RecordState::Confirmed);
	// It leaves and comes back to its own seat: its confirmation stands.
	bed.chain.everywhere(|view| view.leave(&server(0)));
	bed.update();
	bed.chain.everywhere(|view| view.join(server(0), 0));
	assert_eq!(bed.update(), Queue::new());
	assert_eq!(bed.state(&dealt, 0), RecordState::Confirmed);
	// Another one takes the seat: while it is away there is nothing to do.
	bed.chain.everywhere(|view| {
		view.leave(&server(0));
		view.replace(0, &server(0), server(7));
	});
	bed.update();
	assert_eq!(bed.state(&dealt, 0), RecordState::Confirmed);
	// Only what is final counts.
	bed.chain.at_best(|view| view.join(server(0), 0));
	bed.update();
	assert_eq!(bed.state(&dealt, 0), RecordState::Confirmed);
	bed.chain.everywhere(|view| view.join(server(0), 0));
	bed.update();
	assert_eq!(bed.state(&dealt, 0), RecordState::Stored);
	assert_eq!(bed.update(), expected([(server(0), vec![confirmation(&dealt, 0)])]));
	bed.chain.everywhere(|view| view.confirm(&dealt, 0));
	assert_eq!(bed.update(), Queue::new());
	assert_eq!(bed.state(&dealt, 0), RecordState::Confirmed);
}

#[test]
fn an_unreadable_chain_changes_nothing() {
	let mut bed = Bed::new();
	let dealt = bed.stored(1, &[0]);
	let before = bed.update();
	bed.stored(2, &[0]);
	bed.chain.at_best(|view| view.pruned = true);
	assert!(bed.window.update().is_err());
	assert_eq!(bed.offchain.queue(), Some(before));
	assert_eq!(bed.state(&dealt, 0), RecordState::Confirming);
}

#[test]
fn a_wrong_proof_is_made_again_and_confirmed_with_the_others() {
	let mut bed = Bed::new();
	let dealt: Vec<_> = (0..3).map(|number| bed.stored(number, &[0])).collect();
	let all = || {
		let confirmations = dealt.iter().map(|one| confirmation(one, 0)).collect();
		expected([(server(0), confirmations)])
	};
	// One of another share, and one of a scheme that there is not: proofs are beside what is sealed.
	assert_eq!(alter_shares(&bed.folder, "proof = zeroblob(65) WHERE seq = 1"), 1);
	assert_eq!(alter_shares(&bed.folder, "proof = X'ff' WHERE seq = 2"), 1);
	assert_eq!(bed.update(), all());
	let stored = bed.store.pending(0, 10).expect("readable");
	assert_eq!(stored.len(), dealt.len());
	assert!(stored.iter().zip(&dealt).all(|(share, one)| share.record == one.record(0)));
	// Nor does it help to have been checked once.
	assert_eq!(alter_shares(&bed.folder, "proof = zeroblob(65)"), 3);
	assert_eq!(bed.update(), all());
}

#[test]
fn one_bad_record_stops_no_confirmation() {
	let mut bed = Bed::new();
	let dealt: Vec<_> = (0..6).map(|number| bed.stored(number, &[0])).collect();
	let (first, unclear, last) = (&dealt[0], &dealt[3], &dealt[5]);
	// One whose confirmation is over, and one that is gone after that.
	let (later, gone) = (bed.stored(6, &[0]), bed.stored(7, &[0]));
	bed.chain.everywhere(|view| {
		view.confirm(&later, 0);
		view.confirm(&gone, 0);
	});
	bed.update();
	assert_eq!(bed.state(&later, 0), RecordState::Confirmed);

	// A row that cannot be read, one that does not open, one that is another user's; and two whose accounts
	// on chain are not understood.
	assert_eq!(alter_shares(&bed.folder, "server = X'ff' WHERE seq = 2"), 1);
	assert_eq!(alter_shares(&bed.folder, "ciphertext = zeroblob(48) WHERE seq = 3"), 1);
	assert_eq!(alter_shares(&bed.folder, "account = zeroblob(32) WHERE seq = 5"), 1);
	bed.chain.everywhere(|view| {
		view.undecodable = [unclear.account.clone(), later.account.clone()].into();
		view.cancel(&gone.account);
	});
	// As after a restart: nothing was checked yet.
	bed.window = bed.new_window();
	let two = [first, last].map(|one| confirmation(one, 0)).to_vec();
	assert_eq!(bed.update(), expected([(server(0), two)]));
	assert!(bed.holds(&later, 0) && !bed.holds(&gone, 0), "the sweep goes on as well");

	bed.chain.everywhere(|view| view.undecodable.clear());
	let three = [first, unclear, last].map(|one| confirmation(one, 0)).to_vec();
	assert_eq!(bed.update(), expected([(server(0), three)]));
}

#[test]
fn damaged_records_of_a_key_that_is_gone_are_erased() {
	let mut bed = Bed::new();
	let (gone, stays) = (bed.stored(1, &[0]), bed.stored(2, &[0]));
	bed.chain.everywhere(|view| {
		view.confirm(&gone, 0);
		view.confirm(&stays, 0);
	});
	bed.update();
	assert_eq!(alter_shares(&bed.folder, "ciphertext = zeroblob(48)"), 2);
	assert!(!bed.holds(&gone, 0) && !bed.holds(&stays, 0));
	flush(&bed.store);
	assert_eq!(bed.damaged(), [user(1), user(2)]);

	// One is deregistered. The confirmation of the other counts no more, as after a change of seats.
	bed.chain.everywhere(|view| {
		view.forget_confirmations();
		view.cancel(&gone.account);
	});
	assert_eq!(bed.update(), Queue::new());
	assert_eq!(bed.damaged(), [user(2)]);
	assert_eq!(bed.update(), Queue::new(), "nothing is confirmed that is not here");

	store_share(&bed.store, &stays, 0);
	assert!(bed.damaged().is_empty());
	assert_eq!(bed.update(), expected([(server(0), vec![confirmation(&stays, 0)])]));
}

#[test]
fn the_window_is_bounded_and_moves_on() {
	let mut bed = Bed::new();
	let proven = deal(user(0), 1, KeyScheme::Ed25519);
	let verified = proven.verified(0);
	let total = u32::try_from(MAX_QUEUED).expect("small") + 3;
	let (reply, answers) = mpsc::channel();
	for number in 0..total {
		// One key's share for many accounts.
		let mut record = proven.record(0);
		record.account = user(number);
		record.id = sp_core::H256::from_low_u64_be(number.into());
		record.proof = verified.prove(&messages::custody_message(&record.id, &record.server));
		let mut key = proven.key.clone();
		key.id = record.id;
		bed.chain.everywhere(|view| view.begin(user(number), key.clone()));
		let reply = reply.clone();
		bed.store.put(record, &verified, move |result| {
			reply.send(result.is_ok()).expect("the test waits")
		});
	}
	drop(reply);
	assert!(answers.iter().all(|stored| stored));

	assert_eq!(bed.window.update().expect("works"), Room::None);
	let queued = |bed: &Bed| bed.offchain.queue().expect("written")[0].confirmations.clone();
	assert_eq!(queued(&bed).len(), MAX_QUEUED);
	assert_eq!(queued(&bed)[0].account, user(0));
	for number in 0..4 {
		let id = sp_core::H256::from_low_u64_be(number.into());
		bed.chain.everywhere(|view| view.confirm_key(&user(number), &id, &server(0)));
	}
	assert_eq!(bed.window.update().expect("works"), Room::Left);
	assert_eq!(queued(&bed).len(), MAX_QUEUED - 1);
	assert_eq!(queued(&bed)[0].account, user(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feeder_runs_at_blocks_and_when_shares_arrive_and_ends_with_the_blocks() {
	let folder = tempfile::tempdir().expect("a folder");
	let (chain, store) = (MockChain::new(), open_store(&folder));
	let intake = Intake::new(IntakeConfig::default(), chain.clone(), hosted(), store, uncounted())
		.expect("threads can be had");
	let offchain = SharedStorage::default();
	let (block, blocks) = futures::channel::mpsc::unbounded();
	let feeder = ConfirmationFeeder::new(&intake, offchain.clone(), blocks);
	let running = tokio::spawn(feeder.run());
	let queued = |count: usize| {
		let offchain = offchain.clone();
		async move {
			let lists = || offchain.queue().map(|queue| queue.len());
			while lists() != Some(count) {
				tokio::time::sleep(std::time::Duration::from_millis(5)).await;
			}
		}
	};
	queued(0).await;

	let dealt = deal(user(1), 1, KeyScheme::Ed25519);
	chain.everywhere(|view| view.register(&dealt));
	let receipt = intake.clone().submit(Caller::Ordinary, dealt.request(0)).await;
	assert!(receipt.is_ok());
	queued(1).await;

	chain.everywhere(|view| view.confirm(&dealt, 0));
	block.unbounded_send(()).expect("the feeder listens");
	queued(0).await;

	drop(block);
	running.await.expect("it ends by itself");
}
