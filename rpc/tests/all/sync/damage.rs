//! What is damaged in the store, and others have.

use super::{eager, held, holds, member, only_at_blocks, peer, store, until, Running};
use crate::common::*;

#[tokio::test(flavor = "multi_thread")]
async fn the_scrub_finds_what_is_damaged_and_it_is_fetched_again() {
	let chain = MockChain::new();
	let (other, node) = (member(&chain, 1).await, member(&chain, 2).await);
	let dealt: Vec<_> = (0..3).map(|number| held(&chain, &other, 1, number)).collect();
	for one in &dealt {
		store(&node, 2, one);
		chain.everywhere(|view| view.confirm_by(one, peer(2)));
	}
	let health = node.intake.health().clone();
	let running = Running::start(&node, 2, only_at_blocks());
	until(|| health.report().ready).await;
	// One of them cannot even be read.
	assert_eq!(alter_shares(&node.folder, "ciphertext = zeroblob(48) WHERE seq = 1"), 1);
	assert_eq!(alter_shares(&node.folder, "nonce = X'00' WHERE seq = 2"), 1);
	let told = "2 stored share(s) are damaged";
	until(|| {
		running.block.unbounded_send(()).expect("it listens");
		health.report().reasons.iter().any(|reason| reason.starts_with(told))
	})
	.await;
	assert_eq!(node.gauge("keyshare_shares_damaged"), 2.0);
	drop(running);

	// As soon as all is looked at again.
	let _running = Running::start(&node, 2, eager());
	until(|| dealt.iter().all(|one| holds(&node, 2, one))).await;
	until(|| health.report().ready && node.gauge("keyshare_shares_damaged") == 0.0).await;
}
