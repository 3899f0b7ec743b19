//! What the chain keeps of one account: one entry, whose encoding nodes read too.

use crate::{
	membership::{Change, Confirmed, SeatMask},
	Generation, KeyRecord, KeyScheme, MAX_SUBGROUPS,
};
use codec::{Decode, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_runtime::BoundedVec;

/// An account's attempts and keys. Never removed once there, so that no generation is used twice.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct AccountRecord<Number> {
	/// The generation of the last attempt; 0 before the first.
	pub last_generation: Generation,
	/// The key in force.
	pub registered: Option<RegisteredKey<Number>>,
	/// The attempt under way.
	pub registering: Option<Attempt<Number>>,
}

impl<Number> Default for AccountRecord<Number> {
	fn default() -> Self {
		Self { last_generation: 0, registered: None, registering: None }
	}
}

impl<Number> AccountRecord<Number> {
	/// The attempt or key of that generation, if it is there.
	pub fn key(&self, generation: Generation) -> Option<&KeyRecord> {
		let attempt = self.registering.iter().map(|attempt| &attempt.key);
		let key = self.registered.iter().map(|registered| &registered.key);
		attempt.chain(key).find(|key| key.generation == generation)
	}

	/// The scheme of the account's keys: an attempt beside a key in force has the key's.
	pub fn scheme(&self) -> Option<KeyScheme> {
		let attempt = self.registering.iter().map(|attempt| &attempt.key);
		let mut keys = attempt.chain(self.registered.iter().map(|registered| &registered.key));
		keys.next().map(|key| key.commitments.scheme())
	}

	/// Who has confirmed the attempt or key of that generation.
	pub fn confirmed(&self, generation: Generation) -> Option<&Confirmed> {
		let attempt =
			self.registering.iter().map(|attempt| (attempt.key.generation, &attempt.confirmed));
		let key = self.registered.iter().map(|key| (key.key.generation, &key.confirmed));
		attempt.chain(key).find(|(of, _)| *of == generation).map(|(_, confirmed)| confirmed)
	}
}

/// A key in force.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct RegisteredKey<Number> {
	/// Id, generation, commitments and verifying shares.
	pub key: KeyRecord,
	/// Who has confirmed it.
	pub confirmed: Confirmed,
	/// The block in which it came into force.
	pub since: Number,
}

/// An attempt under way.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Attempt<Number> {
	/// Id, generation, commitments and verifying shares.
	pub key: KeyRecord,
	/// Who has confirmed it.
	pub confirmed: Confirmed,
	/// The first block in which the attempt is gone.
	pub expires_at: Number,
	/// Whether it is a registration or the swap of a key in force.
	pub purpose: Purpose,
	/// The last change of the membership when it began.
	pub began_as_of: Change,
	/// For each subgroup, by its id, from whom it was to hear.
	pub expectations: BoundedVec<Expectation<Number>, ConstU32<MAX_SUBGROUPS>>,
}

/// From whom in one subgroup an attempt is to hear.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Expectation<Number> {
	/// The members that were ready when it began.
	pub ready: SeatMask,
	/// The block of the first confirmation.
	pub first_heard: Option<Number>,
}

/// What an attempt is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub enum Purpose {
	/// The account's first key.
	Register,
	/// To replace the key in force.
	Swap,
}
