//! Why a request is refused, and what of it anybody is told.

use crate::{chain::ChainError, store::StoreError, LOG_TARGET};
use keyshare_primitives::{
	wire::{ErrorCode, MAX_REQUESTED},
	BlockNumber, Generation, SubgroupId,
};
use std::time::Duration;

/// Why a request was refused. Nothing has been stored by it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IntakeError {
	/// This node does not host the server.
	#[error("this node does not host that server; look up its endpoint on chain")]
	UnknownServer,
	/// The chain holds no attempt or key for the account.
	#[error("the chain holds no attempt or key of that account; register first")]
	NotRegistering,
	/// The chain holds another generation.
	#[error("the chain holds generation {0} of that account")]
	WrongGeneration(Generation),
	/// The server is not a member of that subgroup, but of the one given, if any.
	#[error("that server is not a member of that subgroup; read the subgroups again")]
	WrongSubgroup(Option<SubgroupId>),
	/// The server's membership is in a best block only.
	#[error("that server's membership is not final yet; try again when it is")]
	NotFinal,
	/// The envelope does not open.
	#[error(
		"the envelope does not open; seal it to the server's published key, for this registration, \
		 server and subgroup"
	)]
	DecryptionFailed,
	/// It opened, but is not the share the commitments promise.
	#[error("the envelope does not hold the share that the commitments on chain promise")]
	ShareMismatch,
	/// The intake is full.
	#[error("too many requests are waiting; try again in {} ms", .0.as_millis())]
	Busy(Duration),
	/// The share could not be made durable.
	#[error("the share could not be stored; nothing is acknowledged, try again later")]
	StorageFailed,
	/// The server holds no share of this attempt or key.
	#[error("that server holds no share of that key")]
	NoShare,
	/// More shares at once than are handed over.
	#[error("at most {MAX_REQUESTED} shares can be asked for at a time; ask again for the rest")]
	TooManyRequested,
	/// The requester did not sign the request.
	#[error("the requester has not signed this request")]
	BadSignature,
	/// The request is of another time; the block is the last that is final here.
	#[error("the request names a block far from {0}, the last final one here; sign it anew")]
	WrongBlock(BlockNumber),
	/// The chain's state could not be read.
	#[error("the node cannot read the chain's state now; try again later")]
	ChainUnavailable,
	/// The request was lost inside the node.
	#[error("the node could not finish the request; try again")]
	Interrupted,
}

impl IntakeError {
	/// Its place in the protocol's table; none for a failure inside the node.
	pub fn code(&self) -> Option<ErrorCode> {
		Some(match self {
			Self::UnknownServer => ErrorCode::UnknownServer,
			Self::NotRegistering => ErrorCode::NotRegistering,
			Self::WrongGeneration(_) => ErrorCode::WrongGeneration,
			Self::WrongSubgroup(_) => ErrorCode::WrongSubgroup,
			Self::NotFinal => ErrorCode::NotFinal,
			Self::DecryptionFailed => ErrorCode::DecryptionFailed,
			Self::ShareMismatch => ErrorCode::ShareMismatch,
			Self::Busy(_) => ErrorCode::Busy,
			Self::StorageFailed => ErrorCode::StorageFailed,
			Self::NoShare => ErrorCode::NoShare,
			Self::TooManyRequested => ErrorCode::InvalidParams,
			Self::BadSignature => ErrorCode::BadSignature,
			Self::WrongBlock(_) => ErrorCode::WrongBlock,
			Self::ChainUnavailable | Self::Interrupted => return None,
		})
	}

	/// Its name for those who count.
	pub(crate) fn name(&self) -> &'static str {
		self.code().map_or("Internal", ErrorCode::name)
	}
}

impl From<ChainError> for IntakeError {
	fn from(error: ChainError) -> Self {
		log::error!(target: LOG_TARGET, "A share request is refused: {error}");
		Self::ChainUnavailable
	}
}

impl From<StoreError> for IntakeError {
	fn from(error: StoreError) -> Self {
		log::error!(target: LOG_TARGET, "A share request is refused: {error}");
		Self::StorageFailed
	}
}
