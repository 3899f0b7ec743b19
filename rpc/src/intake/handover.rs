//! Shares from server to server, protocol §7: the same checks as for those that come from clients.

use super::{charge, record_of, verifying_share, within, Described, Intake, IntakeError};
use crate::{
	caller::Caller,
	chain::{key_of, BlockHash},
	pool::Lane,
	store::{Put, ShareRecord},
	LOG_TARGET,
};
use keyshare_primitives::{
	messages,
	seal::{seal, SealedShare, ShareContext},
	share::VerifiedShare,
	wire::{
		HexBytes, RequestShares, SealedShareOf, SealedShares, MAX_REQUESTED, MOST_BLOCKS_APART,
	},
	AccountId, KeyRecord, RegistrationId, SubgroupId,
};
use sp_core::{sr25519, Pair};
use std::{sync::Arc, time::Instant};

/// A share that a hosted server should hold and does not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lack {
	/// The server.
	pub server: AccountId,
	/// Its subgroup.
	pub subgroup: SubgroupId,
	/// The user.
	pub account: AccountId,
	/// The attempt or key.
	pub key: KeyRecord,
}

impl Intake {
	/// Takes a share that another server has handed over, with the checks of one that a client
	/// sends; returns when it is durable.
	pub fn take_over(&self, lack: &Lack, sealed: &SealedShare) -> Result<(), IntakeError> {
		let Lack { server, subgroup, account, key } = lack;
		let (record, share) = self.open(key, account, server, *subgroup, sealed)?;
		self.keep(record, &share)
	}

	/// Gives a server the share that another hosted server of its subgroup holds, if one does: after
	/// a change of server account, what the old account holds is the new one's too.
	pub fn take_from_own(&self, lack: &Lack) -> Result<bool, IntakeError> {
		let Lack { server, subgroup, account, key } = lack;
		let promised = verifying_share(key, *subgroup)?;
		for other in self.servers.accounts().into_iter().filter(|other| other != server) {
			let held = self.store.load(&key.id, &other)?;
			let Some((_, share)) = held.filter(|(record, _)| record.subgroup == *subgroup) else {
				continue;
			};
			if let Ok(share) = share.verify(promised) {
				self.keep(record_of(key, account, server, *subgroup, &share), &share)?;
				return Ok(true);
			}
		}
		Ok(false)
	}

	/// Returns when the share is durable.
	fn keep(&self, record: ShareRecord, share: &VerifiedShare) -> Result<(), IntakeError> {
		let (reply, answer) = std::sync::mpsc::sync_channel(1);
		let (id, server) = (record.id, record.server.clone());
		self.store.put(record, share, move |result| drop(reply.send(result)));
		match answer.recv() {
			Ok(Ok(Put::Stored)) => {}
			// A client has sent it meanwhile. Or what is there is damaged, and not known to be yet.
			Ok(Ok(Put::AlreadyStored)) if self.store.get(&id, &server)?.is_some() => {}
			_ => return Err(IntakeError::StorageFailed),
		}
		self.stored.notify_one();
		Ok(())
	}

	/// `keyshare_requestShares`: hands shares over to another server of the subgroup (protocol §7).
	pub async fn request_shares(
		self: Arc<Self>,
		caller: Caller,
		request: RequestShares,
	) -> Result<SealedShares, IntakeError> {
		self.require_hosted(&request.from.0)?;
		if request.registrations.len() > MAX_REQUESTED {
			return Err(IntakeError::TooManyRequested);
		}
		self.ask(Lane::Handovers, move |intake| intake.hand_over(caller, &request)).await
	}

	fn hand_over(
		&self,
		caller: Caller,
		request: &RequestShares,
	) -> Result<SealedShares, IntakeError> {
		let (from, requester) = (&request.from.0, &request.requester.0);
		let at = self.chain.best();
		let subgroup = self.chain.subgroup_of(at, from)?.ok_or(IntakeError::WrongSubgroup(None))?;
		self.require_member(at, requester, subgroup)?;
		// A block that is left again may have put it into another subgroup than it will belong to
		// for ever, and two shares can be the whole key.
		self.require_member(self.chain.finalized(), requester, subgroup)?;
		let wrong_signatures = &self.budgets.wrong_signatures;
		within(wrong_signatures, caller)?;
		let block = self.chain.number(self.chain.finalized())?;
		if request.block.abs_diff(block) > MOST_BLOCKS_APART {
			return Err(IntakeError::WrongBlock(block));
		}
		let message = messages::request_message(
			&self.chain.genesis(),
			from,
			requester,
			&request.registrations,
			request.block,
		);
		let signature = sr25519::Signature::from_raw(request.signature.0);
		let public = sr25519::Public::from_raw(requester.clone().into());
		if !sr25519::Pair::verify(&signature, message, &public) {
			charge(wrong_signatures, caller);
			return Err(IntakeError::BadSignature);
		}
		// Only what it has signed counts: nobody can spend another one's.
		self.budgets
			.handovers
			.take(requester.clone(), Instant::now())
			.map_err(IntakeError::Busy)?;
		let to = self.chain.published(at, requester)?.ok_or(IntakeError::WrongSubgroup(None))?;
		let to = to.info.encryption_key;
		let mut shares = Vec::new();
		for id in &request.registrations {
			let Some((record, share)) = self.share_in_force(at, id, from, subgroup)? else {
				continue;
			};
			let context = ShareContext { id, server: requester, subgroup };
			let Ok(SealedShare { enc, ciphertext }) = seal(share.share(), &to, context) else {
				// The chain refuses keys that nothing can be sealed to.
				return Err(IntakeError::Interrupted);
			};
			// Every share that leaves this node can be found in its log.
			log::info!(
				target: LOG_TARGET,
				"Share handed over to server {requester}: {}",
				Described(&record),
			);
			self.metrics.handed_over.inc();
			shares.push(SealedShareOf {
				registration_id: *id,
				enc: HexBytes(enc),
				ciphertext: HexBytes(ciphertext),
			});
		}
		Ok(SealedShares { shares })
	}

	/// A share that `server` holds, if the chain still shows its attempt or key.
	fn share_in_force(
		&self,
		at: BlockHash,
		id: &RegistrationId,
		server: &AccountId,
		subgroup: SubgroupId,
	) -> Result<Option<(ShareRecord, VerifiedShare)>, IntakeError> {
		let Some((record, share)) = self.store.load(id, server)? else { return Ok(None) };
		let on_chain = self.chain.record(at, &record.account)?;
		let key = key_of(&on_chain, id).filter(|_| record.subgroup == subgroup);
		let Some((key, _)) = key else { return Ok(None) };
		let share = share.verify(verifying_share(key, subgroup)?).ok();
		Ok(share.map(|share| (record, share)))
	}
}
