//! Shares from clients: `keyshare_submitShare`, in the order of protocol §5.

use super::{charge, send, verifying_share, within, Described, Intake, IntakeError};
use crate::{
	caller::Caller,
	pool::Lane,
	store::{Put, ShareRecord},
	LOG_TARGET,
};
use keyshare_primitives::{
	seal::SealedShare,
	share::VerifiedShare,
	wire::{ShareReceipt, SubmitShare, SubmitStatus},
};
use std::sync::Arc;
use tokio::sync::oneshot;

/// A receipt; none if another share took the place first, which is to be looked at.
type Reply = oneshot::Sender<Result<Option<ShareReceipt>, IntakeError>>;

/// How often a share is looked at anew because another took its place first. It is mostly the same one, sent
/// several times at once.
const LOOKS: usize = 3;

/// What the checks make of a submitted share.
enum Checked {
	/// It is stored already; proofs are deterministic, so it is the one it was acknowledged with.
	Known(ShareReceipt),
	/// It is the share the chain promises.
	New(ShareRecord, VerifiedShare),
}

impl Intake {
	/// `keyshare_submitShare`: answers when the share is durable.
	pub async fn submit(
		self: Arc<Self>,
		caller: Caller,
		request: SubmitShare,
	) -> Result<ShareReceipt, IntakeError> {
		let result = self.clone().accept(caller, request).await;
		let outcome = result.as_ref().map(|receipt| receipt.status);
		self.metrics.submitted(outcome.map_err(|error| error.name()));
		result
	}

	async fn accept(
		self: Arc<Self>,
		caller: Caller,
		request: SubmitShare,
	) -> Result<ShareReceipt, IntakeError> {
		self.require_hosted(&request.server.0)?;
		for _ in 0..LOOKS {
			if let Some(receipt) = self.clone().look(caller, request.clone()).await? {
				return Ok(receipt);
			}
		}
		Err(IntakeError::Interrupted)
	}

	async fn look(
		self: Arc<Self>,
		caller: Caller,
		request: SubmitShare,
	) -> Result<Option<ShareReceipt>, IntakeError> {
		let (reply, answer) = oneshot::channel();
		let intake = self.clone();
		self.queue(Lane::Submissions, move || {
			// Nothing is done for a client that has gone.
			if reply.is_closed() {
				return;
			}
			match intake.check(caller, &request) {
				Ok(Checked::New(record, share)) => intake.make_durable(record, &share, reply),
				Ok(Checked::Known(receipt)) => send(reply, Ok(Some(receipt))),
				Err(refusal) => send(reply, Err(refusal)),
			}
		})?;
		answer.await.unwrap_or(Err(IntakeError::Interrupted))
	}

	fn check(&self, caller: Caller, request: &SubmitShare) -> Result<Checked, IntakeError> {
		let server = &request.server.0;
		let at = self.chain.best();
		let key = self.key_of_generation(at, &request.account.0, request.generation)?;
		self.require_member(at, server, request.subgroup)?;
		self.require_final_member(server, request.subgroup)?;
		if let Some(known) = self.store.get(&key.id, server)? {
			// Nobody is given a proof that the chain would not take. If there is none to be had, the share is
			// damaged, and this one takes its place.
			// To look costs a curve operation, which a stranger can have as well.
			within(&self.budgets.proofs, caller)?;
			charge(&self.budgets.proofs, caller);
			let promised = verifying_share(&key, known.record.subgroup)?;
			if let Some(proof) = self.store.proof_under(&known.record, promised)? {
				return Ok(Checked::Known(ShareReceipt {
					registration_id: key.id,
					status: SubmitStatus::AlreadyStored,
					custody_proof: proof.into(),
				}));
			}
		}
		let sealed = SealedShare { enc: request.enc.0, ciphertext: request.ciphertext.0 };
		let budget = &self.budgets.wrong_envelopes;
		within(budget, caller)?;
		let opened = self.open(&key, &request.account.0, server, request.subgroup, &sealed);
		let is_wrong =
			matches!(opened, Err(IntakeError::DecryptionFailed | IntakeError::ShareMismatch));
		if is_wrong {
			charge(budget, caller);
		}
		opened.map(|(record, share)| Checked::New(record, share))
	}

	fn make_durable(&self, record: ShareRecord, share: &VerifiedShare, reply: Reply) {
		let stored = self.stored.clone();
		let timer = self.metrics.time_commit();
		self.store.put(record.clone(), share, move |result| {
			timer.observe_duration();
			let status = match result {
				Ok(Put::Stored) => {
					log::info!(target: LOG_TARGET, "Share stored: {}", Described(&record));
					stored.notify_one();
					SubmitStatus::Stored
				}
				// Nothing is acknowledged unseen: what is there may be damaged.
				Ok(Put::AlreadyStored) => return send(reply, Ok(None)),
				Err(_) => return send(reply, Err(IntakeError::StorageFailed)),
			};
			let ShareRecord { id, proof, .. } = record;
			let receipt = ShareReceipt { registration_id: id, status, custody_proof: proof.into() };
			send(reply, Ok(Some(receipt)));
		});
	}
}
