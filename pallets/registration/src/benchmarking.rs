//! Benchmarks of the calls, with the most subgroups where their number is no component, each of them
//! full, and with a threshold of all of them. Components begin at 0 where nearly all of the time is
//! theirs: if the fitted base comes out below 0, the least time that was measured is taken for it. The keys are secp256k1's, whose elements and proofs are the
//! larger and dearer ones; what depends on the scheme otherwise is measured for both.

use crate::{
	lifecycle::AttemptOf, migrations::RulesInPlaceOfLists, pallet::*, Call, Config, Pallet,
};
use alloc::vec::Vec;
use codec::{Decode, Encode};
use frame_benchmarking::v2::*;
use frame_support::{
	pallet_prelude::{Authorize, TransactionSource},
	traits::{fungible::Mutate, Get},
	BoundedVec,
};
use frame_system::RawOrigin;
use k256::{ecdsa::SigningKey, elliptic_curve::group::GroupEncoding, ProjectivePoint, Scalar};
use keyshare_primitives::{
	constraints::{
		Amount, BitcoinAllow, ConstraintsV2, Network, Rule, Who, MAX_FEES, MAX_RULES,
		MAX_SCRIPT_LENGTH,
	},
	elements::{verifying_shares, Polynomial},
	membership::{Seat, SubgroupMembership, MAX_SEATS},
	messages,
	record::{AccountRecord, Purpose},
	AccountId, Confirmation, Constraints, CustodyProof, Elements, KeyCommitments, KeyScheme,
	MAX_SUBGROUPS, MIN_SUBGROUPS,
};
use sp_core::{crypto::KeyTypeId, sr25519};
use sp_runtime::traits::{Bounded, One, Saturating};

const KEY_TYPE: KeyTypeId = KeyTypeId(*b"ksrv");

/// Every subgroup is full; the first server is in the key store, and the one that confirms last.
fn set_up<T: Config>() -> sr25519::Public {
	set_up_with::<T>(MAX_SUBGROUPS)
}

fn set_up_with<T: Config>(subgroups: u32) -> sr25519::Public {
	let public = sp_io::crypto::sr25519_generate(KEY_TYPE, None);
	let server = |subgroup, place| match (subgroup, place) {
		(0, 0) => AccountId::from(public.0),
		_ => account("server", subgroup, place),
	};
	let servers = (0..subgroups)
		.map(|subgroup| (0..MAX_SEATS).map(|place| server(subgroup, place)).collect())
		.collect();
	T::Subgroups::set_members(servers, 2);
	public
}

/// Coefficients 1, 2, …: their commitments are those multiples of the generator.
fn commitments<T: Config>(first: u64) -> KeyCommitments {
	commitments_of(first, T::Subgroups::count().into())
}

fn ed25519_commitments(threshold: u32) -> KeyCommitments {
	use curve25519_dalek::{constants::ED25519_BASEPOINT_POINT as G, Scalar};
	let element = |k: u64| (G * Scalar::from(k)).compress().to_bytes();
	let elements = (1..=u64::from(threshold)).map(element).collect();
	KeyCommitments::Ed25519(BoundedVec::truncate_from(elements))
}

fn commitments_of(first: u64, threshold: u32) -> KeyCommitments {
	let elements = (0..u64::from(threshold))
		.map(|k| {
			(ProjectivePoint::GENERATOR * Scalar::from(first + k)).to_affine().to_bytes().into()
		})
		.collect();
	KeyCommitments::Secp256k1(BoundedVec::truncate_from(elements))
}

/// The subgroup, 14, whose identifier has only ones: 15.
const MOST_ADDITIONS: u8 = 14;

/// The share of subgroup 0: the coefficients' sum, as its identifier is one.
fn first_share(first: u64, threshold: u32) -> SigningKey {
	let sum = (0..u64::from(threshold)).map(|k| Scalar::from(first + k)).sum::<Scalar>();
	SigningKey::from_bytes(&sum.to_bytes()).expect("not zero")
}

/// Constraints for a secp256k1 key with as many rules and fees together: with the longest scripts, which
/// are the dearest to check since each is on the heap, all different in their last bytes only.
fn constraints(entries: u32) -> Constraints {
	let rule = |number: u32| {
		let mut script = [0x11; MAX_SCRIPT_LENGTH as usize];
		(script[0], script[1]) = (0x60, 40);
		script[38..].copy_from_slice(&number.to_be_bytes());
		let to = Who::Only(BoundedVec::truncate_from(script.to_vec()));
		let allow = BitcoinAllow::Pay { to, largest: Amount::UpTo(1) };
		(u16::try_from(number).expect("few rules"), Rule::Bitcoin { allow })
	};
	let rules = (0..entries.min(MAX_RULES)).map(rule).collect();
	let fee = |number: u32| (Network::Evm(u64::from(number)), 1);
	let fees = (1..=entries.saturating_sub(MAX_RULES)).map(fee).collect();
	Constraints::V2(ConstraintsV2 { rules, fees, ..Default::default() })
}

const MOST_ENTRIES: u32 = MAX_RULES + MAX_FEES;

fn user<T: Config>(number: u32) -> AccountId
where
	T::NativeBalance: Mutate<AccountId>,
{
	let user: AccountId = account("user", number, 0);
	T::NativeBalance::set_balance(&user, BalanceOf::<T>::max_value() / 1_000_000u32.into());
	user
}

/// With a threshold of all subgroups.
fn begin<T: Config>(user: &AccountId, entries: u32) -> Result<(), BenchmarkError> {
	begin_with_threshold::<T>(user, entries, T::Subgroups::count().into())
}

fn begin_with_threshold<T: Config>(
	user: &AccountId,
	entries: u32,
	threshold: u32,
) -> Result<(), BenchmarkError> {
	Pallet::<T>::register(
		RawOrigin::Signed(user.clone()).into(),
		user.clone(),
		constraints(entries),
		commitments_of(1, threshold),
	)?;
	Ok(())
}

/// Every member but the first confirms the attempt, which that does not complete.
fn confirm_others<T: Config>(user: &AccountId) {
	let masks = T::Subgroups::masks();
	let all: Vec<_> = (0..T::Subgroups::count()).flat_map(T::Subgroups::members).collect();
	Accounts::<T>::mutate(user, |record| {
		let attempt = record.registering.as_mut().expect("begun");
		for (_, seat) in all.into_iter().skip(1) {
			attempt.confirmed.add(&masks, seat);
		}
	});
}

/// As if every subgroup had confirmed an attempt long before its end, to look at what that tells.
fn heard_long_ago<T: Config>(attempt: &AttemptOf<T>) -> AttemptOf<T> {
	let mut heard = attempt.clone();
	heard.expires_at = T::RegistrationTimeout::get();
	frame_system::Pallet::<T>::set_block_number(heard.expires_at);
	let long_ago = heard.expires_at.saturating_sub(T::HeardBefore::get());
	heard.expectations.iter_mut().for_each(|of| of.first_heard = Some(long_ago));
	heard
}

/// A user with a key in force and an attempt to swap it that everybody but the first member has confirmed.
fn begin_swap<T: Config>(user: &AccountId) -> Result<(), BenchmarkError> {
	register_fully::<T>(user, T::Subgroups::count().into())?;
	Pallet::<T>::begin(user.clone(), commitments::<T>(2), Purpose::Swap, None)?;
	confirm_others::<T>(user);
	Ok(())
}

/// An account's record without its attempt, and the attempt.
fn apart<T: Config>(
	user: &AccountId,
) -> Result<(AccountRecordOf<T>, AttemptOf<T>), BenchmarkError> {
	let mut record = Accounts::<T>::get(user);
	let attempt = record.registering.take().ok_or("begun")?;
	Ok((record, attempt))
}

fn register_fully<T: Config>(user: &AccountId, threshold: u32) -> Result<(), BenchmarkError> {
	begin_with_threshold::<T>(user, MOST_ENTRIES, threshold)?;
	confirm_others::<T>(user);
	let (record, attempt) = apart::<T>(user)?;
	let _ = Pallet::<T>::complete(user, record, attempt, &T::Subgroups::masks());
	Ok(())
}

fn attempts<T: Config>() -> usize {
	Expiries::<T>::iter().count()
}

/// A record as it is on a chain of two subgroups.
fn shorten<T: Config>(user: &AccountId) {
	fn elements(of: &mut Elements) {
		match of {
			Elements::Ed25519(elements) => elements.truncate(MIN_SUBGROUPS as usize),
			Elements::Secp256k1(elements) => elements.truncate(MIN_SUBGROUPS as usize),
		}
	}
	Accounts::<T>::mutate(user, |record| {
		let AccountRecord { registered: Some(key), registering: Some(attempt), .. } = record else {
			return;
		};
		elements(&mut key.key.verifying_shares);
		elements(&mut attempt.key.verifying_shares);
		key.confirmed.seats.truncate(MIN_SUBGROUPS as usize);
		attempt.confirmed.seats.truncate(MIN_SUBGROUPS as usize);
		attempt.expectations.truncate(MIN_SUBGROUPS as usize);
	});
}

/// A batch of `c` confirmations, each of a swap of a key with a short record; none completes it.
fn batch<T: Config>(server: sr25519::Public, c: u32) -> Result<Call<T>, BenchmarkError>
where
	T::NativeBalance: Mutate<AccountId>,
{
	let account_of_server = AccountId::from(server.0);
	let mut confirmations = Vec::new();
	for number in 0..c {
		let user = user::<T>(number);
		register_fully::<T>(&user, MIN_SUBGROUPS)?;
		Pallet::<T>::begin(user.clone(), commitments_of(2, MIN_SUBGROUPS), Purpose::Swap, None)?;
		confirm_others::<T>(&user);
		shorten::<T>(&user);
		let key = Accounts::<T>::get(&user).registering.ok_or("begun")?.key;
		let message = messages::custody_message(&key.id, &account_of_server);
		let (signature, recovery) = first_share(2, MIN_SUBGROUPS)
			.sign_prehash_recoverable(&sp_io::hashing::blake2_256(&message))
			.map_err(|_| "a prehash is signed")?;
		let mut proof = [0; 65];
		proof[..64].copy_from_slice(&signature.to_bytes());
		proof[64] = recovery.to_byte();
		let proof = CustodyProof::Secp256k1(proof);
		confirmations.push(Confirmation { account: user, generation: key.generation, proof });
	}
	let genesis = Pallet::<T>::genesis_hash();
	let message = messages::confirm_message(&genesis, &account_of_server, &confirmations);
	let signature =
		sp_io::crypto::sr25519_sign(KEY_TYPE, &server, &message).ok_or("just generated")?;
	let confirmations = confirmations.try_into().map_err(|_| "within the bound")?;
	Ok(Call::confirm { server: account_of_server, confirmations, signature })
}

#[benchmarks(where T::NativeBalance: Mutate<AccountId>)]
mod benches {
	use super::*;

	/// Everything but the verifying shares.
	#[benchmark]
	fn register(
		e: Linear<0, MOST_ENTRIES>,
		n: Linear<MIN_SUBGROUPS, MAX_SUBGROUPS>,
	) -> Result<(), BenchmarkError> {
		set_up_with::<T>(n);
		let user = user::<T>(0);
		let (key, new) = (commitments::<T>(1), constraints(e));
		let shares = verifying_shares(&key, 2, T::Subgroups::count()).map_err(|_| "valid")?;

		#[block]
		{
			let constraints = new.check(KeyScheme::Secp256k1).map_err(|_| "valid")?;
			let constraint_account = user.clone();
			let entry = Some(ConstraintsEntry { constraint_account, constraints });
			let (record, masks) = (Accounts::<T>::get(&user), T::Subgroups::masks());
			let purpose = Purpose::Register;
			Pallet::<T>::begin_with(user, record, key, shares, purpose, entry, &masks)?;
		}

		assert_eq!(attempts::<T>(), 1);
		Ok(())
	}

	#[benchmark]
	fn read_ed25519(t: Linear<0, MAX_SUBGROUPS>) {
		let key = ed25519_commitments(t);
		let read;

		#[block]
		{
			read = Polynomial::read(&key);
		}

		assert!(read.is_ok());
	}

	/// Of the subgroup whose share takes the most additions.
	#[benchmark]
	fn share_ed25519(t: Linear<1, MAX_SUBGROUPS>) -> Result<(), BenchmarkError> {
		let read = Polynomial::read(&ed25519_commitments(t));
		let Ok(Polynomial::Ed25519(polynomial)) = read else { return Err("valid".into()) };
		let share;

		#[block]
		{
			share = polynomial.verifying_share::<32>(MOST_ADDITIONS);
		}

		assert!(share.is_ok());
		Ok(())
	}

	#[benchmark]
	fn read_secp256k1(t: Linear<0, MAX_SUBGROUPS>) {
		let key = commitments_of(1, t);
		let read;

		#[block]
		{
			read = Polynomial::read(&key);
		}

		assert!(read.is_ok());
	}

	/// The same.
	#[benchmark]
	fn share_secp256k1(t: Linear<1, MAX_SUBGROUPS>) -> Result<(), BenchmarkError> {
		let read = Polynomial::read(&commitments_of(1, t));
		let Ok(Polynomial::Secp256k1(polynomial)) = read else { return Err("valid".into()) };
		let share;

		#[block]
		{
			share = polynomial.verifying_share::<33>(MOST_ADDITIONS);
		}

		assert!(share.is_ok());
		Ok(())
	}

	/// Of a swap under way: decoded, confirmed once more and encoded.
	#[benchmark]
	fn account_record(n: Linear<MIN_SUBGROUPS, MAX_SUBGROUPS>) -> Result<(), BenchmarkError> {
		set_up_with::<T>(n);
		let user = user::<T>(0);
		begin_swap::<T>(&user)?;
		let (bytes, masks) = (Accounts::<T>::get(&user).encode(), T::Subgroups::masks());
		let first = Seat { subgroup: 0, number: 0 };
		let (reached, written);

		#[block]
		{
			let mut record =
				AccountRecordOf::<T>::decode(&mut &bytes[..]).map_err(|_| "its own")?;
			let attempt = record.registering.as_mut().ok_or("begun")?;
			attempt.confirmed.add(&masks, first);
			reached = Pallet::<T>::has_every_quorum(&attempt.confirmed, &masks);
			written = record.encode();
		}

		assert!(reached);
		assert_eq!(written.len(), bytes.len());
		Ok(())
	}

	/// Without entries nothing is admitted, after everything else has been checked.
	#[benchmark]
	fn authorize_confirm(
		c: Linear<0, { T::MaxConfirmations::get() }>,
	) -> Result<(), BenchmarkError> {
		let server = set_up::<T>();
		let call = batch::<T>(server, c)?;
		let admitted;

		#[block]
		{
			admitted = call.authorize(TransactionSource::External);
		}

		assert_eq!(admitted.ok_or("confirm is authorized")?.is_ok(), c > 0);
		Ok(())
	}

	#[benchmark]
	fn confirm(c: Linear<0, { T::MaxConfirmations::get() }>) -> Result<(), BenchmarkError> {
		let public = set_up::<T>();
		let Call::confirm { server, confirmations, signature } = batch::<T>(public, c)? else {
			return Err("a confirmation".into());
		};

		#[extrinsic_call]
		_(RawOrigin::Authorized, server, confirmations, signature);

		assert_eq!(attempts::<T>() as u32, c);
		Ok(())
	}

	#[benchmark]
	fn complete(n: Linear<MIN_SUBGROUPS, MAX_SUBGROUPS>) -> Result<(), BenchmarkError> {
		set_up_with::<T>(n);
		let user = user::<T>(0);
		begin::<T>(&user, MOST_ENTRIES)?;
		confirm_others::<T>(&user);
		let (record, attempt) = apart::<T>(&user)?;
		let (masks, heard) = (T::Subgroups::masks(), heard_long_ago::<T>(&attempt));
		let told;

		#[block]
		{
			// What it tells is found out here, and weighed for itself when it is noted.
			told = Pallet::<T>::hearings(&heard, &masks);
			let _ = Pallet::<T>::complete(&user, record, attempt, &masks);
		}

		assert_eq!(told.len() as u32, n);
		assert_eq!(attempts::<T>(), 0);
		Ok(())
	}

	/// The key before is gone, with its deposit.
	#[benchmark]
	fn complete_swap(n: Linear<MIN_SUBGROUPS, MAX_SUBGROUPS>) -> Result<(), BenchmarkError> {
		set_up_with::<T>(n);
		let user = user::<T>(0);
		begin_swap::<T>(&user)?;
		let (record, attempt) = apart::<T>(&user)?;
		let (masks, heard) = (T::Subgroups::masks(), heard_long_ago::<T>(&attempt));
		let told;

		#[block]
		{
			// The same.
			told = Pallet::<T>::hearings(&heard, &masks);
			let _ = Pallet::<T>::complete(&user, record, attempt, &masks);
		}

		assert_eq!(told.len() as u32, n);
		assert_eq!(attempts::<T>(), 0);
		Ok(())
	}

	#[benchmark]
	fn cancel() -> Result<(), BenchmarkError> {
		set_up::<T>();
		let user = user::<T>(0);
		begin::<T>(&user, MOST_ENTRIES)?;
		confirm_others::<T>(&user);

		#[extrinsic_call]
		_(RawOrigin::Signed(user.clone()));

		assert_eq!(attempts::<T>(), 0);
		Ok(())
	}

	#[benchmark]
	fn expire() -> Result<(), BenchmarkError> {
		set_up::<T>();
		let user = user::<T>(0);
		begin::<T>(&user, MOST_ENTRIES)?;
		let heard = heard_long_ago::<T>(&Accounts::<T>::get(&user).registering.ok_or("begun")?);
		let masks = T::Subgroups::masks();
		let expires_at = Accounts::<T>::get(&user).registering.ok_or("begun")?.expires_at;
		frame_system::Pallet::<T>::set_block_number(expires_at);

		#[block]
		{
			let _ = Pallet::<T>::hearings(&heard, &masks);
			Pallet::<T>::expire(RawOrigin::Signed(user.clone()).into(), user.clone())
				.map_err(|_| "its time is over")?;
		}

		assert_eq!(attempts::<T>(), 0);
		Ok(())
	}

	/// Everything but the verifying shares.
	#[benchmark]
	fn swap_key(n: Linear<MIN_SUBGROUPS, MAX_SUBGROUPS>) -> Result<(), BenchmarkError> {
		set_up_with::<T>(n);
		let user = user::<T>(0);
		register_fully::<T>(&user, n)?;
		let key = commitments::<T>(2);
		let shares = verifying_shares(&key, 2, T::Subgroups::count()).map_err(|_| "valid")?;

		#[block]
		{
			let (record, masks) = (Accounts::<T>::get(&user), T::Subgroups::masks());
			let purpose = Purpose::Swap;
			Pallet::<T>::begin_with(user, record, key, shares, purpose, None, &masks)?;
		}

		assert_eq!(attempts::<T>(), 1);
		Ok(())
	}

	#[benchmark]
	fn update_constraints(e: Linear<0, MOST_ENTRIES>) -> Result<(), BenchmarkError> {
		set_up::<T>();
		let user = user::<T>(0);
		begin::<T>(&user, MOST_ENTRIES)?;
		let new = constraints(e);

		#[extrinsic_call]
		_(RawOrigin::Signed(user.clone()), user.clone(), new.clone());

		let stored = ConstraintsOf::<T>::get(&user).ok_or("registering")?;
		assert_eq!(stored.constraints.into_inner(), new);
		Ok(())
	}

	#[benchmark]
	fn change_constraint_account() -> Result<(), BenchmarkError> {
		set_up::<T>();
		let user = user::<T>(0);
		begin::<T>(&user, MOST_ENTRIES)?;
		let new: AccountId = account("new", 0, 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(user.clone()), user.clone(), new.clone());

		assert_eq!(ConstraintsOf::<T>::get(&user).ok_or("registering")?.constraint_account, new);
		Ok(())
	}

	#[benchmark]
	fn deregister() -> Result<(), BenchmarkError> {
		set_up::<T>();
		let user = user::<T>(0);
		begin_swap::<T>(&user)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(user.clone()));

		assert!(Accounts::<T>::get(&user).registered.is_none());
		Ok(())
	}

	/// A block of the queue without entries, and the queue's own bookkeeping.
	#[benchmark]
	fn expiry_step() -> Result<(), BenchmarkError> {
		let next = NextExpiry::<T>::get();

		#[block]
		{
			Pallet::<T>::expire_due(next, &mut frame_support::weights::WeightMeter::new());
		}

		assert_eq!(NextExpiry::<T>::get(), next + One::one());
		Ok(())
	}

	/// As long as the lists of version 2 could be.
	#[benchmark]
	fn migrate_constraints() -> Result<(), BenchmarkError> {
		set_up::<T>();
		let user = user::<T>(0);
		begin::<T>(&user, MOST_ENTRIES)?;
		let lists = (
			1u8,
			0u8,
			alloc::vec![[1u8; 20]; 256],
			false,
			1u8,
			0u8,
			alloc::vec![[1u8; 32]; 256],
			false,
		);
		let value = (user.clone(), lists).encode();
		sp_io::storage::set(&ConstraintsOf::<T>::hashed_key_for(&user), &value);

		#[block]
		{
			let _ = ConstraintsOf::<T>::iter_keys().next();
			RulesInPlaceOfLists::<T>::migrate(&user).map_err(|_| "lists")?;
		}

		assert_eq!(
			ConstraintsOf::<T>::get(&user).map(|entry| entry.constraint_account),
			Some(user)
		);
		Ok(())
	}

	#[benchmark]
	fn renew_attempt() -> Result<(), BenchmarkError> {
		set_up::<T>();
		let user = user::<T>(0);
		begin_swap::<T>(&user)?;
		let before = Accounts::<T>::get(&user).registering.ok_or("begun")?.expires_at;
		let until = before.saturating_add(One::one());

		#[block]
		{
			let _ = Expiries::<T>::iter_keys().next();
			Pallet::<T>::renew(before, &user, until);
		}

		assert!(Expiries::<T>::contains_key(until, &user));
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
