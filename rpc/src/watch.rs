//! Tells Prometheus and the log, again and again, whether the node serves its users, and why not.

use crate::{
	health::{Health, Report},
	metrics::Metrics,
	LOG_TARGET,
};
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(5);

/// Watches for as long as it is polled. The log is told when something changes.
pub async fn watch(health: Arc<Health>, metrics: Metrics) {
	let mut before: Option<Report> = None;
	loop {
		let report = health.report();
		metrics.report(&report);
		if before.as_ref().is_none_or(|before| before.kinds != report.kinds) {
			match report.ready {
				true => log::info!(target: LOG_TARGET, "This node is ready"),
				false => log::warn!(
					target: LOG_TARGET,
					"This node is not ready: {}",
					report.reasons.join("; "),
				),
			}
		}
		before = Some(report);
		sleep(EVERY).await;
	}
}
