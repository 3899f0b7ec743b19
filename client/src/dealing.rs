//! A key split for one attempt, and checked against what the chain shows.
//!
//! The shares are derived from the key, the chain, the account and the generation, so an
//! interrupted attempt is taken up with nothing but the key, and no share is ever kept on disk.

use crate::error::Error;
use keyshare_primitives::{
	api::Parameters,
	elements,
	messages::registration_id,
	share::{Share, ShareError, VerifiedShare},
	split::{PrivateKey, SplitError, SplitKey},
	AccountId, Generation, GenesisHash, KeyCommitments, KeyRecord, RegistrationId, SubgroupId,
};

/// How many earlier generations are tried, to tell a deal that was made before from another key: a call
/// made for one generation gets a later one when others came first.
const GENERATIONS_TRIED: u32 = 64;

/// Why a key, its shares and the chain do not belong together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DealingError {
	/// The chain's parameters cannot be used with this key.
	#[error("the key cannot be split for this chain's numbers of subgroups and threshold")]
	Split,
	/// The chain shows commitments that this key does not make.
	#[error(
		"what the chain shows was not made from this key by this tool: is it another key, or was \
		 it registered with another program?"
	)]
	OtherKey,
	/// An earlier deal was submitted again: those who were to have its shares then would now have those
	/// of other subgroups too.
	#[error(
		"what the chain shows as attempt {shown} was dealt for attempt {dealt}: an earlier call was \
		 submitted again. Shares are never dealt twice: `keyshare cancel` the attempt, and begin anew; \
		 if the key is in force already, `keyshare reshare` it"
	)]
	DealtBefore {
		/// The attempt that it was dealt for.
		dealt: Generation,
		/// The attempt that it has become.
		shown: Generation,
	},
	/// The chain's id is not the hash of what it shows.
	#[error("the registration id on chain is not the one that its commitments make")]
	WrongId,
	/// The chain's verifying shares do not follow from the commitments.
	#[error("the verifying shares on chain are not those that the commitments make")]
	WrongVerifyingShares,
	/// A share of ours is not the one the chain promises to its servers.
	#[error("the share of subgroup {0} is not the one that the chain expects")]
	WrongShare(SubgroupId),
}

/// How many subgroups' shares are to make up a key: what the user wants, or else the least that the
/// chain allows.
///
/// # Errors
///
/// [`Error::Input`] for what the chain would refuse: it must lie between the chain's threshold and
/// the number of subgroups.
pub fn threshold(parameters: &Parameters, wanted: Option<u8>) -> crate::Result<u8> {
	let (least, most) = (parameters.threshold, parameters.subgroups);
	match wanted.unwrap_or(least) {
		wanted if (least..=most).contains(&wanted) => Ok(wanted),
		wanted => Err(Error::Input(format!(
			"a threshold of {wanted} is not possible here: this chain has {most} subgroups, and the \
			 shares of at least {least} of them make up a key. Give --threshold a number from {least} \
			 to {most}"
		))),
	}
}

/// The threshold of the key in force, or the nearest that the chain still allows: a swap keeps it unless
/// another is asked for, so that nobody loses what they chose.
pub fn kept_threshold(parameters: &Parameters, in_force: &KeyRecord) -> u8 {
	let now = u8::try_from(in_force.commitments.len()).unwrap_or(u8::MAX);
	// As `clamp`, which panics if a chain's numbers contradict each other.
	now.max(parameters.threshold).min(parameters.subgroups)
}

/// A key split for one attempt.
pub struct Dealing {
	/// What is published.
	pub commitments: KeyCommitments,
	generation: Generation,
	shares: Vec<Share>,
}

impl Dealing {
	/// Splits `key` for the attempt `generation` of `account`, with the chain's threshold.
	pub fn new(
		key: &PrivateKey,
		parameters: &Parameters,
		genesis: &GenesisHash,
		account: &AccountId,
		generation: Generation,
	) -> Result<Self, DealingError> {
		let threshold = parameters.threshold;
		Self::with_threshold(key, threshold, parameters, genesis, account, generation)
	}

	/// The same so that the shares of `threshold` subgroups make up the key; see [`threshold()`].
	pub fn with_threshold(
		key: &PrivateKey,
		threshold: u8,
		parameters: &Parameters,
		genesis: &GenesisHash,
		account: &AccountId,
		generation: Generation,
	) -> Result<Self, DealingError> {
		let mut rng = key.dealer_rng(genesis, account, generation, parameters.subgroups, threshold);
		let SplitKey { commitments, shares } = key
			.split(threshold, parameters.subgroups, &mut rng)
			.map_err(|_: SplitError| DealingError::Split)?;
		Ok(Self { commitments, generation, shares })
	}

	/// Derives again the dealing whose commitments the chain shows as `record`: there are as many as
	/// its threshold. One that was made for an earlier attempt is found too, and [`Dealing::check`] refuses
	/// it.
	pub fn find(
		key: &PrivateKey,
		parameters: &Parameters,
		genesis: &GenesisHash,
		account: &AccountId,
		record: &KeyRecord,
	) -> Result<Self, DealingError> {
		if record.public_key() != Some(key.public_key()) {
			return Err(DealingError::OtherKey);
		}
		let threshold =
			u8::try_from(record.commitments.len()).map_err(|_| DealingError::OtherKey)?;
		for generation in (1..=record.generation).rev().take(GENERATIONS_TRIED as usize) {
			let dealing =
				Self::with_threshold(key, threshold, parameters, genesis, account, generation)?;
			if dealing.commitments == record.commitments {
				return Ok(dealing);
			}
		}
		Err(DealingError::OtherKey)
	}

	/// Checks that `record`, as the chain shows it for `account`, is exactly what this dealing
	/// makes, and every share against the chain's verifying share. Only the result can be sent.
	pub fn check(
		self,
		parameters: &Parameters,
		genesis: &GenesisHash,
		account: &AccountId,
		record: &KeyRecord,
	) -> Result<Checked, DealingError> {
		if record.commitments != self.commitments {
			return Err(DealingError::OtherKey);
		}
		let (dealt, shown) = (self.generation, record.generation);
		if dealt != shown {
			return Err(DealingError::DealtBefore { dealt, shown });
		}
		check_record(parameters, genesis, account, record)?;
		let shares = (0..parameters.subgroups)
			.zip(self.shares)
			.map(|(subgroup, share)| {
				let expected =
					record.verifying_share(subgroup).ok_or(DealingError::WrongVerifyingShares)?;
				share.verify(expected).map_err(|_: ShareError| DealingError::WrongShare(subgroup))
			})
			.collect::<Result<_, _>>()?;
		Ok(Checked { record: record.clone(), shares })
	}
}

/// Checks that a record's id and verifying shares follow from its commitments.
pub fn check_record(
	parameters: &Parameters,
	genesis: &GenesisHash,
	account: &AccountId,
	record: &KeyRecord,
) -> Result<(), DealingError> {
	let id: RegistrationId =
		registration_id(genesis, account, record.generation, &record.commitments);
	if id != record.id {
		return Err(DealingError::WrongId);
	}
	let expected =
		elements::verifying_shares(&record.commitments, parameters.threshold, parameters.subgroups);
	if expected.as_ref() != Ok(&record.verifying_shares) {
		return Err(DealingError::WrongVerifyingShares);
	}
	Ok(())
}

/// A dealing that the chain shows, every share checked against it.
pub struct Checked {
	/// What the chain shows.
	pub record: KeyRecord,
	shares: Vec<VerifiedShare>,
}

impl Checked {
	/// The share of a subgroup.
	pub fn share(&self, subgroup: SubgroupId) -> Option<&VerifiedShare> {
		self.shares.get(usize::from(subgroup))
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use keyshare_primitives::{KeyScheme, VerifyingShares};

	const USER: AccountId = AccountId::new([1; 32]);
	const GENESIS: GenesisHash = GenesisHash::repeat_byte(2);

	fn parameters() -> Parameters {
		use codec::Decode;
		// protocol version, n = 3, t = 2, quorum 2/3, timeout, address and batch bounds, delay
		let bytes = (1u32, 3u8, 2u8, 666_666_667u32, 100u32, 10u32, 10u32, 0u32);
		Parameters::decode(&mut codec::Encode::encode(&bytes).as_slice()).expect("its layout")
	}

	fn key(byte: u8) -> PrivateKey {
		PrivateKey::new(KeyScheme::Secp256k1, [byte; 32]).expect("in range")
	}

	fn dealing(generation: Generation) -> Dealing {
		Dealing::new(&key(3), &parameters(), &GENESIS, &USER, generation).expect("valid")
	}

	fn record(dealing: &Dealing, generation: Generation) -> KeyRecord {
		KeyRecord {
			id: registration_id(&GENESIS, &USER, generation, &dealing.commitments),
			generation,
			commitments: dealing.commitments.clone(),
			verifying_shares: elements::verifying_shares(&dealing.commitments, 2, 3)
				.expect("valid"),
		}
	}

	fn check(dealing: Dealing, record: &KeyRecord) -> Option<DealingError> {
		dealing.check(&parameters(), &GENESIS, &USER, record).err()
	}

	#[test]
	fn what_the_chain_shows_is_found_again_from_the_key_alone() {
		let shown = record(&dealing(2), 2);
		let found = Dealing::find(&key(3), &parameters(), &GENESIS, &USER, &shown).expect("ours");
		let checked = found.check(&parameters(), &GENESIS, &USER, &shown).expect("the same");
		assert!(checked.share(2).is_some() && checked.share(3).is_none());
		// One that the chain gave a number before its own was never made here.
		let early = record(&dealing(2), 1);
		let error = Dealing::find(&key(3), &parameters(), &GENESIS, &USER, &early).err();
		assert_eq!(error, Some(DealingError::OtherKey));
	}

	#[test]
	fn a_deal_whose_call_is_submitted_again_as_a_later_attempt_is_not_delivered() {
		let late = record(&dealing(2), 5);
		let found = Dealing::find(&key(3), &parameters(), &GENESIS, &USER, &late).expect("ours");
		let again = Some(DealingError::DealtBefore { dealt: 2, shown: 5 });
		assert_eq!(check(found, &late), again);
		assert_eq!(check(dealing(2), &late), again);
	}

	#[test]
	fn the_threshold_is_found_from_the_number_of_commitments() {
		let all = Dealing::with_threshold(&key(3), 3, &parameters(), &GENESIS, &USER, 2);
		let all = all.expect("n of n");
		assert_eq!(all.commitments.len(), 3);
		let shown = record(&all, 2);
		let found = Dealing::find(&key(3), &parameters(), &GENESIS, &USER, &shown).expect("ours");
		assert!(found.check(&parameters(), &GENESIS, &USER, &shown).is_ok());
		// The same attempt with another threshold is another deal.
		assert_eq!(check(dealing(2), &shown), Some(DealingError::OtherKey));
	}

	#[test]
	fn a_threshold_lies_between_the_chains_and_the_number_of_subgroups() {
		assert_eq!(threshold(&parameters(), None).ok(), Some(2));
		for possible in [2, 3] {
			assert_eq!(threshold(&parameters(), Some(possible)).ok(), Some(possible));
		}
		for impossible in [0, 1, 4, u8::MAX] {
			let error = threshold(&parameters(), Some(impossible)).err();
			assert!(matches!(error, Some(Error::Input(_))), "{impossible}");
		}
	}

	#[test]
	fn a_swap_keeps_the_threshold_as_near_as_the_chain_allows() {
		let of = |threshold| {
			let dealing =
				Dealing::with_threshold(&key(3), threshold, &parameters(), &GENESIS, &USER, 1);
			KeyRecord {
				commitments: dealing.expect("valid").commitments,
				..record(&self::dealing(1), 1)
			}
		};
		assert_eq!(kept_threshold(&parameters(), &of(2)), 2);
		assert_eq!(kept_threshold(&parameters(), &of(3)), 3);
		let fewer = Parameters { subgroups: 2, ..parameters() };
		assert_eq!(kept_threshold(&fewer, &of(3)), 2);
		let higher = Parameters { threshold: 3, ..parameters() };
		assert_eq!(kept_threshold(&higher, &of(2)), 3);
	}

	#[test]
	fn another_key_is_not_ours() {
		let shown = record(&dealing(1), 1);
		let error = Dealing::find(&key(4), &parameters(), &GENESIS, &USER, &shown).err();
		assert_eq!(error, Some(DealingError::OtherKey));
		assert_eq!(check(dealing(2), &shown), Some(DealingError::OtherKey));
	}

	#[test]
	fn a_record_that_does_not_follow_from_its_commitments_is_refused() {
		let right = record(&dealing(1), 1);
		assert_eq!(check(dealing(1), &right), None);
		let other_id = KeyRecord { id: RegistrationId::zero(), ..right.clone() };
		assert_eq!(check(dealing(1), &other_id), Some(DealingError::WrongId));
		let other_shares: VerifyingShares =
			elements::verifying_shares(&dealing(2).commitments, 2, 3).expect("valid");
		let other_shares = KeyRecord { verifying_shares: other_shares, ..right };
		assert_eq!(check(dealing(1), &other_shares), Some(DealingError::WrongVerifyingShares));
	}
}
