//! Benchmarks of the calls.

use crate::{
	operators::lower_case, pallet::*, session::ValidatorSet, Call, Config, Operator, OperatorName,
	Pallet,
};
use alloc::{vec, vec::Vec};
use codec::Encode;
use frame_benchmarking::v2::*;
use frame_support::{
	pallet_prelude::{Authorize, TransactionSource},
	traits::{fungible::Mutate, EnsureOrigin, Get},
	BoundedVec,
};
use frame_system::RawOrigin;
use keyshare_primitives::{
	membership::{
		Ended, Hearing, Missed, Seat, SeatMask, SubgroupMembership, MAX_SEATS, SILENT_ATTEMPTS,
	},
	messages, AccountId, BlockNumber, EncryptionKey, Endpoint, ServerInfo, MAX_ENDPOINT_LENGTH,
	MAX_SUBGROUPS,
};
use sp_core::{crypto::KeyTypeId, sr25519};
use sp_runtime::traits::Bounded;

const KEY_TYPE: KeyTypeId = KeyTypeId(*b"ksrv");

/// The longest endpoint.
fn endpoint() -> Endpoint {
	let mut endpoint = b"https://server.example/".to_vec();
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
	SessionLength::<T>::put(frame_system::pallet_prelude::BlockNumberFor::<T>::from(15u32));
	let members: Vec<_> = (0..members).map(|number| validator::<T>("member", number)).collect();
	for (number, member) in (0..MAX_SUBGROUPS).cycle().zip(&members) {
		Pallet::<T>::add_member(number as u8, member).expect("benchmarks fit the subgroups");
	}
	members
}

/// Everybody who has a seat has been silent in as many attempts as may be noted.
fn fill_silences<T: Config>(now: BlockNumber) {
	Silences::<T>::mutate(|silences| {
		for seat in (0..MAX_SUBGROUPS as u8)
			.flat_map(|subgroup| (0..MAX_SEATS as u8).map(move |number| Seat { subgroup, number }))
		{
			let users = (0..SILENT_ATTEMPTS as u8).map(|user| [user, 0, 0, 0]);
			let missed = users.map(|user| Missed { at: now, user }).collect();
			let missed = BoundedVec::truncate_from(missed);
			silences.0.try_insert(seat, missed).expect("there is room for every seat");
		}
	});
}

/// A member that has just joined, whose server's key is in the key store.
fn joining<T: Config>() -> Result<(AccountId, sr25519::Public), BenchmarkError>
where
	T::NativeBalance: Mutate<AccountId>,
{
	set_up::<T>(0);
	let validator: AccountId = account("validator", 0, 0);
	let public = sp_io::crypto::sr25519_generate(KEY_TYPE, None);
	let info = ServerInfo {
		account: public.0.into(),
		encryption_key: EncryptionKey::X25519([9; 32]),
		endpoint: endpoint(),
	};
	Pallet::<T>::store_server(&validator, info, 0u32.into());
	Pallet::<T>::add_member(0, &validator)?;
	Ok((validator, public))
}

fn declaration<T: Config>(
	validator: &AccountId,
	server: sr25519::Public,
) -> Result<Call<T>, BenchmarkError> {
	let account = AccountId::from(server.0);
	let joined = Joining::<T>::get(validator).ok_or("it has just joined")?.since;
	let message = messages::ready_message(&Pallet::<T>::genesis_hash(), &account, joined);
	let signature =
		sp_io::crypto::sr25519_sign(KEY_TYPE, &server, &message).ok_or("just generated")?;
	Ok(Call::declare_ready { server: account, joined, signature })
}

/// The name of an operator by number.
fn name(number: u32) -> OperatorName {
	OperatorName::truncate_from(alloc::format!("Operator {number}").into_bytes())
}

/// So many operators in force, each of so many seats, one after the other of each subgroup; perhaps more
/// than the seats allow.
fn operators<T: Config>(count: u32, seats: u32) {
	for number in 0..count {
		let operator: AccountId = account("operator", number, 0);
		let entry = Operator {
			name: name(number),
			subgroup: (number % MAX_SUBGROUPS) as u8,
			seats,
			..Default::default()
		};
		OperatorNames::<T>::insert(lower_case(&entry.name), &operator);
		Operators::<T>::insert(operator, entry);
	}
}

/// An operator with as many validators as there can be.
fn full_operator<T: Config>(subgroup: u8) -> AccountId {
	let operator: AccountId = account("operator", 0, 0);
	let validators: Vec<AccountId> =
		(0..T::MaxMembers::get()).map(|number| account("validator", number, 0)).collect();
	validators.iter().for_each(|validator| OperatorOf::<T>::insert(validator, &operator));
	let entry = Operator {
		name: name(0),
		subgroup,
		seats: T::MaxMembers::get(),
		validators: BoundedVec::truncate_from(validators),
		..Default::default()
	};
	Operators::<T>::insert(&operator, entry);
	operator
}

#[benchmarks(where T::NativeBalance: Mutate<AccountId>)]
mod benches {
	use super::*;

	/// The longest endpoint; a replacement by a member, which moves its membership too.
	#[benchmark]
	fn publish_server() -> Result<(), BenchmarkError> {
		set_up::<T>(T::MaxMembers::get() - 1);
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
		fill_silences::<T>(1);
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
		let (validator, server) = joining::<T>()?;
		let call = declaration::<T>(&validator, server)?;

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
		let Call::declare_ready { server, joined, signature } =
			declaration::<T>(&validator, public)?
		else {
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

	/// Beside others whose seats are counted.
	#[benchmark]
	fn admit(o: Linear<0, { T::MaxOperators::get() - 1 }>) -> Result<(), BenchmarkError> {
		let origin =
			T::AdmitOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		set_up::<T>(0);
		operators::<T>(o, 0);
		let operator: AccountId = account("operator", u32::MAX, 0);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, operator.clone(), name(u32::MAX), 0, 1);

		assert!(Operators::<T>::contains_key(&operator));
		Ok(())
	}

	#[benchmark]
	fn dismiss() -> Result<(), BenchmarkError> {
		let origin =
			T::AdmitOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		set_up::<T>(0);
		let operator = full_operator::<T>(0);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, operator.clone(), true);

		let entry = Operators::<T>::get(&operator).ok_or("it stays")?;
		assert_eq!(entry.dismissed(), Some(true));
		Ok(())
	}

	/// The last one there is a seat for.
	#[benchmark]
	fn assign() -> Result<(), BenchmarkError> {
		set_up::<T>(0);
		let operator = full_operator::<T>(0);
		let last: AccountId = account("validator", T::MaxMembers::get() - 1, 0);
		Pallet::<T>::unassign_validator(operator.clone(), last.clone())?;

		#[extrinsic_call]
		_(RawOrigin::Signed(operator), last);

		Ok(())
	}

	#[benchmark]
	fn unassign() -> Result<(), BenchmarkError> {
		set_up::<T>(0);
		let operator = full_operator::<T>(0);
		let last: AccountId = account("validator", T::MaxMembers::get() - 1, 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(operator), last);

		Ok(())
	}

	/// In the place of another one, with as many validators as there can be.
	#[benchmark]
	fn accept() -> Result<(), BenchmarkError> {
		set_up::<T>(0);
		let operator = full_operator::<T>(0);
		let last: AccountId = account("validator", T::MaxMembers::get() - 1, 0);
		let other: AccountId = account("other", 0, 0);
		let entry = || Operators::<T>::get(&operator).ok_or("just admitted");
		let (mut of, mut before) = (entry()?, entry()?);
		of.validators.retain(|validator| *validator != last);
		of.assigned = BoundedVec::truncate_from(vec![last.clone()]);
		before.validators = of.assigned.clone();
		Operators::<T>::insert(&operator, of);
		Operators::<T>::insert(&other, before);
		OperatorOf::<T>::insert(&last, &other);

		#[extrinsic_call]
		_(RawOrigin::Signed(last.clone()), operator.clone());

		assert_eq!(OperatorOf::<T>::get(&last), Some(operator));
		Ok(())
	}

	#[benchmark]
	fn leave() -> Result<(), BenchmarkError> {
		set_up::<T>(0);
		full_operator::<T>(0);
		let last: AccountId = account("validator", T::MaxMembers::get() - 1, 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(last.clone()));

		assert!(Pallet::<T>::operator_of(&last).is_none());
		Ok(())
	}

	#[benchmark]
	fn back() -> Result<(), BenchmarkError> {
		set_up::<T>(0);
		let operator = full_operator::<T>(0);
		let last: AccountId = account("validator", T::MaxMembers::get() - 1, 0);
		Idle::<T>::insert(&last, 1);
		LastBlocks::<T>::insert(&last, 1);

		#[extrinsic_call]
		_(RawOrigin::Signed(operator), last.clone());

		assert!(!Idle::<T>::contains_key(&last));
		Ok(())
	}

	/// All of them are newcomers, of the first operators.
	#[benchmark]
	fn plan(
		o: Linear<0, { T::MaxOperators::get() }>,
		v: Linear<0, { T::MaxValidators::get() }>,
	) -> Result<(), BenchmarkError> {
		set_up::<T>(0);
		operators::<T>(o.max(1), 1);
		let validators: Vec<_> = (0..v).map(|number| validator::<T>("candidate", number)).collect();
		validators.iter().for_each(T::Validators::set_session_keys);
		let (mut operators, mut listed) = (Operators::<T>::iter_keys().collect::<Vec<_>>(), 0);
		operators.sort();
		for (number, some) in validators.chunks(T::MaxMembers::get() as usize).enumerate() {
			let Some(operator) = operators.get(number) else { break };
			Operators::<T>::mutate(operator, |entry| {
				let entry = entry.as_mut().expect("just listed");
				entry.subgroup = number as u8;
				entry.seats = T::MaxMembers::get();
				entry.validators = BoundedVec::truncate_from(some.to_vec());
			});
			some.iter().for_each(|validator| OperatorOf::<T>::insert(validator, operator));
			listed += some.len();
		}
		let selected;

		#[block]
		{
			selected = Pallet::<T>::plan();
		}

		assert_eq!(selected.unwrap_or_default().len(), listed);
		Ok(())
	}

	/// Of full subgroups everybody but the first member has been silent for as long as it may, in what
	/// may be most attempts; the end of one more finds the second member of the first subgroup.
	#[benchmark]
	fn hear(h: Linear<1, MAX_SUBGROUPS>) -> Result<(), BenchmarkError> {
		let servers = (0..MAX_SUBGROUPS)
			.map(|subgroup| {
				(0..MAX_SEATS).map(|place| account("server", subgroup, place)).collect()
			})
			.collect();
		Pallet::<T>::set_members(servers, 2);
		let now = T::SilenceWindow::get();
		fill_silences::<T>(now);
		let of = |subgroup| Hearing { subgroup, expected: SeatMask::MAX, heard: 1 };
		let ended =
			[Ended { user: account("user", 0, 0), hearings: (0..h as u8).map(of).collect() }];

		#[block]
		{
			Pallet::<T>::hear(&ended, now);
		}

		assert_eq!(Joining::<T>::iter().count(), 1);
		Ok(())
	}

	/// Newcomers to empty subgroups.
	#[benchmark]
	fn follow(v: Linear<0, { T::MaxValidators::get() }>) -> Result<(), BenchmarkError> {
		set_up::<T>(0);
		operators::<T>(MAX_SUBGROUPS, 1);
		let newcomers: Vec<_> = (0..v).map(|number| validator::<T>("newcomer", number)).collect();
		for (number, newcomer) in (0..MAX_SUBGROUPS).cycle().zip(&newcomers) {
			let operator: AccountId = account("operator", number, 0);
			Operators::<T>::mutate(&operator, |entry| {
				let entry = entry.as_mut().expect("it was admitted");
				entry.validators.try_push(newcomer.clone()).expect("there is room");
			});
			OperatorOf::<T>::insert(newcomer, operator);
		}
		fill_silences::<T>(1);

		#[block]
		{
			Pallet::<T>::follow(&newcomers, 1);
		}

		assert_eq!(Joining::<T>::iter().count() as u32, v);
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
