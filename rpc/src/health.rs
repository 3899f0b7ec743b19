//! Whether this node serves its users now: what the share listener answers to
//! `GET /health/readiness`, for load balancers and supervisors.

use serde::Serialize;
use std::sync::{
	atomic::{AtomicBool, AtomicU64, Ordering},
	OnceLock,
};

/// Not looked at yet.
const UNKNOWN: u64 = u64::MAX;

type IsBehind = Box<dyn Fn() -> bool + Send + Sync>;
type CutOff = Box<dyn Fn() -> Vec<&'static str> + Send + Sync>;

/// What is known of the node's state.
pub struct Health {
	/// Shares that hosted servers should hold and do not.
	lacking: AtomicU64,
	/// Whether the chain stores things in a way that this node does not know.
	is_foreign: AtomicBool,
	/// Whether the node is still catching up with the chain.
	is_behind: OnceLock<IsBehind>,
	/// Why the node is cut off from its network.
	cut_off: OnceLock<CutOff>,
}

/// The answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
	/// Whether the node follows its network's chain and understands it, and its servers hold every share
	/// that they should.
	pub ready: bool,
	/// Why not.
	pub reasons: Vec<String>,
}

impl Default for Health {
	fn default() -> Self {
		Self {
			lacking: AtomicU64::new(UNKNOWN),
			is_foreign: AtomicBool::new(false),
			is_behind: OnceLock::new(),
			cut_off: OnceLock::new(),
		}
	}
}

impl Health {
	/// From now on `is_behind` is asked whether the node is catching up with the chain. The first
	/// one stays.
	pub fn follow(&self, is_behind: impl Fn() -> bool + Send + Sync + 'static) {
		// Set where the node is put together, once.
		drop(self.is_behind.set(Box::new(is_behind)));
	}

	/// From now on `cut_off` is asked for the reasons, in words, for which the node is cut off from its
	/// network; none if it is not. The first one stays. A node that is a network of its own needs none.
	pub fn needs_network(&self, cut_off: impl Fn() -> Vec<&'static str> + Send + Sync + 'static) {
		drop(self.cut_off.set(Box::new(cut_off)));
	}

	/// Whether the node is still catching up with the chain, as far as it knows: without peers it does not.
	pub(crate) fn is_behind(&self) -> bool {
		self.is_behind.get().is_some_and(|is_behind| is_behind())
	}

	/// How many shares are lacking now.
	pub(crate) fn lacks(&self, shares: u64) {
		self.lacking.store(shares.min(UNKNOWN - 1), Ordering::Relaxed);
	}

	/// Whether what the chain stores is not understood now; the answer is whether it was so before.
	pub(crate) fn finds_foreign(&self, is_foreign: bool) -> bool {
		self.is_foreign.swap(is_foreign, Ordering::Relaxed)
	}

	/// The state now. That the store is open goes without saying: without it nobody answers.
	pub fn report(&self) -> Report {
		let mut reasons = Vec::new();
		if self.is_behind() {
			reasons.push("the node is catching up with the chain".to_owned());
		}
		if let Some(cut_off) = self.cut_off.get() {
			reasons.extend(cut_off().into_iter().map(str::to_owned));
		}
		// What is known of shares is of the time before, then.
		if self.is_foreign.load(Ordering::Relaxed) {
			reasons.push("the chain cannot be read: update this node".to_owned());
		}
		match self.lacking.load(Ordering::Relaxed) {
			UNKNOWN => reasons.push("the store has not been held against the chain yet".into()),
			0 => {}
			lacking => reasons.push(format!("{lacking} share(s) are being fetched")),
		}
		Report { ready: reasons.is_empty(), reasons }
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::sync::Arc;

	#[test]
	fn a_node_is_ready_when_it_follows_the_chain_and_lacks_nothing() {
		let health = Health::default();
		assert!(!health.report().ready, "nothing is known yet");
		health.lacks(0);
		assert!(health.report().ready);
		health.lacks(7);
		assert!(health.report().reasons[0].contains('7'));
		health.lacks(0);
		health.follow(|| true);
		let Report { ready, reasons } = health.report();
		assert!(!ready && reasons.len() == 1);
		assert!(!health.finds_foreign(true));
		assert!(health.report().reasons[1].contains("update this node"));
		assert!(health.finds_foreign(false));
		assert_eq!(health.report().reasons, reasons);
	}

	#[test]
	fn a_node_that_is_cut_off_from_its_network_is_not_ready_though_it_lacks_nothing() {
		let health = Health::default();
		health.lacks(0);
		let has_peers = Arc::new(AtomicBool::new(false));
		let now = has_peers.clone();
		health.needs_network(move || match now.load(Ordering::Relaxed) {
			true => Vec::new(),
			false => vec!["the node has no peers"],
		});
		let report = health.report();
		assert!(!report.ready);
		assert_eq!(report.reasons, ["the node has no peers"]);
		has_peers.store(true, Ordering::Relaxed);
		assert!(health.report().ready);
	}
}
