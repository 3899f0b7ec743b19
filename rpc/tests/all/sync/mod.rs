//! Shares from server to server, over real sockets.
//!
//! | module | what it holds |
//! |---|---|
//! | `damage` | what is damaged in the store |
//! | `peers` | servers that answer badly, and what does not wait for them |
//! | `requests` | to whom shares are handed over |

mod damage;
mod peers;
mod requests;

use crate::{common::*, confirmations::SharedStorage};
use codec::{Decode, Encode};
use futures::channel::mpsc::{unbounded, UnboundedSender};
use keyshare_primitives::{
	membership::{Change, Missed, Syncing},
	messages,
	offchain::{server_crypto, READY_KEY},
	wire::MAX_REQUESTED,
	AccountId, Endpoint, KeyScheme, ServerInfo, SubgroupId,
};
use keyshare_rpc::{
	chain::{AccountRecord, PublishedServer},
	keys::ServerKeys,
	sync::{Reach, Sync, SyncConfig},
};
use sp_core::{
	offchain::{OffchainStorage, STORAGE_PREFIX},
	sr25519, Pair,
};
use sp_keystore::{testing::MemoryKeystore, Keystore, KeystorePtr};
use std::{
	sync::{
		atomic::{AtomicBool, Ordering},
		mpsc, Arc,
	},
	time::Duration,
};

/// The subgroup that all of these servers are members of.
const G: SubgroupId = 0;

fn pair(number: u8) -> sr25519::Pair {
	sr25519::Pair::from_seed(&[number; 32])
}

/// A server that can sign, unlike those of the other tests.
fn peer(number: u8) -> AccountId {
	pair(number).public().into()
}

/// Makes a server a member, whose listener answers at `url`.
fn publish(chain: &MockChain, number: u8, subgroup: SubgroupId, url: &str) {
	let endpoint = Endpoint::truncate_from(url.as_bytes().to_vec());
	let info =
		ServerInfo { account: peer(number), encryption_key: secret(number).public(), endpoint };
	chain.everywhere(|view| {
		let published = PublishedServer { info: info.clone(), retired: None };
		view.published.insert(peer(number), published);
		view.join(peer(number), subgroup);
	});
}

/// A node of one server of the subgroup.
async fn member(chain: &Arc<MockChain>, number: u8) -> Node {
	let keys = ServerKeys::new([(peer(number), vec![secret(number)])].into());
	let node = Node::on(chain.clone(), keys).await;
	publish(chain, number, G, &node.url("http"));
	node
}

/// Stores the subgroup's share for a server.
fn store(node: &Node, number: u8, dealt: &Dealt) {
	let share = dealt.verified(G);
	let mut record = dealt.record(G);
	record.server = peer(number);
	record.proof = share.prove(&messages::custody_message(&record.id, &record.server));
	let (reply, answer) = mpsc::channel();
	node.intake.store().put(record, &share, move |result| {
		reply.send(result.is_ok()).expect("the test waits");
	});
	assert_eq!(answer.recv(), Ok(true));
}

/// A key in force, whose share the server of `number` holds and has confirmed.
fn held(chain: &MockChain, node: &Node, number: u8, user_number: u32) -> Dealt {
	let dealt = deal(user(user_number), 1, KeyScheme::Ed25519);
	store(node, number, &dealt);
	chain.everywhere(|view| {
		view.complete(&dealt);
		view.confirm_by(&dealt, peer(number));
	});
	dealt
}

fn holds(node: &Node, number: u8, dealt: &Dealt) -> bool {
	let loaded = node.intake.store().load(&dealt.key.id, &peer(number)).expect("readable");
	loaded.is_some_and(|(_, share)| {
		share.expose_secret() == dealt.shares[usize::from(G)].expose_secret()
	})
}

fn keystore(number: u8) -> KeystorePtr {
	let keystore = MemoryKeystore::new();
	let seed = format!("0x{}", hex::encode([number; 32]));
	keystore.sr25519_generate_new(server_crypto::KEY_TYPE, Some(&seed)).expect("in memory");
	Arc::new(keystore)
}

/// A sync task at work.
struct Running {
	block: UnboundedSender<()>,
	offchain: SharedStorage,
}

impl Running {
	fn start(node: &Node, number: u8, config: SyncConfig) -> Self {
		Self::start_with(node, number, config, SharedStorage::default())
	}

	/// With what an earlier process has left in the off-chain storage.
	fn start_with(node: &Node, number: u8, config: SyncConfig, offchain: SharedStorage) -> Self {
		let (block, blocks) = unbounded();
		let sync =
			Sync::new(config, node.intake.clone(), keystore(number), offchain.clone(), blocks);
		tokio::spawn(sync.run());
		Self { block, offchain }
	}

	fn ready(&self) -> Option<Vec<(AccountId, Change)>> {
		let bytes = self.offchain.get(STORAGE_PREFIX, READY_KEY)?;
		Some(Decode::decode(&mut bytes.as_slice()).expect("what the off-chain worker reads"))
	}
}

/// Looks again and again, without waiting for the clock between two looks.
fn eager() -> SyncConfig {
	let moment = Duration::from_millis(5);
	let late = SyncConfig::default().late;
	let (first_delay, longest_delay) = (moment, moment);
	let reach = Reach::Anywhere;
	SyncConfig { full_scan: moment, patience: 3, first_delay, longest_delay, late, reach }
}

/// Never looks again by itself.
fn only_at_blocks() -> SyncConfig {
	let long = Duration::from_secs(3_600);
	SyncConfig { full_scan: long, first_delay: long, longest_delay: long, ..eager() }
}

/// Has a node find itself catching up with the chain, until that is set to false.
fn catching_up(node: &Node) -> Arc<AtomicBool> {
	let behind = Arc::new(AtomicBool::new(true));
	let is_behind = behind.clone();
	node.intake.health().follow(move || is_behind.load(Ordering::SeqCst));
	behind
}

async fn until(mut condition: impl FnMut() -> bool) {
	while !condition() {
		tokio::time::sleep(Duration::from_millis(5)).await;
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn who_joins_fetches_everything_and_is_found_ready_when_all_is_confirmed() {
	let chain = MockChain::new();
	let (old, new) = (member(&chain, 1).await, member(&chain, 2).await);
	let count = MAX_REQUESTED as u32 * 2 + 5;
	let dealt: Vec<_> = (0..count).map(|number| held(&chain, &old, 1, number)).collect();
	chain.everywhere(|view| view.unready(&peer(2), 7));
	let running = Running::start(&new, 2, eager());
	until(|| dealt.iter().all(|one| holds(&new, 2, one))).await;
	let waiting = new.intake.store().pending(0, 1_000).expect("readable");
	assert_eq!(waiting.len(), dealt.len(), "each is on its way to be confirmed");

	// It holds all, but the chain does not show it of the last one yet.
	let (last, others) = dealt.split_last().expect("several");
	chain.everywhere(|view| others.iter().for_each(|one| view.confirm_by(one, peer(2))));
	until(|| running.ready() == Some(Vec::new())).await;
	assert_eq!(new.gauge("keyshare_members_not_ready"), 1.0);
	chain.everywhere(|view| view.confirm_by(last, peer(2)));
	until(|| running.ready() == Some(vec![(peer(2), 7)])).await;
	// Who is ready has nothing more to declare.
	chain.everywhere(|view| view.declare(&peer(2)));
	until(|| running.ready() == Some(Vec::new())).await;
	until(|| new.gauge("keyshare_members_not_ready") == 0.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_ready_no_longer_is_found_ready_at_the_next_block() {
	let chain = MockChain::new();
	let (old, node) = (member(&chain, 1).await, member(&chain, 2).await);
	let dealt = held(&chain, &old, 1, 1);
	store(&node, 2, &dealt);
	chain.everywhere(|view| view.confirm_by(&dealt, peer(2)));
	let running = Running::start(&node, 2, only_at_blocks());
	until(|| running.ready() == Some(Vec::new())).await;
	for change in [7, 9] {
		chain.everywhere(|view| view.unready(&peer(2), change));
		running.block.unbounded_send(()).expect("it listens");
		until(|| running.ready() == Some(vec![(peer(2), change)])).await;
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_process_found_is_not_declared_before_the_store_was_looked_at() {
	let chain = MockChain::new();
	let (old, restored) = (member(&chain, 1).await, member(&chain, 2).await);
	let dealt = held(&chain, &old, 1, 1);
	chain.everywhere(|view| view.unready(&peer(2), 7));
	// Its store is a backup's, without the share.
	let mut offchain = SharedStorage::default();
	let found: Vec<(AccountId, Change)> = vec![(peer(2), 7)];
	offchain.set(STORAGE_PREFIX, READY_KEY, &found.encode());
	chain.close();
	let running = Running::start_with(&restored, 2, eager(), offchain);
	until(|| running.ready().is_none()).await;
	chain.open();
	until(|| running.ready() == Some(Vec::new())).await;
	until(|| holds(&restored, 2, &dealt)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_catches_up_declares_nobody_ready() {
	let chain = MockChain::new();
	let (old, node) = (member(&chain, 1).await, member(&chain, 2).await);
	let dealt = held(&chain, &old, 1, 1);
	store(&node, 2, &dealt);
	chain.everywhere(|view| {
		view.confirm_by(&dealt, peer(2));
		view.unready(&peer(2), 7);
	});
	let behind = catching_up(&node);
	let running = Running::start(&node, 2, eager());
	until(|| running.ready().is_some()).await;
	assert_eq!(running.ready(), Some(Vec::new()), "much may have been registered since");
	behind.store(false, Ordering::SeqCst);
	until(|| running.ready() == Some(vec![(peer(2), 7)])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_has_caught_up_fetches_at_once_what_was_registered_meanwhile() {
	let chain = MockChain::new();
	let (old, node) = (member(&chain, 1).await, member(&chain, 2).await);
	let behind = catching_up(&node);
	let running = Running::start(&node, 2, only_at_blocks());
	until(|| running.ready().is_some()).await;
	let dealt = held(&chain, &old, 1, 1);
	behind.store(false, Ordering::SeqCst);
	running.block.unbounded_send(()).expect("it listens");
	until(|| holds(&node, 2, &dealt)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_that_no_member_has_keeps_nobody_from_being_ready() {
	let chain = MockChain::new();
	let (_old, new) = (member(&chain, 1).await, member(&chain, 2).await);
	let lost = deal(user(1), 1, KeyScheme::Ed25519);
	chain.everywhere(|view| {
		view.complete(&lost);
		view.unready(&peer(2), 7);
	});
	let running = Running::start(&new, 2, eager());
	until(|| running.ready() == Some(vec![(peer(2), 7)])).await;
	// As soon as another member says that it has it, it is waited for.
	chain.everywhere(|view| view.confirm_by(&lost, peer(1)));
	until(|| running.ready() == Some(Vec::new())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_waits_for_the_last_ready_member_that_has_changed_its_account() {
	let chain = MockChain::new();
	let (old, new) = (member(&chain, 1).await, member(&chain, 2).await);
	let dealt = held(&chain, &old, 1, 1);
	chain.everywhere(|view| {
		// The old one holds the share under another account, and has confirmed nothing under this.
		view.records.clear();
		view.complete(&dealt);
		view.moved(&peer(1), 7);
		view.unready(&peer(2), 8);
	});
	let (first, second) = (Running::start(&old, 1, eager()), Running::start(&new, 2, eager()));
	// Nobody's confirmation says that there is a share to be had.
	until(|| second.ready().is_some() && first.ready().is_some()).await;
	assert_eq!(second.ready(), Some(Vec::new()));
	assert_eq!(first.ready(), Some(Vec::new()), "it holds a share that it has not confirmed");
	chain.everywhere(|view| view.confirm_by(&dealt, peer(1)));
	until(|| first.ready() == Some(vec![(peer(1), 7)])).await;
	// Now the second one lacks what another has, and fetches it.
	until(|| holds(&new, 2, &dealt)).await;
	chain.everywhere(|view| view.confirm_by(&dealt, peer(2)));
	chain.everywhere(|view| view.declare(&peer(1)));
	until(|| second.ready() == Some(vec![(peer(2), 8)])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_still_fetch_do_not_wait_for_each_other() {
	let chain = MockChain::new();
	let (first, second) = (member(&chain, 1).await, member(&chain, 2).await);
	chain.everywhere(|view| {
		view.unready(&peer(1), 7);
		view.unready(&peer(2), 8);
	});
	let (first, second) = (Running::start(&first, 1, eager()), Running::start(&second, 2, eager()));
	until(|| first.ready() == Some(vec![(peer(1), 7)])).await;
	until(|| second.ready() == Some(vec![(peer(2), 8)])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_found_silent_is_ready_without_what_is_withheld_from_it() {
	let chain = MockChain::new();
	let (_other, node) = (member(&chain, 1).await, member(&chain, 2).await);
	let (own, withheld) =
		(deal(user(1), 1, KeyScheme::Ed25519), deal(user(2), 1, KeyScheme::Ed25519));
	store(&node, 2, &own);
	chain.everywhere(|view| {
		view.complete(&own);
		view.complete(&withheld);
		// The other one says that it has it, and hands it to nobody.
		view.confirm_by(&withheld, peer(1));
		view.syncing(&peer(2), Syncing { since: 7, silent: true });
	});
	let running = Running::start(&node, 2, eager());
	until(|| running.ready().is_some()).await;
	assert_eq!(running.ready(), Some(Vec::new()), "what it holds is not confirmed yet");
	chain.everywhere(|view| view.confirm_by(&own, peer(2)));
	until(|| running.ready() == Some(vec![(peer(2), 7)])).await;
	// Whoever joins has to have it.
	chain.everywhere(|view| view.unready(&peer(2), 8));
	until(|| running.ready() == Some(Vec::new())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_that_a_server_missed_are_a_metric() {
	let chain = MockChain::new();
	let node = member(&chain, 2).await;
	chain.everywhere(|view| {
		let seat = view.members[&peer(2)];
		let missed = vec![Missed { at: 1, user: [1; 4] }; 3];
		let missed = missed.try_into().expect("few");
		view.silences.0.try_insert(seat, missed).expect("there is room");
	});
	let _running = Running::start(&node, 2, eager());
	until(|| node.gauge("keyshare_attempts_missed") == 3.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_found_behind_many_accounts_that_have_none() {
	let chain = MockChain::new();
	let (old, new) = (member(&chain, 1).await, member(&chain, 2).await);
	let dealt = held(&chain, &old, 1, u32::MAX);
	assert!((0..2_000).all(|number| user(number) < dealt.account), "it comes last");
	chain.everywhere(|view| {
		(0..2_000).for_each(|number| drop(view.records.insert(user(number), gone(3))));
	});
	let _running = Running::start(&new, 2, only_at_blocks());
	until(|| holds(&new, 2, &dealt)).await;
}

/// What is left of an account after that many attempts and no key.
fn gone(last_generation: u32) -> AccountRecord {
	AccountRecord { last_generation, ..Default::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_that_was_confirmed_and_is_lost_is_fetched_again() {
	let chain = MockChain::new();
	let (old, restored) = (member(&chain, 1).await, member(&chain, 2).await);
	let dealt = held(&chain, &old, 1, 0);
	chain.everywhere(|view| view.confirm_by(&dealt, peer(2)));
	let _running = Running::start(&restored, 2, only_at_blocks());
	until(|| holds(&restored, 2, &dealt)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_read_keeps_nobody_from_fetching_the_others() {
	let chain = MockChain::new();
	let (peer_node, node) = (member(&chain, 1).await, member(&chain, 2).await);
	let damaged = held(&chain, &node, 2, 0);
	let lacking: Vec<_> = (1..4).map(|user| held(&chain, &peer_node, 1, user)).collect();
	let outside = rusqlite::Connection::open(store_path(&node.folder)).expect("opens");
	outside.execute("UPDATE shares SET account = X'ff'", []).expect("altered");
	let _running = Running::start(&node, 2, only_at_blocks());
	until(|| lacking.iter().all(|dealt| holds(&node, 2, dealt))).await;
	// Nobody else has it.
	assert_eq!(node.intake.store().get(&damaged.key.id, &peer(2)).expect("readable"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_is_left_to_its_client_for_some_blocks() {
	let chain = MockChain::new();
	let (old, new) = (member(&chain, 1).await, member(&chain, 2).await);
	let running = Running::start(&new, 2, only_at_blocks());
	until(|| running.ready().is_some()).await;
	let dealt = deal(user(1), 1, KeyScheme::Secp256k1);
	store(&old, 1, &dealt);
	chain.everywhere(|view| {
		view.register(&dealt);
		view.confirm_by(&dealt, peer(1));
	});
	// However many blocks come at once, they are one look.
	let mut blocks = 0;
	while !holds(&new, 2, &dealt) {
		running.block.unbounded_send(()).expect("it listens");
		blocks += 1;
		tokio::time::sleep(Duration::from_millis(20)).await;
	}
	assert!(blocks > eager().patience, "{blocks}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_was_completed_without_us_is_fetched_at_once() {
	let chain = MockChain::new();
	let (old, new) = (member(&chain, 1).await, member(&chain, 2).await);
	let patient = SyncConfig { patience: u32::MAX, ..only_at_blocks() };
	let running = Running::start(&new, 2, patient);
	until(|| running.ready().is_some()).await;
	let dealt = deal(user(1), 1, KeyScheme::Ed25519);
	store(&old, 1, &dealt);
	chain.everywhere(|view| {
		view.register(&dealt);
		view.confirm_by(&dealt, peer(1));
	});
	// It has been seen under way when a block has been looked at.
	let reads = || chain.reads();
	let before = reads();
	running.block.unbounded_send(()).expect("it listens");
	until(|| reads() > before + 2).await;
	tokio::time::sleep(Duration::from_millis(50)).await;
	assert!(!holds(&new, 2, &dealt));
	chain.everywhere(|view| view.complete(&dealt));
	running.block.unbounded_send(()).expect("it listens");
	until(|| holds(&new, 2, &dealt)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_whose_client_gave_up_is_logged_once_and_not_at_every_block() {
	keep_log();
	let chain = MockChain::new();
	let (_other, node) = (member(&chain, 1).await, member(&chain, 2).await);
	let running = Running::start(&node, 2, only_at_blocks());
	until(|| running.ready().is_some()).await;
	// No other test lacks so many at a time.
	let given_up = |number| deal(user(number), 1, KeyScheme::Ed25519);
	(0..23).map(given_up).for_each(|dealt| chain.everywhere(|view| view.register(&dealt)));
	let next_block = || running.block.unbounded_send(()).expect("it listens");
	while logged("Fetched 0 of 23 lacking") == 0 {
		next_block();
		tokio::time::sleep(Duration::from_millis(20)).await;
	}
	for _ in 0..5 {
		let before = chain.reads();
		next_block();
		until(|| chain.reads() > before + 23).await;
		tokio::time::sleep(Duration::from_millis(20)).await;
	}
	assert_eq!(logged("Lacking 23 share(s)"), 1);
	assert_eq!(logged("Fetched 0 of 23 lacking"), 1);
	// When less is lacking, that is something new.
	chain.everywhere(|view| view.cancel(&user(0)));
	while logged("Lacking 22 share(s)") == 0 {
		next_block();
		tokio::time::sleep(Duration::from_millis(20)).await;
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_that_nobody_can_give_is_looked_for_less_and_less_often() {
	let chain = MockChain::new();
	let (_other, node) = (member(&chain, 1).await, member(&chain, 2).await);
	let lost = deal(user(1), 1, KeyScheme::Ed25519);
	chain.everywhere(|view| view.complete(&lost));
	let moment = Duration::from_millis(2);
	let config = SyncConfig { first_delay: moment, longest_delay: moment, ..only_at_blocks() };
	let running = Running::start(&node, 2, config);
	until(|| running.ready().is_some()).await;
	tokio::time::sleep(Duration::from_millis(400)).await;
	let before = chain.reads();
	tokio::time::sleep(Duration::from_millis(400)).await;
	// Two looks at most, each of some thirty reads.
	let reads = chain.reads() - before;
	assert!(reads < 200, "{reads}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_server_of_the_node_holds_needs_no_peer() {
	let chain = MockChain::new();
	let before = member(&chain, 1).await;
	let dealt = held(&chain, &before, 1, 1);
	// The validator has a new server account on the same node, and nobody else is in the subgroup.
	before.intake.servers().add(&peer(2), secret(2));
	publish(&chain, 2, G, &before.url("http"));
	chain.everywhere(|view| {
		view.leave(&peer(1));
		view.published.remove(&peer(1));
	});
	let _running = Running::start(&before, 2, only_at_blocks());
	until(|| holds(&before, 2, &dealt)).await;
	assert!(holds(&before, 1, &dealt), "a copy");
}

#[tokio::test(flavor = "multi_thread")]
async fn that_the_disk_is_full_is_logged_once_a_fetch_and_not_once_a_share() {
	keep_log();
	let chain = MockChain::new();
	let node = member(&chain, 1).await;
	// No other test lacks so many at a time.
	(0..19).for_each(|number| drop(held(&chain, &node, 1, number)));
	let outside = rusqlite::Connection::open(store_path(&node.folder)).expect("opens");
	let no_room = "CREATE TRIGGER no_room BEFORE INSERT ON shares
		BEGIN SELECT RAISE(ABORT, 'no room'); END";
	outside.execute_batch(no_room).expect("valid");
	// The validator has a new server account on the same node.
	node.intake.servers().add(&peer(2), secret(2));
	publish(&chain, 2, G, &node.url("http"));
	chain.everywhere(|view| {
		view.leave(&peer(1));
		view.published.remove(&peer(1));
	});
	let _running = Running::start(&node, 2, only_at_blocks());
	until(|| logged("Fetched 0 of 19 lacking") > 0).await;
	assert_eq!(logged("cannot be kept now"), 1);
	assert_eq!(logged("no room"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_ready_when_nothing_is_lacking() {
	let chain = MockChain::new();
	let (old, new) = (member(&chain, 1).await, member(&chain, 2).await);
	let dealt = held(&chain, &old, 1, 1);
	let health = new.intake.health().clone();
	assert!(!health.report().ready, "nothing is known yet");
	// The only server that has the share is away.
	publish(&chain, 1, G, "http://127.0.0.1:1");
	let _running = Running::start(&new, 2, eager());
	until(|| health.report().reasons.iter().any(|reason| reason.starts_with("1 share"))).await;
	publish(&chain, 1, G, &old.url("http"));
	until(|| health.report().ready).await;
	assert!(holds(&new, 2, &dealt));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_not_ready_while_it_cannot_read_what_the_runtime_stores() {
	let chain = MockChain::new();
	let node = member(&chain, 2).await;
	let health = node.intake.health().clone();
	let running = Running::start(&node, 2, only_at_blocks());
	let next_block = || running.block.unbounded_send(()).expect("it listens");
	let says_update =
		|| health.report().reasons.iter().any(|reason| reason.contains("update this node"));
	until(|| health.report().ready).await;
	// The best block has the new layout first.
	chain.at_best(|view| view.unknown_layout = Some(99));
	next_block();
	until(says_update).await;
	assert!(!health.report().ready);
	chain.at_best(|view| view.unknown_layout = None);
	next_block();
	until(|| health.report().ready).await;
	chain.everywhere(|view| view.unknown_layout = Some(99));
	next_block();
	until(says_update).await;
	// That a state is not there does not say that the node understands it.
	chain.everywhere(|view| view.pruned = true);
	let before = chain.reads();
	next_block();
	until(|| chain.reads() > before + 3).await;
	assert!(says_update());
	chain.everywhere(|view| {
		view.pruned = false;
		view.unknown_layout = None;
	});
	next_block();
	until(|| health.report().ready).await;
}
