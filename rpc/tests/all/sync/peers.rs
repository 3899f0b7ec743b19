//! Servers that answer badly, and what does not wait for them.

use super::{eager, held, holds, member, only_at_blocks, peer, publish, store, until, Running, G};
use crate::common::*;
use jsonrpsee::{types::ErrorObjectOwned, RpcModule};
use keyshare_primitives::{
	seal::{seal, ShareContext},
	share::Share,
	wire::{HexBytes, RequestShares, SealedShareOf, SealedShares, MAX_REQUESTED},
	KeyScheme, RegistrationId,
};
use keyshare_rpc::{
	chain::PublishedServer,
	keys::ServerKeys,
	listener::{self, Listener, ListenerConfig},
	sync::SyncConfig,
};
use std::{
	collections::HashMap,
	future::Future,
	sync::{
		atomic::{AtomicUsize, Ordering},
		Arc,
	},
	time::Duration,
};
use tokio::{sync::Semaphore, time::timeout};

/// What a server gives of what it is asked for.
enum Gives {
	/// The same share for everything.
	Always(Share),
	/// What it has.
	These(HashMap<RegistrationId, Share>),
}

impl Gives {
	fn nothing() -> Self {
		Self::These(HashMap::new())
	}

	fn shares_of<'a>(dealt: impl IntoIterator<Item = &'a Dealt>) -> Self {
		Self::These(dealt.into_iter().map(|one| (one.key.id, share_of(one))).collect())
	}
}

fn share_of(dealt: &Dealt) -> Share {
	dealt.shares[usize::from(G)].clone()
}

/// How a server of the subgroup answers that is no node.
struct Manner {
	gives: Gives,
	delay: Duration,
	/// Each answer takes a permit.
	gate: Semaphore,
	asked: AtomicUsize,
}

impl Manner {
	async fn answer(&self, request: &RequestShares) -> SealedShares {
		self.asked.fetch_add(1, Ordering::SeqCst);
		tokio::time::sleep(self.delay).await;
		self.gate.acquire().await.expect("never closed").forget();
		let shares = request.registrations.iter().filter_map(|id| {
			let share = match &self.gives {
				Gives::Always(share) => share,
				Gives::These(shares) => shares.get(id)?,
			};
			let context = ShareContext { id, server: &request.requester.0, subgroup: G };
			let sealed = seal(share, &secret(2).public(), context).expect("usable");
			Some(SealedShareOf {
				registration_id: *id,
				enc: HexBytes(sealed.enc),
				ciphertext: HexBytes(sealed.ciphertext),
			})
		});
		SealedShares { shares: shares.collect() }
	}
}

/// Such a server at work, which is asked by the server of number 2.
struct Giver {
	manner: Arc<Manner>,
	_listener: Listener,
}

impl Giver {
	/// Answers at once.
	async fn start(chain: &MockChain, number: u8, gives: Gives) -> Self {
		Self::start_with(chain, number, gives, Duration::ZERO, Semaphore::MAX_PERMITS).await
	}

	/// Answers after a delay, and only so often.
	async fn start_with(
		chain: &MockChain,
		number: u8,
		gives: Gives,
		delay: Duration,
		answers: usize,
	) -> Self {
		let (gate, asked) = (Semaphore::new(answers), AtomicUsize::new(0));
		let manner = Arc::new(Manner { gives, delay, gate, asked });
		let mut module = RpcModule::from_arc(manner.clone());
		module
			.register_async_method("keyshare_requestShares", |params, manner, _| async move {
				let request: RequestShares = params.one().expect("its shape");
				Ok::<_, ErrorObjectOwned>(manner.answer(&request).await)
			})
			.expect("one method");
		let config =
			ListenerConfig { max_connections: 4, ..ListenerConfig::at(([127, 0, 0, 1], 0).into()) };
		let listener = listener::start(config, module, Arc::default()).await.expect("a free port");
		publish(chain, number, G, &format!("http://{}", listener.local_addr()));
		Self { manner, _listener: listener }
	}

	/// How often it has been asked.
	fn asked(&self) -> usize {
		self.manner.asked.load(Ordering::SeqCst)
	}
}

/// A server that is asked before that of number 1, if nothing is known of either.
fn first() -> u8 {
	(3..100).find(|number| peer(*number) < peer(1)).expect("one of many")
}

/// Waits, but not for as long as a call to a server may take.
async fn soon(condition: impl Future<Output = ()>) {
	let less = keyshare_transport::CALL_TIMEOUT.mul_f32(0.75);
	timeout(less, condition).await.expect("it does not wait for a call that is under way");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hands_over_a_wrong_share_is_asked_last() {
	let chain = MockChain::new();
	let other = deal(user(999), 1, KeyScheme::Ed25519);
	// More servers lie than tell the truth, and they come first and last by account.
	let mut liars = Vec::new();
	for number in [3, 4, 5] {
		liars.push(Giver::start(&chain, number, Gives::Always(share_of(&other))).await);
	}
	let (old, new) = (member(&chain, 1).await, member(&chain, 2).await);
	let confirmed_by_all = |number: u32| {
		let dealt = held(&chain, &old, 1, number);
		chain.everywhere(|view| {
			[3, 4, 5].iter().for_each(|liar| view.confirm_by(&dealt, peer(*liar)));
		});
		dealt
	};
	let first: Vec<_> = (0..10).map(confirmed_by_all).collect();
	let _running = Running::start(&new, 2, eager());
	until(|| first.iter().all(|one| holds(&new, 2, one))).await;
	let times = || liars.iter().map(Giver::asked).sum::<usize>();
	let asked = times();
	assert!(asked <= 3, "each lie is believed once at most, but {asked} were");
	let later = confirmed_by_all(100);
	until(|| holds(&new, 2, &later)).await;
	assert!(times() <= 3, "who tells the truth comes first now");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_for_what_would_be_sealed_to_a_key_that_this_node_has_lost() {
	let chain = MockChain::new();
	let dealt = deal(user(1), 1, KeyScheme::Ed25519);
	let giver = Giver::start(&chain, 3, Gives::shares_of([&dealt])).await;
	let new = member(&chain, 2).await;
	let show = |key: u8| {
		let key = secret(key).public();
		chain.everywhere(|view| {
			view.published.get_mut(&peer(2)).expect("published").info.encryption_key = key;
		});
	};
	show(9);
	chain.everywhere(|view| {
		view.complete(&dealt);
		view.confirm_by(&dealt, peer(3));
	});
	let _running = Running::start(&new, 2, eager());
	// For several scans.
	tokio::time::sleep(Duration::from_secs(1)).await;
	assert_eq!(giver.asked(), 0, "whatever it gave would count as wrong");
	show(2);
	until(|| holds(&new, 2, &dealt)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gives_nothing_of_what_it_has_confirmed_is_asked_last() {
	let chain = MockChain::new();
	let miser = first();
	let giver = Giver::start(&chain, miser, Gives::nothing()).await;
	let (old, new) = (member(&chain, 1).await, member(&chain, 2).await);
	let dealt: Vec<_> = (0..MAX_REQUESTED as u32 * 4)
		.map(|number| {
			let dealt = held(&chain, &old, 1, number);
			chain.everywhere(|view| view.confirm_by(&dealt, peer(miser)));
			dealt
		})
		.collect();
	let _running = Running::start(&new, 2, only_at_blocks());
	until(|| dealt.iter().all(|one| holds(&new, 2, one))).await;
	assert_eq!(giver.asked(), 1, "once, and not for each part of the list");
}

/// How often a server is asked that gives everything after some seconds, beside one that gives all but
/// `own` at once. They lack as much as fits into three requests.
async fn asked_of_the_slow(late: Duration, own: &[usize]) -> usize {
	let chain = MockChain::new();
	let slow = first();
	let dealt: Vec<_> = (0..MAX_REQUESTED as u32 * 3)
		.map(|number| deal(user(number), 1, KeyScheme::Ed25519))
		.collect();
	let (gives, delay) = (Gives::shares_of(&dealt), Duration::from_secs(3));
	let giver = Giver::start_with(&chain, slow, gives, delay, Semaphore::MAX_PERMITS).await;
	let (old, new) = (member(&chain, 1).await, member(&chain, 2).await);
	for (place, one) in dealt.iter().enumerate() {
		store(&old, 1, one);
		chain.everywhere(|view| {
			view.complete(one);
			view.confirm_by(one, peer(slow));
			if !own.contains(&place) {
				view.confirm_by(one, peer(1));
			}
		});
	}
	let _running = Running::start(&new, 2, SyncConfig { late, ..only_at_blocks() });
	until(|| dealt.iter().all(|one| holds(&new, 2, one))).await;
	giver.asked()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_answers_late_is_asked_last() {
	// What only it has is in the second request and the third.
	let own = [MAX_REQUESTED + 8, MAX_REQUESTED * 2 + 6];
	let asked = asked_of_the_slow(Duration::from_secs(2), &own).await;
	assert_eq!(asked, 2, "first, and for both together after all others");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_almost_late_is_asked_after_those_that_are_quick() {
	assert_eq!(asked_of_the_slow(Duration::from_secs(3_600), &[]).await, 1);
}

/// What only it has is not given up, but comes after what others have.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_asked_last_is_asked_for_what_nobody_else_has() {
	let chain = MockChain::new();
	let number = first();
	let shared: Vec<_> = (0..MAX_REQUESTED as u32 * 2)
		.map(|number| deal(user(number), 1, KeyScheme::Ed25519))
		.collect();
	// It has some of the second request.
	let own = &shared[MAX_REQUESTED + 2..][..3];
	let gives = Gives::shares_of(own);
	let giver = Giver::start(&chain, number, gives).await;
	let (old, new) = (member(&chain, 1).await, member(&chain, 2).await);
	let is_own = |one: &Dealt| own.iter().any(|other| other.key.id == one.key.id);
	for one in &shared {
		store(&old, 1, one);
		chain.everywhere(|view| {
			view.complete(one);
			view.confirm_by(one, peer(number));
			if !is_own(one) {
				view.confirm_by(one, peer(1));
			}
		});
	}
	let _running = Running::start(&new, 2, only_at_blocks());
	until(|| shared.iter().all(|one| holds(&new, 2, one))).await;
	assert_eq!(giver.asked(), 2, "first, and after all others");
}

/// How often a server is asked that gives all at once but the first `lacking` keys, beside one that gives
/// all but two, which only the former has: of the second request, and of the third. Those first keys are
/// `gone` in the best block, or the other one has them.
async fn asked_of_the_short(lacking: usize, gone: bool) -> usize {
	let chain = MockChain::new();
	let short = first();
	let dealt: Vec<_> = (0..MAX_REQUESTED as u32 * 3)
		.map(|number| deal(user(number), 1, KeyScheme::Ed25519))
		.collect();
	let giver = Giver::start(&chain, short, Gives::shares_of(&dealt[lacking..])).await;
	let (old, new) = (member(&chain, 1).await, member(&chain, 2).await);
	let own = [MAX_REQUESTED + 8, MAX_REQUESTED * 2 + 6];
	let is_gone = |place: usize| gone && place < lacking;
	for (place, one) in dealt.iter().enumerate() {
		store(&old, 1, one);
		chain.everywhere(|view| {
			view.complete(one);
			view.confirm_by(one, peer(short));
			if !own.contains(&place) && !is_gone(place) {
				view.confirm_by(one, peer(1));
			}
		});
		if is_gone(place) {
			chain.at_best(|view| view.deregister(&one.account));
		}
	}
	// However slow the machine is, no answer is late.
	let late = Duration::from_secs(3_600);
	let _running = Running::start(&new, 2, SyncConfig { late, ..only_at_blocks() });
	let mut had = dealt.iter().enumerate().filter(|(place, _)| !is_gone(*place)).peekable();
	until(|| {
		while had.next_if(|(_, one)| holds(&new, 2, one)).is_some() {}
		had.peek().is_none()
	})
	.await;
	giver.asked()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_gone_in_the_best_block_demotes_nobody() {
	for gone in [1, MAX_REQUESTED * 3 / 4, MAX_REQUESTED] {
		assert_eq!(asked_of_the_short(gone, true).await, 3, "in its turn, each time");
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gives_less_than_half_of_what_it_has_confirmed_is_asked_last() {
	assert_eq!(asked_of_the_short(MAX_REQUESTED / 2, false).await, 3, "half may be an older block");
	let asked = asked_of_the_short(MAX_REQUESTED / 2 + 1, false).await;
	assert_eq!(asked, 2, "first, and for both together after all others");
}

/// A node of server 2, which waits for an answer that never comes.
async fn who_waits(chain: &Arc<MockChain>) -> (Node, Giver, Running) {
	let stuck = deal(user(1), 1, KeyScheme::Ed25519);
	let giver = Giver::start_with(chain, 3, Gives::nothing(), Duration::ZERO, 0).await;
	let node = member(chain, 2).await;
	chain.everywhere(|view| {
		view.complete(&stuck);
		view.confirm_by(&stuck, peer(3));
	});
	let running = Running::start(&node, 2, only_at_blocks());
	until(|| giver.asked() == 1).await;
	(node, giver, running)
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_do_not_wait_behind_a_long_fetch() {
	let chain = MockChain::new();
	let old = member(&chain, 1).await;
	let (node, _giver, running) = who_waits(&chain).await;
	let dealt = deal(user(2), 1, KeyScheme::Ed25519);
	store(&old, 1, &dealt);
	chain.everywhere(|view| {
		view.register(&dealt);
		view.confirm_by(&dealt, peer(1));
	});
	soon(async {
		while !holds(&node, 2, &dealt) {
			running.block.unbounded_send(()).expect("it listens");
			tokio::time::sleep(Duration::from_millis(20)).await;
		}
	})
	.await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retired_keys_do_not_wait_behind_a_long_fetch() {
	let chain = MockChain::new();
	let (node, _giver, running) = who_waits(&chain).await;
	let keys = || node.intake.servers().secrets(&peer(2)).len();
	node.intake.servers().add(&peer(2), secret(9));
	chain.everywhere(|view| {
		let mut info = view.published[&peer(2)].info.clone();
		info.encryption_key = secret(9).public();
		view.published.insert(peer(2), PublishedServer { info, retired: None });
	});
	assert_eq!(keys(), 2);
	running.block.unbounded_send(()).expect("it listens");
	soon(until(|| keys() == 1)).await;
}

/// The list was made long before, and may be long.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_gone_when_it_would_be_taken_over_is_left() {
	let chain = MockChain::new();
	let deal = |number: u32| deal(user(number), 1, KeyScheme::Ed25519);
	let first: Vec<_> = (0..MAX_REQUESTED as u32).map(deal).collect();
	let (gone, last) = (deal(100), deal(101));
	let gives = Gives::shares_of(first.iter().chain([&last]));
	let giver = Giver::start_with(&chain, 3, gives, Duration::ZERO, 0).await;
	// Another server of this node holds what is about to be gone.
	let keys = [2, 4].map(|number| (peer(number), vec![secret(number)]));
	let node = Node::on(chain.clone(), ServerKeys::new(keys.into())).await;
	publish(&chain, 2, G, &node.url("http"));
	store(&node, 4, &gone);
	for one in first.iter().chain([&gone, &last]) {
		chain.everywhere(|view| {
			view.complete(one);
			view.confirm_by(one, peer(3));
		});
	}
	let _running = Running::start(&node, 2, only_at_blocks());
	until(|| giver.asked() == 1).await;
	chain.everywhere(|view| view.deregister(&gone.account));
	giver.manner.gate.add_permits(10);
	until(|| holds(&node, 2, &last)).await;
	assert!(!holds(&node, 2, &gone));
}
