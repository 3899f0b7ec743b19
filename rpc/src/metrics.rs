//! What the node's Prometheus endpoint says of shares. Every name begins with `keyshare_`.
//!
//! | metric | kind | what it counts |
//! |---|---|---|
//! | `keyshare_shares_total{outcome}` | counter | shares sent by clients: `stored`, `already-stored`, or the error's name |
//! | `keyshare_intake_queue` | gauge | requests that wait for a thread or are at work |
//! | `keyshare_commit_seconds` | histogram | from a checked share to its durable write |
//! | `keyshare_confirmations_pending` | gauge | stored shares whose confirmation is to be sent |
//! | `keyshare_confirmations_total` | counter | confirmations seen in the finalized chain |
//! | `keyshare_shares_erased_total` | counter | shares erased because their attempt or key is gone |
//! | `keyshare_sync_backlog` | gauge | shares that hosted servers should hold and do not |
//! | `keyshare_shares_lost` | gauge | of these, those that the chain says they have confirmed |
//! | `keyshare_shares_damaged` | gauge | stored shares that are damaged, and count as lacking |
//! | `keyshare_sync_fetched_total` | counter | shares fetched from other servers |
//! | `keyshare_shares_handed_over_total` | counter | shares given to other servers of the subgroup; each is a line of the log |
//! | `keyshare_sync_wrong_total` | counter | wrong shares that other servers handed over |
//! | `keyshare_members_not_ready` | gauge | hosted servers that are members and not ready: their confirmations do not count |
//! | `keyshare_attempts_missed` | gauge | attempts in a row that a hosted server has not confirmed and others of its subgroup have, of the server with the most; at 8, of 4 users, it is not ready any more |
//! | `keyshare_ready` | gauge | 1 if the node serves its users, as `GET /health/readiness` says |
//! | `keyshare_not_ready{reason}` | gauge | 1 for each kind of reason for which it does not: see `health::Kind` |
//! | `keyshare_subgroup_members{subgroup}` | gauge | members of each subgroup; 0 is an alarm |
//! | `keyshare_subgroup_ready{subgroup}` | gauge | of these, those that hold every share |

use crate::health::{Kind, Report};
use keyshare_primitives::{wire::SubmitStatus, SubgroupId};
use substrate_prometheus_endpoint::{
	prometheus::HistogramTimer, register, Counter, CounterVec, Gauge, GaugeVec, Histogram,
	HistogramOpts, Opts, PrometheusError, Registry, U64,
};

/// From half a millisecond to about eight seconds.
const COMMIT_BUCKETS: (f64, f64, usize) = (0.0005, 2.0, 15);

/// The metrics; clones count together.
#[derive(Clone)]
pub struct Metrics {
	shares: CounterVec<U64>,
	pub(crate) queue: Gauge<U64>,
	commit: Histogram,
	pub(crate) pending: Gauge<U64>,
	pub(crate) confirmed: Counter<U64>,
	pub(crate) erased: Counter<U64>,
	pub(crate) backlog: Gauge<U64>,
	pub(crate) lost: Gauge<U64>,
	pub(crate) damaged: Gauge<U64>,
	pub(crate) fetched: Counter<U64>,
	pub(crate) handed_over: Counter<U64>,
	pub(crate) wrong: Counter<U64>,
	pub(crate) not_ready: Gauge<U64>,
	pub(crate) missed: Gauge<U64>,
	members: GaugeVec<U64>,
	ready: GaugeVec<U64>,
	serves: Gauge<U64>,
	not_serving: GaugeVec<U64>,
}

impl Metrics {
	/// In the node's registry, if it has one; otherwise they count for nobody.
	pub fn new(registry: Option<&Registry>) -> Result<Self, PrometheusError> {
		let none = Registry::new();
		let to = registry.unwrap_or(&none);
		let counter = |name: &str, help: &str| register(Counter::new(name, help)?, to);
		let gauge = |name: &str, help: &str| register(Gauge::new(name, help)?, to);
		let by_subgroup = |name: &str, help: &str| {
			register(GaugeVec::new(Opts::new(name, help), &["subgroup"])?, to)
		};
		let (start, factor, count) = COMMIT_BUCKETS;
		let buckets = substrate_prometheus_endpoint::exponential_buckets(start, factor, count)?;
		let shares = Opts::new("keyshare_shares_total", "Shares sent by clients, by outcome");
		let commit = HistogramOpts::new(
			"keyshare_commit_seconds",
			"Time from a checked share to its durable write",
		);
		Ok(Self {
			shares: register(CounterVec::new(shares, &["outcome"])?, to)?,
			queue: gauge("keyshare_intake_queue", "Requests waiting or at work")?,
			commit: register(Histogram::with_opts(commit.buckets(buckets))?, to)?,
			pending: gauge(
				"keyshare_confirmations_pending",
				"Stored shares whose confirmation is to be sent",
			)?,
			confirmed: counter(
				"keyshare_confirmations_total",
				"Confirmations seen in the finalized chain",
			)?,
			erased: counter(
				"keyshare_shares_erased_total",
				"Shares erased because their attempt or key is gone",
			)?,
			backlog: gauge(
				"keyshare_sync_backlog",
				"Shares that hosted servers should hold and do not",
			)?,
			lost: gauge(
				"keyshare_shares_lost",
				"Lacking shares that the chain says this node has confirmed",
			)?,
			damaged: gauge(
				"keyshare_shares_damaged",
				"Stored shares that are damaged, and count as lacking",
			)?,
			fetched: counter("keyshare_sync_fetched_total", "Shares fetched from other servers")?,
			handed_over: counter(
				"keyshare_shares_handed_over_total",
				"Shares given to other servers of the subgroup",
			)?,
			wrong: counter(
				"keyshare_sync_wrong_total",
				"Wrong shares that other servers handed over",
			)?,
			not_ready: gauge(
				"keyshare_members_not_ready",
				"Hosted servers that are members and not ready",
			)?,
			missed: gauge(
				"keyshare_attempts_missed",
				"Attempts in a row that a hosted server did not confirm and others did, at most",
			)?,
			members: by_subgroup("keyshare_subgroup_members", "Members of each subgroup")?,
			ready: by_subgroup("keyshare_subgroup_ready", "Members that hold every share")?,
			serves: gauge("keyshare_ready", "Whether the node serves its users now")?,
			not_serving: register(
				GaugeVec::new(
					Opts::new("keyshare_not_ready", "Whether this is a reason why it does not"),
					&["reason"],
				)?,
				to,
			)?,
		})
	}

	/// What became of a share that a client sent, or the name of the error.
	pub(crate) fn submitted(&self, outcome: Result<SubmitStatus, &'static str>) {
		let outcome = match outcome {
			Ok(SubmitStatus::Stored) => "stored",
			Ok(SubmitStatus::AlreadyStored) => "already-stored",
			Err(error) => error,
		};
		self.shares.with_label_values(&[outcome]).inc();
	}

	/// Whether the node serves its users, and why not.
	pub fn report(&self, report: &Report) {
		self.serves.set(report.ready.into());
		for (kind, name) in Kind::NAMES {
			self.not_serving.with_label_values(&[name]).set(report.kinds.contains(&kind).into());
		}
	}

	/// Observes the time from now until the timer's `observe_duration`.
	pub(crate) fn time_commit(&self) -> HistogramTimer {
		self.commit.start_timer()
	}

	/// How large a subgroup is.
	pub(crate) fn subgroup(&self, subgroup: SubgroupId, members: u32, ready: u32) {
		let label = subgroup.to_string();
		self.members.with_label_values(&[&label]).set(members.into());
		self.ready.with_label_values(&[&label]).set(ready.into());
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::health::Health;

	#[test]
	fn every_metric_is_in_the_registry_under_its_name() {
		let registry = Registry::new();
		let metrics = Metrics::new(Some(&registry)).expect("names are distinct and well formed");
		metrics.submitted(Ok(SubmitStatus::Stored));
		metrics.submitted(Err("ShareMismatch"));
		metrics.subgroup(2, 3, 1);
		metrics.report(&Health::default().report());
		let families = registry.gather();
		assert_eq!(families.len(), 18);
		assert!(families.iter().all(|family| family.get_name().starts_with("keyshare_")));
		let outcomes = families.iter().find(|family| family.get_name() == "keyshare_shares_total");
		assert_eq!(outcomes.expect("registered").get_metric().len(), 2);
		assert!(Metrics::new(Some(&registry)).is_err(), "twice is a mistake");
		assert!(Metrics::new(None).is_ok(), "a node without Prometheus");
	}
}
