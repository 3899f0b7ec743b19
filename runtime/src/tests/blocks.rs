//! Whole blocks of real extrinsics, with everything an extrinsic carries: what comes first, what fits,
//! and what it costs.

use super::preset_ext;
use crate::{configs::*, *};
use codec::Encode;
use frame_support::{
	dispatch::{DispatchClass, GetDispatchInfo},
	traits::fungible::{Inspect, Mutate},
};
use frame_system::offchain::CreateAuthorizedTransaction;
use keyshare_primitives::{
	development, elements, messages,
	offchain::SERVER_PRIORITY,
	split::{PrivateKey, SplitKey},
	Confirmation, Constraints, KeyScheme,
};
use rand::{rngs::StdRng, SeedableRng};
use sp_consensus_aura::AURA_ENGINE_ID;
use sp_core::{sr25519, Pair};
use sp_keyring::Sr25519Keyring;
use sp_runtime::{
	traits::Header as _,
	transaction_validity::{
		InvalidTransaction, TransactionSource, TransactionValidity, TransactionValidityError,
		ValidTransaction,
	},
	Digest, DigestItem,
};

/// The most entries in a batch.
const BATCH: usize = 64;

/// Begins a block, whose author follows from its number, with the time.
pub(super) fn begin_block(number: BlockNumber) {
	let slot = sp_consensus_aura::Slot::from(u64::from(number));
	let logs = vec![DigestItem::PreRuntime(AURA_ENGINE_ID, slot.encode())];
	let parent = System::parent_hash();
	let (none, digest) = (Default::default(), Digest { logs });
	Executive::initialize_block(&Header::new(number, none, none, parent, digest));
	let now = u64::from(number) * SLOT_DURATION;
	let time = RuntimeCall::Timestamp(pallet_timestamp::Call::set { now });
	assert!(matches!(apply(UncheckedExtrinsic::new_bare(time)), Ok(Ok(()))));
}

pub(super) fn end_block() {
	let header = Executive::finalize_block();
	frame_system::BlockHash::<Runtime>::insert(header.number, header.hash());
}

pub(super) fn apply(extrinsic: UncheckedExtrinsic) -> sp_runtime::ApplyExtrinsicResult {
	Executive::apply_extrinsic(extrinsic)
}

fn validate(extrinsic: UncheckedExtrinsic) -> TransactionValidity {
	Executive::validate_transaction(TransactionSource::External, extrinsic, Default::default())
}

fn valid(extrinsic: UncheckedExtrinsic) -> ValidTransaction {
	validate(extrinsic).expect("it is valid")
}

/// What a wallet makes of a call.
pub(super) fn signed(
	who: &sr25519::Pair,
	nonce: Nonce,
	tip: Balance,
	call: RuntimeCall,
) -> UncheckedExtrinsic {
	let extension: TxExtension = (
		frame_system::AuthorizeCall::new(),
		frame_system::CheckNonZeroSender::new(),
		frame_system::CheckSpecVersion::new(),
		frame_system::CheckTxVersion::new(),
		frame_system::CheckGenesis::new(),
		frame_system::CheckMortality::from(generic::Era::Immortal),
		frame_system::CheckNonce::from(nonce),
		frame_system::CheckWeight::new(),
		pallet_transaction_payment::ChargeTransactionPayment::from(tip),
		frame_metadata_hash_extension::CheckMetadataHash::new(false),
		frame_system::WeightReclaim::new(),
	);
	let payload = SignedPayload::new(call.clone(), extension.clone()).expect("all is known");
	let signature = payload.using_encoded(|payload| who.sign(payload));
	let account = AccountId::from(who.public());
	UncheckedExtrinsic::new_signed(call, account.into(), signature.into(), extension)
}

fn transfer(value: Balance) -> RuntimeCall {
	let dest = Sr25519Keyring::Eve.to_account_id().into();
	RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive { dest, value })
}

/// A user with funds, and its key.
pub(super) struct User {
	pub pair: sr25519::Pair,
	pub account: AccountId,
	pub key: SplitKey,
}

impl User {
	pub fn new(number: u32, scheme: KeyScheme) -> Self {
		let mut seed = [0; 32];
		seed[..4].copy_from_slice(&number.to_le_bytes());
		let pair = sr25519::Pair::from_seed(&seed);
		let account = AccountId::from(pair.public());
		let mut rng = StdRng::from_seed(seed);
		let key = PrivateKey::generate(scheme, &mut rng).split(2, 3, &mut rng).expect("valid");
		Balances::set_balance(&account, 1_000 * KEY);
		Self { pair, account, key }
	}

	pub fn registering(&self) -> RuntimeCall {
		RuntimeCall::Registration(pallet_registration::Call::register {
			constraint_account: self.account.clone(),
			constraints: Constraints::default(),
			key: self.key.commitments.clone(),
		})
	}

	/// Without what a transaction costs.
	pub fn register(&self) {
		let call = sp_runtime::traits::Dispatchable::dispatch(
			self.registering(),
			RuntimeOrigin::signed(self.account.clone()),
		);
		call.expect("it can be registered");
	}

	/// What the server of a subgroup confirms.
	fn confirmation(&self, subgroup: usize) -> Confirmation {
		let shares = elements::verifying_shares(&self.key.commitments, 2, 3).expect("valid");
		let share = self.key.shares[subgroup].clone();
		let share = share.verify(shares.get(subgroup).expect("one a subgroup")).expect("its own");
		let (genesis, key) = (System::block_hash(0), &self.key.commitments);
		let id = messages::registration_id(&genesis, &self.account, 1, key);
		let message = messages::custody_message(&id, &server(subgroup).public().into());
		Confirmation { account: self.account.clone(), generation: 1, proof: share.prove(&message) }
	}
}

fn server(subgroup: usize) -> sr25519::Pair {
	let uri = development::SERVERS[subgroup].server_uri();
	sr25519::Pair::from_string(&uri, None).expect("a valid URI")
}

/// The extrinsic of a subgroup's server for these users.
pub(super) fn confirm(subgroup: usize, users: &[User]) -> UncheckedExtrinsic {
	let entries: Vec<_> = users.iter().map(|user| user.confirmation(subgroup)).collect();
	let pair = server(subgroup);
	let account = AccountId::from(pair.public());
	let message = messages::confirm_message(&System::block_hash(0), &account, &entries);
	let call = pallet_registration::Call::<Runtime>::confirm {
		server: account,
		confirmations: entries.try_into().expect("no more than a batch"),
		signature: pair.sign(&message),
	};
	type Call = pallet_registration::Call<Runtime>;
	<Runtime as CreateAuthorizedTransaction<Call>>::create_authorized_transaction(call.into())
}

fn users(count: u32, scheme: KeyScheme) -> Vec<User> {
	(0..count).map(|number| User::new(number, scheme)).collect()
}

fn weight_so_far() -> u64 {
	System::block_weight().get(DispatchClass::Normal).ref_time()
}

fn normal_limit() -> u64 {
	let limit = RuntimeBlockWeights::get().get(DispatchClass::Normal).max_total;
	limit.expect("normal blocks have a limit").ref_time()
}

fn is_exhausted(result: &sp_runtime::ApplyExtrinsicResult) -> bool {
	*result == Err(TransactionValidityError::Invalid(InvalidTransaction::ExhaustsResources))
}

/// What a filled block holds of the confirmations that make users' keys registered.
pub(super) struct Filled {
	/// Picoseconds of weight for each confirmation: checked, recorded and, of three, one that completes.
	pub each: u64,
	/// How many a block admitted before it had its share of them.
	pub in_a_block: usize,
}

/// Fills a block with batches of the three servers, and leaves it open.
pub(super) fn fill_a_block(scheme: KeyScheme) -> Filled {
	begin_block(1);
	let users = users(10 * BATCH as u32, scheme);
	users.iter().for_each(User::register);
	end_block();
	begin_block(2);
	let before = weight_so_far();
	let groups: Vec<_> = users.chunks(BATCH).collect();
	let (mut in_a_block, mut each) = (0, 0);
	// Batch after batch of users from the first confirmation to the last.
	for (users, subgroup) in groups.iter().flat_map(|users| (0..3).map(move |of| (users, of))) {
		let result = apply(confirm(subgroup, users));
		if is_exhausted(&result) {
			break;
		}
		assert_eq!(result, Ok(Ok(())));
		in_a_block += users.len();
		if subgroup == 2 {
			// Of whole lives only.
			each = (weight_so_far() - before) / in_a_block as u64;
			let key = pallet_registration::Accounts::<Runtime>::get(&users[0].account);
			assert!(key.registered.is_some());
		}
	}
	Filled { each, in_a_block }
}

#[test]
fn a_thousand_confirmations_a_second_fit_into_blocks() {
	for scheme in [KeyScheme::Ed25519, KeyScheme::Secp256k1] {
		preset_ext(genesis::LOCAL_PRESET).execute_with(|| {
			let Filled { each, in_a_block } = fill_a_block(scheme);
			let a_second = normal_limit() / each * 1_000 / SLOT_DURATION;
			println!("{scheme:?}: {each} ps each, {a_second} a second, {in_a_block} in a block");
			assert!(a_second >= 1_000, "{a_second}: {each} ps each");
		});
	}
}

#[test]
fn confirmations_leave_room_for_others_in_a_block() {
	preset_ext(genesis::LOCAL_PRESET).execute_with(|| {
		let filled = fill_a_block(KeyScheme::Ed25519).in_a_block;
		assert!(filled < 10 * BATCH * 3, "there were more of them: {filled}");
		// They have their share, and the rest is for the others.
		let share = ConfirmationShare::get().mul_floor(normal_limit());
		let weight = pallet_registration::ConfirmationWeight::<Runtime>::get();
		assert!(weight >= share && weight < share + 64 * 1_000_000_000, "{weight} of {share}");
		let alice = Sr25519Keyring::Alice.pair();
		let mut sent = 0;
		while let Ok(done) = apply(signed(&alice, sent, 0, transfer(KEY))) {
			assert_eq!(done, Ok(()));
			sent += 1;
		}
		assert!(sent > 100, "{sent} transfers");
		end_block();
		// In the next block confirmations go on.
		begin_block(3);
		let user = User::new(1_000_000, KeyScheme::Ed25519);
		user.register();
		assert_eq!(apply(confirm(0, &[user])), Ok(Ok(())));
	});
}

#[test]
fn no_ordinary_tip_outbids_a_confirmation() {
	preset_ext(genesis::LOCAL_PRESET).execute_with(|| {
		begin_block(1);
		let users = users(2, KeyScheme::Ed25519);
		users.iter().for_each(User::register);
		let one = valid(confirm(0, &users[..1])).priority;
		let two = valid(confirm(0, &users)).priority;
		assert_eq!((one, two), (SERVER_PRIORITY + 1, SERVER_PRIORITY + 2));
		assert_eq!(SERVER_PRIORITY, u64::MAX - BATCH as u64, "the largest batch has the highest");
		// The costs page says what ties.
		let tie = tip_that_ties();
		let alice = Sr25519Keyring::Alice.pair();
		let priority = |tip| valid(signed(&alice, 0, tip, transfer(1))).priority;
		assert!(priority(tie - KEY) < SERVER_PRIORITY && priority(tie + KEY) > SERVER_PRIORITY);
		assert!(tie > 1_000 * KEY, "{tie}");
	});
}

/// The tip of a transfer that reaches a server's priority, in units.
pub(super) fn tip_that_ties() -> Balance {
	let alice = Sr25519Keyring::Alice.pair();
	Balances::set_balance(&alice.public().into(), 1_000_000_000 * KEY);
	let a_key = valid(signed(&alice, 0, KEY, transfer(1))).priority;
	Balance::from(SERVER_PRIORITY) * KEY / Balance::from(a_key)
}

#[test]
fn overlapping_batches_get_in_and_a_repeated_entry_is_passed_over() {
	preset_ext(genesis::LOCAL_PRESET).execute_with(|| {
		begin_block(1);
		let users = users(3, KeyScheme::Secp256k1);
		users.iter().for_each(User::register);
		let [first, second, all] =
			[&users[..2], &users[1..], &users[..]].map(|users| confirm(0, users));
		for batch in [&first, &second, &all] {
			assert_eq!(valid(batch.clone()).provides.len(), 1);
		}
		assert_eq!(apply(first), Ok(Ok(())));
		assert_eq!(apply(second), Ok(Ok(())));
		let error = validate(all).expect_err("nothing is left to confirm");
		assert_eq!(error, pallet_registration::Refusal::NothingLive.into());
	});
}

#[test]
fn what_an_attempt_makes_others_do_is_paid_to_the_author_but_for_a_fifth() {
	preset_ext(genesis::LOCAL_PRESET).execute_with(|| {
		begin_block(1);
		let author = Authorship::author().expect("the block has one");
		let user = User::new(1, KeyScheme::Ed25519);
		let fee = Registration::confirmation_fee();
		let (before, issued) = (Balances::free_balance(&author), Balances::total_issuance());
		user.register();
		assert_eq!(issued - Balances::total_issuance(), fee / 5);
		assert_eq!(Balances::free_balance(&author) - before, fee - fee / 5);
		// At the price of the block.
		let seven = pallet_transaction_payment::Multiplier::from_u32(7);
		pallet_transaction_payment::NextFeeMultiplier::<Runtime>::put(seven);
		assert_eq!(Registration::confirmation_fee(), 7 * fee);
	});
}

#[test]
fn registering_costs_what_the_runtime_foretells() {
	preset_ext(genesis::LOCAL_PRESET).execute_with(|| {
		begin_block(1);
		let user = User::new(1, KeyScheme::Ed25519);
		let extrinsic = signed(&user.pair, 0, 0, user.registering());
		let info = extrinsic.get_dispatch_info();
		let length = extrinsic.encoded_size() as u32;
		let most = TransactionPayment::compute_fee(length, &info, 0);
		let fee = Registration::confirmation_fee();
		let before = Balances::total_balance(&user.account);
		assert_eq!(apply(extrinsic), Ok(Ok(())));
		let paid = before - Balances::total_balance(&user.account);
		// The transaction's own fee is what the verifying shares of three subgroups take, and not of
		// sixteen.
		assert!(paid > fee && paid < most + fee, "{fee} < {paid} < {}", most + fee);
	});
}
