//! The subgroups, operators and servers a chain starts with. What calls check is checked here too.

use crate::{operators::OperatorName, pallet::*, Config, Pallet};
use alloc::{string::String, vec::Vec};
use frame_support::traits::Get;
use keyshare_primitives::{
	elements::encryption_key_is_usable,
	endpoint::endpoint_is_well_formed,
	membership::{Masks as MasksOfAll, SubgroupMasks},
	AccountId, EncryptionKey, Endpoint, ServerInfo, SubgroupId, MAX_SUBGROUPS,
};
use sp_core::H256;
use sp_runtime::{
	traits::{One, Zero},
	BoundedVec,
};

/// An operator at genesis, in force from the first block on.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GenesisOperator {
	/// The account that signs for it.
	pub account: AccountId,
	/// Its name: 1 to 32 printable ASCII characters.
	pub name: String,
	/// The subgroup that all its validators are in, for ever.
	pub subgroup: SubgroupId,
	/// How many validators it may have.
	pub seats: u32,
	/// Those that it has; they count as having accepted it.
	pub validators: Vec<AccountId>,
}

/// The server of a validator at genesis. The author of the chain specification answers for the keys:
/// there is no proof of possession.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GenesisServer {
	/// The validator, one of an operator's.
	pub validator: AccountId,
	/// Its server's account.
	pub server: AccountId,
	/// The server's X25519 public key.
	pub encryption_key: H256,
	/// Where the server's share listener answers.
	pub endpoint: String,
}

impl GenesisServer {
	fn server_info(&self) -> ServerInfo {
		assert!(
			endpoint_is_well_formed(self.endpoint.as_bytes()),
			"genesis: an endpoint is an http or https URL: {}",
			self.endpoint
		);
		let encryption_key = EncryptionKey::X25519(self.encryption_key.0);
		assert!(
			encryption_key_is_usable(&encryption_key),
			"genesis: an encryption key is a canonical X25519 key: {:?}",
			self.encryption_key
		);
		ServerInfo {
			account: self.server.clone(),
			encryption_key,
			endpoint: Endpoint::try_from(self.endpoint.clone().into_bytes())
				.expect("genesis: an endpoint has at most 256 bytes"),
		}
	}
}

/// Writes the genesis state; panics, as every genesis does, on a configuration that cannot be.
pub fn build<T: Config>(config: &GenesisConfig<T>) {
	let count = config.subgroup_count;
	if count == 0 {
		// A runtime without a preset, as benchmarks and metadata tools build it.
		let empty = config.operators.is_empty() && config.servers.is_empty();
		assert!(empty, "genesis: there are no operators without subgroups");
		return;
	}
	assert!(u32::from(count) <= MAX_SUBGROUPS, "genesis: there are at most 16 subgroups");
	assert!(
		2 <= config.threshold && config.threshold <= count,
		"genesis: the threshold lies between 2 and the number of subgroups"
	);
	set_up::<T>(count, config.threshold);
	SessionLength::<T>::put(config.session_length.max(One::one()));
	AdmissionDelay::<T>::put(config.admission_delay);
	config.operators.iter().for_each(add_operator::<T>);
	for subgroup in 0..count {
		let has_operator = config.operators.iter().any(|of| of.subgroup == subgroup);
		assert!(has_operator, "genesis: every subgroup has an operator: {subgroup} has none");
	}
	config.servers.iter().for_each(add_server::<T>);
}

/// Lays out so many empty subgroups.
pub(crate) fn set_up<T: Config>(count: u8, threshold: u8) {
	SubgroupCount::<T>::put(count);
	Threshold::<T>::put(threshold);
	let empty = (0..count).map(|_| SubgroupMasks::default()).collect();
	Masks::<T>::put(MasksOfAll { last_change: 0, subgroups: BoundedVec::truncate_from(empty) });
}

fn add_operator<T: Config>(new: &GenesisOperator) {
	let GenesisOperator { account, subgroup, seats, validators, .. } = new;
	let name = OperatorName::try_from(new.name.clone().into_bytes())
		.expect("genesis: an operator's name has at most 32 bytes");
	let known = Operators::<T>::contains_key(account);
	assert!(!known, "genesis: no operator is there twice: {account:?}");
	let admitted =
		Pallet::<T>::admit_operator(account.clone(), name, *subgroup, *seats, Zero::zero());
	admitted.unwrap_or_else(|error| panic!("genesis: operator {account:?}: {error:?}"));
	let room = validators.len() <= *seats as usize && *seats <= T::MaxMembers::get();
	assert!(room, "genesis: an operator has no more validators than seats: {account:?}");
	for validator in validators {
		assert!(
			!OperatorOf::<T>::contains_key(validator),
			"genesis: no validator is in two places: {validator:?}"
		);
		OperatorOf::<T>::insert(validator, account);
	}
	Operators::<T>::mutate(account, |entry| {
		if let Some(entry) = entry {
			entry.validators = BoundedVec::truncate_from(validators.clone());
		}
	});
}

fn add_server<T: Config>(new: &GenesisServer) {
	let (validator, server) = (&new.validator, new.server_info());
	assert!(
		!Servers::<T>::contains_key(validator),
		"genesis: no validator is in two places: {validator:?}"
	);
	assert!(
		!ServerAccounts::<T>::contains_key(&server.account),
		"genesis: no two servers share an account: {validator:?}"
	);
	let subgroup = Pallet::<T>::home(validator)
		.unwrap_or_else(|| panic!("genesis: a server's validator has an operator: {validator:?}"));
	Pallet::<T>::store_server(validator, server, Zero::zero());
	Pallet::<T>::add_member(subgroup, validator).expect("genesis: subgroups have room");
	// There is nothing to fetch yet.
	Pallet::<T>::make_ready(validator);
}
