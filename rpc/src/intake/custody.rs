//! What anybody may ask of a share: `keyshare_shareStatus`, how far it has come, and
//! `keyshare_proveCustody`, whether it is there (protocol §6).

use super::{attempt_or_key, charge, verifying_share, within, Described, Intake, IntakeError};
use crate::{
	caller::Caller,
	chain::{AccountRecord, BlockHash},
	pool::Lane,
	seats::Seats,
	store::RecordState,
	LOG_TARGET,
};
use keyshare_primitives::{
	messages,
	wire::{CustodyChallenge, FreshProof, ShareState, ShareStatus, ShareStatusQuery},
	AccountId, KeyRecord,
};
use std::sync::Arc;

impl Intake {
	/// `keyshare_shareStatus`: how far the share of the attempt under way, or else of the key in
	/// force, has come.
	pub async fn share_status(
		self: Arc<Self>,
		_: Caller,
		query: ShareStatusQuery,
	) -> Result<ShareStatus, IntakeError> {
		let (server, account) = (query.server.0, query.account.0);
		self.require_hosted(&server)?;
		self.ask(Lane::Queries, move |intake| {
			let at = intake.chain.best();
			let record = intake.chain.record(at, &account)?;
			let Some(key) = attempt_or_key(&record) else {
				return Ok(ShareStatus { status: ShareState::None, generation: None });
			};
			let status = intake.state_of(at, &record, key, &server)?;
			Ok(ShareStatus { status, generation: Some(key.generation) })
		})
		.await
	}

	fn state_of(
		&self,
		at: BlockHash,
		record: &AccountRecord,
		key: &KeyRecord,
		server: &AccountId,
	) -> Result<ShareState, IntakeError> {
		let Some(share) = self.store.get(&key.id, server)? else { return Ok(ShareState::None) };
		let unconfirmed = match share.state {
			RecordState::Confirmed => return Ok(ShareState::Confirmed),
			RecordState::Stored => ShareState::Stored,
			RecordState::Confirming => ShareState::Confirming,
			// Nobody is told that it is here.
			RecordState::Damaged => return Ok(ShareState::None),
		};
		// The store knows of confirmations only once they are final.
		let seats = Seats::of(self.chain.as_ref(), at, [server.clone()])?;
		let confirmed = seats.has_confirmed(&share.record, record);
		Ok(if confirmed { ShareState::Confirmed } else { unconfirmed })
	}

	/// `keyshare_proveCustody`: a fresh proof for the key in force, or else the attempt under way.
	pub async fn prove_custody(
		self: Arc<Self>,
		caller: Caller,
		challenge: CustodyChallenge,
	) -> Result<FreshProof, IntakeError> {
		self.require_hosted(&challenge.server.0)?;
		let budget = &self.budgets.proofs;
		within(budget, caller)?;
		charge(budget, caller);
		self.ask(Lane::Queries, move |intake| intake.prove(&challenge)).await
	}

	fn prove(&self, challenge: &CustodyChallenge) -> Result<FreshProof, IntakeError> {
		let (server, account) = (&challenge.server.0, &challenge.account.0);
		let AccountRecord { registered, registering, .. } =
			self.chain.record(self.chain.best(), account)?;
		let key = registered.map(|key| key.key).or(registering.map(|attempt| attempt.key));
		let key = key.ok_or(IntakeError::NotRegistering)?;
		let (record, share) = self.store.load(&key.id, server)?.ok_or(IntakeError::NoShare)?;
		let share = share.verify(verifying_share(&key, record.subgroup)?).map_err(|_| {
			log::error!(
				target: LOG_TARGET,
				"A stored share is not what the chain promises: {}",
				Described(&record),
			);
			IntakeError::NoShare
		})?;
		let message = messages::challenge_message(&key.id, server, &challenge.nonce.0);
		Ok(FreshProof { registration_id: key.id, custody_proof: share.prove(&message).into() })
	}
}
