//! What is done at every finalized block, whatever else is under way: encryption keys whose time is over are
//! erased, members are counted, some shares are looked at for damage, and it is seen whether the node
//! understands the chain at all.

use crate::{
	chain::ChainError,
	intake::Intake,
	mend::Mender,
	retire::{KeyKeeper, RetireError},
	seats::Seats,
	LOG_TARGET,
};

/// What is remembered from block to block.
#[derive(Default)]
pub struct Housekeeping {
	keys: KeyKeeper,
	shares: Mender,
}

impl Housekeeping {
	/// Does all of it. Whether more shares were found to be damaged than before. Blocks on reads and writes;
	/// what cannot be done now is done at the next block.
	pub fn keep(&mut self, intake: &Intake) -> bool {
		let results = [
			self.keys.look(intake),
			count_members(intake).map_err(RetireError::from),
			read_best(intake).map_err(RetireError::from),
			self.shares.look(intake),
		];
		say_whether_foreign(intake, &results);
		for error in results.iter().filter_map(|result| result.as_ref().err()) {
			log::debug!(target: LOG_TARGET, "Waiting for the next block: {error}");
		}
		self.shares.has_found()
	}
}

/// Reads anything of the best block, in which a new layout comes first: shares are accepted there.
fn read_best(intake: &Intake) -> Result<(), ChainError> {
	let chain = intake.chain();
	chain.number(chain.best())?;
	Ok(())
}

/// Whether an update of the node is all that helps.
fn is_foreign(error: &RetireError) -> bool {
	matches!(
		error,
		RetireError::Chain(ChainError::UnknownLayout { .. } | ChainError::Undecodable { .. })
	)
}

/// Tells whoever asks for the node's health, and once the log, that it does not understand the chain.
fn say_whether_foreign(intake: &Intake, results: &[Result<(), RetireError>]) {
	let mut errors = results.iter().filter_map(|result| result.as_ref().err());
	if let Some(error) = errors.clone().find(|error| is_foreign(error)) {
		if !intake.health().finds_foreign(true) {
			log::error!(target: LOG_TARGET, "This node serves nobody now: {error}");
		}
	} else if !errors.any(|error| matches!(error, RetireError::Chain(_))) {
		intake.health().finds_foreign(false);
	}
	// A state that is not there says nothing about it.
}

/// Tells Prometheus of the members in the finalized state: those of each subgroup, and this node's.
fn count_members(intake: &Intake) -> Result<(), ChainError> {
	let chain = intake.chain();
	let seats = Seats::of(chain.as_ref(), chain.finalized(), intake.servers().accounts())?;
	let masks = seats.masks();
	for (subgroup, _) in (0u8..).zip(&masks.subgroups) {
		intake.metrics().subgroup(subgroup, masks.size(subgroup), masks.ready(subgroup));
	}
	intake.metrics().not_ready.set(u64::try_from(seats.not_ready()).unwrap_or(u64::MAX));
	let silences = chain.silences(chain.finalized())?;
	intake.metrics().missed.set(seats.most_missed(&silences).into());
	Ok(())
}
