//! What a transaction costs, and who gets it.

use super::preset_ext;
use crate::{configs::*, *};
use codec::Encode;
use frame_support::{
	dispatch::{DispatchClass, PostDispatchInfo},
	traits::fungible::Inspect,
	weights::Weight,
};
use pallet_transaction_payment::{Multiplier, MultiplierUpdate, OnChargeTransaction};
use sp_consensus_aura::AURA_ENGINE_ID;
use sp_keyring::Sr25519Keyring;
use sp_runtime::{traits::Convert, Digest, DigestItem};

/// A block of Bob's: the first of the three, by their accounts.
fn in_a_block_of_bob(test: impl FnOnce()) {
	preset_ext(genesis::LOCAL_PRESET).execute_with(|| {
		let slot = sp_consensus_aura::Slot::from(3);
		let logs = vec![DigestItem::PreRuntime(AURA_ENGINE_ID, slot.encode())];
		System::initialize(&1, &Default::default(), &Digest { logs });
		test();
	});
}

/// Dave pays for a transaction.
fn pay(fee: Balance, tip: Balance) {
	type Charge = <Runtime as pallet_transaction_payment::Config>::OnChargeTransaction;
	let (dave, all) = (Sr25519Keyring::Dave.to_account_id(), fee + tip);
	let call = RuntimeCall::System(frame_system::Call::remark { remark: vec![] });
	let (info, post) = (Default::default(), PostDispatchInfo::default());
	let paid =
		<Charge as OnChargeTransaction<Runtime>>::withdraw_fee(&dave, &call, &info, all, tip);
	<Charge as OnChargeTransaction<Runtime>>::correct_and_deposit_fee(
		&dave,
		&info,
		&post,
		all,
		tip,
		paid.expect("Dave is rich"),
	)
	.expect("nothing is in the way");
}

#[test]
fn a_fifth_of_a_fee_is_burnt_and_the_author_has_the_rest_and_the_tip() {
	in_a_block_of_bob(|| {
		let bob = Sr25519Keyring::Bob.to_account_id();
		assert_eq!(Authorship::author(), Some(bob.clone()));
		let (before, issued) = (Balances::balance(&bob), Balances::total_issuance());
		pay(1_000 * MILLI_KEY, 7 * MILLI_KEY);
		assert_eq!(Balances::balance(&bob) - before, 807 * MILLI_KEY);
		assert_eq!(issued - Balances::total_issuance(), 200 * MILLI_KEY);
	});
}

#[test]
fn a_block_full_by_its_length_costs_what_one_costs_that_is_full_by_its_weight() {
	let length = *RuntimeBlockLength::get().max.get(DispatchClass::Normal);
	let by_length = TransactionPayment::length_to_fee(length);
	let limit = RuntimeBlockWeights::get().get(DispatchClass::Normal).max_total;
	let by_weight = TransactionPayment::weight_to_fee(limit.expect("normal blocks have a limit"));
	let ratio = by_length as f64 / by_weight as f64;
	assert!((0.9..1.1).contains(&ratio), "{ratio}");
}

#[test]
fn fees_double_in_ten_minutes_of_full_blocks_and_fall_to_where_they_were() {
	preset_ext(genesis::LOCAL_PRESET).execute_with(|| {
		type Update = <Runtime as pallet_transaction_payment::Config>::FeeMultiplierUpdate;
		let full = RuntimeBlockWeights::get().get(DispatchClass::Normal).max_total;
		let after = |mut multiplier: Multiplier, weight: Weight, blocks: BlockNumber| {
			System::set_block_consumed_resources(weight, 0);
			for _ in 0..blocks {
				multiplier = Update::convert(multiplier);
			}
			multiplier.to_float()
		};
		let least = Update::min();
		assert_eq!((least.to_float(), Update::max().to_float()), (1.0, 1_000.0));
		let doubled = after(least, full.expect("there is a limit"), 10 * MINUTES);
		assert!((1.9..2.1).contains(&doubled), "{doubled}");
		assert_eq!(after(Multiplier::from_u32(2), Weight::zero(), HOURS), 1.0);
		assert_eq!(after(least, full.expect("there is a limit"), 10 * HOURS), 1_000.0);
	});
}
