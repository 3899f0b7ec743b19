//! Benchmarks of the calls.

use crate::{pallet::*, session::ValidatorSet, Call, Config, Pallet};
use alloc::{vec, vec::Vec};
use codec::Encode;
use frame_benchmarking::v2::*;
use frame_support::{
	pallet_prelude::{Authorize, TransactionSource},
	traits::{fungible::Mutate, EnsureOrigin, Get},
};
use frame_system::RawOrigin;
use keyshare_primitives::{
	membership::SubgroupMembership, messages, AccountId, EncryptionKey, Endpoint, ServerInfo,
	MAX_ENDPOINT_LENGTH, MAX_SUBGROUPS,
};
use sp_core::{crypto::KeyTypeId, sr25519};
use sp_runtime::traits::Bounded;

const KEY_TYPE: KeyTypeId = KeyTypeId(*b"ksrv");

/// The most members there can be.
fn most<T: Config>() -> u32 {
	T::MaxMembers::get() * MAX_SUBGROUPS
}

/// The longest endpoint.
fn endpoint() -> Endpoint {
	let mut endpoint = b"https://".to_vec();
	endpoint.resize(MAX_ENDPOINT_LENGTH as usize, b'a');
	Endpoint::truncate_from(endpoint)
}

/// A validator with a server.
fn validator<T: Config>(kind: &'static str, number: u32) -> AccountId
where
	T::NativeBalance: Mutate<AccountId>,
{
	let validator: AccountId = account(kind, number, 0);
	let balance = BalanceOf::<T>::max_value() / 1_000_000u32.into();
	T::NativeBalance::set_balance(&validator, balance);
	let server: AccountId = account(kind, number, 1);
	let info = ServerInfo {
		encryption_key: EncryptionKey::X25519(server.clone().into()),
		account: server,
		endpoint: endpoint(),
	};
	Pallet::<T>::store_server(&validator, info, 0u32.into());
	validator
}

/// As many subgroups as there can be, with `members` in all of them together.
fn set_up<T: Config>(members: u32) -> Vec<AccountId>
where
	T::NativeBalance: Mutate<AccountId>,
{
	Pallet::<T>::set_members(vec![Vec::new(); MAX_SUBGROUPS as usize], 2);
	let members: Vec<_> = (0..members).map(|number| validator::<T>("member", number)).collect();
	for (number, member) in (0..MAX_SUBGROUPS).cycle().zip(&members) {
		Pallet::<T>::add_member(number as u8, member).expect("benchmarks fit the subgroups");
	}
	members
}

/// A member that has just joined, whose server's key is in the key store.
fn joining<T: Config>() -> Result<(AccountId, sr25519::Public), BenchmarkError>
where
	T::NativeBalance: Mutate<AccountId>,
{
	let validator: AccountId = account("validator", 0, 0);
	let public = sp_io::crypto::sr25519_generate(KEY_TYPE, None);
	let info = ServerInfo {
		account: public.0.into(),
		encryption_key: EncryptionKey::X25519([9; 32]),
		endpoint: endpoint(),
	};
	Pallet::<T>::store_server(&validator, info, 0u32.into());
	Pallet::<T>::add_member(0, &validator)?;
	Joining::<T>::insert(&validator, 1);
	Ok((validator, public))
}

fn declaration<T: Config>(server: sr25519::Public) -> Result<Call<T>, BenchmarkError> {
	let account = AccountId::from(server.0);
	let message = messages::ready_message(&Pallet::<T>::genesis_hash(), &account, 1);
	let signature =
		sp_io::crypto::sr25519_sign(KEY_TYPE, &server, &message).ok_or("just generated")?;
	Ok(Call::declare_ready { server: account, joined: 1, signature })
}

#[benchmarks(where T::NativeBalance: Mutate<AccountId>)]
mod benches {
	use super::*;

	/// The longest endpoint; a replacement by a member, which moves its membership too.
	#[benchmark]
	fn publish_server() -> Result<(), BenchmarkError> {
		let validator: AccountId = account("validator", 0, 0);
		let balance = BalanceOf::<T>::max_value() / 4u32.into();
		T::NativeBalance::set_balance(&validator, balance);
		let first = ServerInfo {
			account: account("server", 0, 0),
			encryption_key: EncryptionKey::X25519([9; 32]),
			endpoint: endpoint(),
		};
		Pallet::<T>::store_server(&validator, first, 0u32.into());
		Pallet::<T>::add_member(0, &validator)?;

		let public = sp_io::crypto::sr25519_generate(KEY_TYPE, None);
		let server = ServerInfo {
			account: public.0.into(),
			encryption_key: EncryptionKey::X25519([7; 32]),
			endpoint: endpoint(),
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

	/// At once, with the deposit released.
	#[benchmark]
	fn withdraw_server() -> Result<(), BenchmarkError> {
		let validator = validator::<T>("validator", 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(validator.clone()));

		assert!(!Servers::<T>::contains_key(&validator));
		Ok(())
	}

	#[benchmark]
	fn authorize_declare_ready() -> Result<(), BenchmarkError> {
		let (_, server) = joining::<T>()?;
		let call = declaration::<T>(server)?;

		#[block]
		{
			call.authorize(TransactionSource::External)
				.ok_or("it is authorized")?
				.map_err(|_| "it is rightly signed")?;
		}
		Ok(())
	}

	#[benchmark]
	fn declare_ready() -> Result<(), BenchmarkError> {
		let (validator, public) = joining::<T>()?;
		let Call::declare_ready { server, joined, signature } = declaration::<T>(public)? else {
			return Err("a declaration".into());
		};

		#[extrinsic_call]
		_(RawOrigin::Authorized, server, joined, signature);

		assert!(!Joining::<T>::contains_key(&validator));
		Ok(())
	}

	#[benchmark]
	fn readmit() -> Result<(), BenchmarkError> {
		let origin =
			T::ReadmitOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let validator: AccountId = account("validator", 0, 0);
		Barred::<T>::insert(&validator, 1);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, validator.clone());

		assert!(!Barred::<T>::contains_key(&validator));
		Ok(())
	}

	/// All of them are newcomers, in the place of as many members.
	#[benchmark]
	fn plan(v: Linear<0, { most::<T>() }>) -> Result<(), BenchmarkError> {
		set_up::<T>(v);
		let candidates: Vec<_> = (0..v).map(|number| validator::<T>("candidate", number)).collect();
		candidates.iter().for_each(T::Validators::set_session_keys);
		let selected;

		#[block]
		{
			selected = Pallet::<T>::plan(candidates);
		}

		assert_eq!(selected.unwrap_or_default().len() as u32, v);
		Ok(())
	}

	/// All members leave for good, and as many newcomers join.
	#[benchmark]
	fn follow(v: Linear<0, { most::<T>() }>) -> Result<(), BenchmarkError> {
		let members = set_up::<T>(v);
		members.iter().for_each(|member| Withdrawing::<T>::insert(member, ()));
		let newcomers: Vec<_> = (0..v).map(|number| validator::<T>("newcomer", number)).collect();

		#[block]
		{
			Pallet::<T>::follow(&newcomers, 1);
		}

		assert_eq!(Joining::<T>::iter().count() as u32, v);
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
