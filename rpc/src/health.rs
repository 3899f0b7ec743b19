//! Whether this node serves its users now: what the share listener answers to
//! `GET /health/readiness`, for load balancers and supervisors, and what Prometheus is told of it.

use parking_lot::RwLock;
use serde::Serialize;
use std::{
	sync::{
		atomic::{AtomicBool, AtomicU64, Ordering},
		OnceLock,
	},
	time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Not looked at yet.
const UNKNOWN: u64 = u64::MAX;

/// How old the last final block of a network may be. Blocks are final some seconds after they are made.
const STALE: Duration = Duration::from_secs(180);

type IsBehind = Box<dyn Fn() -> bool + Send + Sync>;
type FinalizedAt = Box<dyn Fn() -> Option<u64> + Send + Sync>;
type Check = Box<dyn Fn() -> Vec<Reason> + Send + Sync>;

/// A kind of reason for which a node does not serve its users, by the name that Prometheus is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
	/// The node is catching up with the chain.
	CatchingUp,
	/// It is cut off from its network.
	CutOff,
	/// The last final block is old.
	Stale,
	/// The chain stores things in a way that the node does not know.
	Foreign,
	/// The store has not been held against the chain yet.
	NotCompared,
	/// Shares are lacking.
	Lacking,
	/// Shares in the store are damaged.
	Damaged,
	/// Nothing can be stored.
	StoreFailing,
	/// The store's file is not where it was.
	StoreGone,
	/// A key that the node signs with is not in its key store.
	KeysMissing,
	/// The chain takes none of the confirmations that it is sent.
	Stuck,
}

impl Kind {
	/// Each with its name.
	pub const NAMES: [(Self, &'static str); 11] = [
		(Self::CatchingUp, "catching-up"),
		(Self::CutOff, "cut-off"),
		(Self::Stale, "stale"),
		(Self::Foreign, "foreign"),
		(Self::NotCompared, "not-compared"),
		(Self::Lacking, "lacking"),
		(Self::Damaged, "damaged"),
		(Self::StoreFailing, "store-failing"),
		(Self::StoreGone, "store-gone"),
		(Self::KeysMissing, "keys-missing"),
		(Self::Stuck, "stuck"),
	];
}

/// Why a node does not serve its users now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reason {
	/// Of which kind it is.
	pub kind: Kind,
	/// The reason in words.
	pub words: String,
}

impl Reason {
	/// One of a kind.
	pub fn new(kind: Kind, words: impl Into<String>) -> Self {
		Self { kind, words: words.into() }
	}
}

/// What is known of the node's state.
pub struct Health {
	/// Shares that hosted servers should hold and do not.
	lacking: AtomicU64,
	/// Of the shares that they should hold, those that are damaged in the store.
	damaged: AtomicU64,
	/// Whether the chain stores things in a way that this node does not know.
	is_foreign: AtomicBool,
	/// Whether confirmations wait that the chain does not take.
	is_stuck: AtomicBool,
	/// Tells when the last final block was made, in milliseconds since 1970, if it knows.
	finalized_at: OnceLock<FinalizedAt>,
	/// Whether final blocks are to come all the time.
	is_network: AtomicBool,
	/// Whether the node is still catching up with the chain.
	is_behind: OnceLock<IsBehind>,
	/// What else is asked for reasons.
	checks: RwLock<Vec<Check>>,
}

/// The answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
	/// Whether the node follows its network's chain and understands it, can sign and store, and its servers
	/// hold every share that they should.
	pub ready: bool,
	/// Why not.
	pub reasons: Vec<String>,
	/// Of which kinds the reasons are.
	#[serde(skip)]
	pub kinds: Vec<Kind>,
}

impl Default for Health {
	fn default() -> Self {
		Self {
			lacking: AtomicU64::new(UNKNOWN),
			damaged: AtomicU64::new(0),
			is_foreign: AtomicBool::new(false),
			is_stuck: AtomicBool::new(false),
			finalized_at: OnceLock::new(),
			is_network: AtomicBool::new(false),
			is_behind: OnceLock::new(),
			checks: RwLock::default(),
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
	/// network; none if it is not. And final blocks are to come all the time. A node that is a network of its
	/// own needs neither.
	pub fn needs_network(&self, cut_off: impl Fn() -> Vec<&'static str> + Send + Sync + 'static) {
		self.is_network.store(true, Ordering::Relaxed);
		self.ask(move || {
			cut_off().into_iter().map(|words| Reason::new(Kind::CutOff, words)).collect()
		});
	}

	/// From now on `check` is asked for reasons as well. It must not block for long.
	pub fn ask(&self, check: impl Fn() -> Vec<Reason> + Send + Sync + 'static) {
		self.checks.write().push(Box::new(check));
	}

	/// Whether what the finalized state says is of long ago: the node is catching up with the chain, or does
	/// not know that it has to, without peers, or finality has stalled.
	pub(crate) fn is_behind(&self) -> bool {
		self.is_catching_up() || self.age(SystemTime::now()).is_some_and(|age| age > STALE)
	}

	fn is_catching_up(&self) -> bool {
		self.is_behind.get().is_some_and(|is_behind| is_behind())
	}

	/// How old the last final block of a network is, if that is known.
	fn age(&self, now: SystemTime) -> Option<Duration> {
		if !self.is_network.load(Ordering::Relaxed) {
			return None;
		}
		let finalized_at = self.finalized_at.get().and_then(|finalized_at| finalized_at())?;
		let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
		Some(now.saturating_sub(Duration::from_millis(finalized_at)))
	}

	/// From now on `finalized_at` is asked when the last final block was made, in milliseconds since 1970.
	pub(crate) fn date(&self, finalized_at: impl Fn() -> Option<u64> + Send + Sync + 'static) {
		drop(self.finalized_at.set(Box::new(finalized_at)));
	}

	/// How many shares are lacking now.
	pub(crate) fn lacks(&self, shares: u64) {
		self.lacking.store(shares.min(UNKNOWN - 1), Ordering::Relaxed);
	}

	/// How many shares are damaged now that hosted servers should hold.
	pub(crate) fn damages(&self, shares: u64) {
		self.damaged.store(shares, Ordering::Relaxed);
	}

	/// Whether what the chain stores is not understood now; the answer is whether it was so before.
	pub(crate) fn finds_foreign(&self, is_foreign: bool) -> bool {
		self.is_foreign.swap(is_foreign, Ordering::Relaxed)
	}

	/// Whether confirmations wait that the chain does not take.
	pub(crate) fn stuck(&self, is_stuck: bool) {
		self.is_stuck.store(is_stuck, Ordering::Relaxed);
	}

	/// The state now.
	pub fn report(&self) -> Report {
		let reasons = self.reasons(SystemTime::now());
		let kinds = reasons.iter().map(|reason| reason.kind).collect();
		let words = reasons.into_iter().map(|reason| reason.words).collect::<Vec<_>>();
		Report { ready: words.is_empty(), reasons: words, kinds }
	}

	fn reasons(&self, now: SystemTime) -> Vec<Reason> {
		let mut reasons = Vec::new();
		let mut add = |kind, words: String| reasons.push(Reason::new(kind, words));
		if self.is_catching_up() {
			add(Kind::CatchingUp, "the node is catching up with the chain".into());
		} else if let Some(age) = self.age(now).filter(|age| *age > STALE) {
			let minutes = age.as_secs() / 60;
			add(
				Kind::Stale,
				format!(
					"the last final block is {minutes} minutes old: finality has stalled, or this node \
					 does not hear of it, or its clock is wrong"
				),
			);
		}
		// What is known of shares is of the time before, then.
		if self.is_foreign.load(Ordering::Relaxed) {
			add(Kind::Foreign, "the chain cannot be read: update this node".into());
		}
		match self.lacking.load(Ordering::Relaxed) {
			UNKNOWN => {
				add(Kind::NotCompared, "the store has not been held against the chain yet".into());
			}
			0 => {}
			lacking => add(Kind::Lacking, format!("{lacking} share(s) are being fetched")),
		}
		match self.damaged.load(Ordering::Relaxed) {
			0 => {}
			damaged => add(
				Kind::Damaged,
				format!("{damaged} stored share(s) are damaged and are being fetched again"),
			),
		}
		if self.is_stuck.load(Ordering::Relaxed) {
			add(Kind::Stuck, "the chain takes none of the confirmations that it is sent".into());
		}
		reasons.extend(self.checks.read().iter().flat_map(|check| check()));
		reasons
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
		health.damages(3);
		let Report { ready, reasons, .. } = health.report();
		assert!(!ready && reasons[0].contains("3 stored share(s) are damaged"));
		health.damages(0);
		health.follow(|| true);
		let Report { ready, reasons, .. } = health.report();
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
	#[test]
	fn an_old_final_block_is_a_reason_in_a_network_and_nowhere_else() {
		let health = Health::default();
		health.lacks(0);
		let made = UNIX_EPOCH + Duration::from_secs(1_000_000);
		health.date(|| Some(1_000_000_000));
		let late = made + STALE + Duration::from_secs(1);
		assert_eq!(health.reasons(late), [], "a node alone makes blocks when it likes");
		health.needs_network(Vec::new);
		assert_eq!(health.reasons(made + STALE), []);
		let reasons = health.reasons(late);
		assert_eq!(reasons[0].kind, Kind::Stale);
		assert!(reasons[0].words.contains("3 minutes old"), "{reasons:?}");
		assert!(health.is_behind(), "1970 is long ago");
		health.follow(|| true);
		let kinds: Vec<_> = health.reasons(late).iter().map(|reason| reason.kind).collect();
		assert_eq!(kinds, [Kind::CatchingUp], "that says it");
	}

	#[test]
	fn whatever_is_asked_can_be_a_reason_and_each_kind_has_one_name() {
		let health = Health::default();
		health.lacks(0);
		health.ask(|| vec![Reason::new(Kind::StoreGone, "gone")]);
		health.stuck(true);
		let report = health.report();
		assert!(!report.ready);
		assert_eq!(report.kinds, [Kind::Stuck, Kind::StoreGone]);
		for kind in report.kinds {
			assert_eq!(Kind::NAMES.iter().filter(|(of, _)| *of == kind).count(), 1);
		}
	}
}
