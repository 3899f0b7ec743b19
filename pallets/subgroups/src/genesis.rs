//! The subgroups a chain starts with.

use crate::{pallet::*, Config, Pallet};
use alloc::string::String;
use keyshare_primitives::{
	endpoint_is_well_formed, AccountId, EncryptionKey, Endpoint, ServerInfo, MAX_SUBGROUPS,
};
use sp_core::H256;
use sp_runtime::traits::Zero;

/// A member of a subgroup at genesis. The author of the chain specification answers for the keys:
/// there is no proof of possession.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Member {
	/// The validator.
	pub validator: AccountId,
	/// Its server's account.
	pub server: AccountId,
	/// The server's X25519 public key.
	pub encryption_key: H256,
	/// Where the server's share listener answers.
	pub endpoint: String,
}

impl Member {
	fn server_info(&self) -> ServerInfo {
		assert!(
			endpoint_is_well_formed(self.endpoint.as_bytes()),
			"genesis: an endpoint is an http, https, ws or wss URL: {}",
			self.endpoint
		);
		ServerInfo {
			account: self.server.clone(),
			encryption_key: EncryptionKey::X25519(self.encryption_key.0),
			endpoint: Endpoint::try_from(self.endpoint.clone().into_bytes())
				.expect("genesis: an endpoint has at most 256 bytes"),
		}
	}
}

/// Writes the genesis state; panics, as every genesis does, on a configuration that cannot be.
pub fn build<T: Config>(config: &GenesisConfig<T>) {
	if config.subgroups.is_empty() {
		// A runtime without a preset, as benchmarks and metadata tools build it.
		return;
	}
	let count = u8::try_from(config.subgroups.len())
		.ok()
		.filter(|count| u32::from(*count) <= MAX_SUBGROUPS)
		.expect("genesis: there are at most 16 subgroups");
	assert!(
		2 <= config.threshold && config.threshold <= count,
		"genesis: the threshold lies between 2 and the number of subgroups"
	);
	SubgroupCount::<T>::put(count);
	SessionLength::<T>::put(config.session_length);
	Threshold::<T>::put(config.threshold);
	for (subgroup, members) in (0u8..).zip(&config.subgroups) {
		for member in members {
			let (validator, server) = (&member.validator, member.server_info());
			assert!(
				!Servers::<T>::contains_key(validator),
				"genesis: no validator is in two places: {validator:?}"
			);
			assert!(
				!ServerAccounts::<T>::contains_key(&server.account)
					&& !EncryptionKeys::<T>::contains_key(server.encryption_key),
				"genesis: no two servers share a key: {validator:?}"
			);
			Pallet::<T>::store_server(validator, server, Zero::zero());
			Pallet::<T>::add_member(subgroup, validator).expect("genesis: subgroups have room");
		}
	}
}
