//! Benchmarks of the calls.

use crate::{pallet::*, Call, Config, Pallet};
use codec::Encode;
use frame_benchmarking::v2::*;
use frame_support::traits::fungible::Mutate;
use frame_system::RawOrigin;
use keyshare_primitives::{
	messages, AccountId, EncryptionKey, Endpoint, ServerInfo, MAX_ENDPOINT_LENGTH,
};
use sp_core::crypto::KeyTypeId;
use sp_runtime::traits::Bounded;

const KEY_TYPE: KeyTypeId = KeyTypeId(*b"ksrv");

#[benchmarks(where T::NativeBalance: Mutate<AccountId>)]
mod benches {
	use super::*;

	/// The longest endpoint; a replacement by a member, which moves its membership too.
	#[benchmark]
	fn publish_server() -> Result<(), BenchmarkError> {
		let validator: AccountId = account("validator", 0, 0);
		let balance = BalanceOf::<T>::max_value() / 4u32.into();
		T::NativeBalance::set_balance(&validator, balance);
		let mut endpoint = b"https://".to_vec();
		endpoint.resize(MAX_ENDPOINT_LENGTH as usize, b'a');
		let endpoint = Endpoint::truncate_from(endpoint);

		let first = ServerInfo {
			account: account("server", 0, 0),
			encryption_key: EncryptionKey::X25519([9; 32]),
			endpoint: endpoint.clone(),
		};
		Pallet::<T>::store_server(&validator, first, 0u32.into());
		Pallet::<T>::add_member(0, &validator)?;

		let public = sp_io::crypto::sr25519_generate(KEY_TYPE, None);
		let server = ServerInfo {
			account: public.0.into(),
			encryption_key: EncryptionKey::X25519([7; 32]),
			endpoint,
		};
		let message = messages::server_message(&Pallet::<T>::genesis_hash(), &validator, &server);
		let proof = sp_io::crypto::sr25519_sign(KEY_TYPE, &public, &message)
			.ok_or("the key was just made")?;

		#[extrinsic_call]
		_(RawOrigin::Signed(validator.clone()), server.clone(), proof);

		let stored = Servers::<T>::get(&validator).ok_or("published")?;
		assert_eq!(stored.info.encode(), server.encode());
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
