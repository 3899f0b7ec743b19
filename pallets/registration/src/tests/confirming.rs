//! What is admitted as a confirmation, and what it counts for.

use crate::{mock::*, pallet::*, Call, Refusal};
use codec::Encode;
use frame_support::{assert_noop, assert_ok};
use keyshare_primitives::{AccountId, Confirmation, KeyScheme};
use sp_runtime::{transaction_validity::TransactionValidityError, DispatchError};

fn refused(extrinsic: &Extrinsic, refusal: Refusal) {
	let error = TransactionValidityError::from(refusal);
	assert_eq!(validate(extrinsic).map(|_| ()), Err(error), "by the pool");
	assert_eq!(apply(extrinsic), Err(error), "by a block");
}

fn confirmed(who: &AccountId) -> usize {
	let info = Registration::account_info(who);
	let key = info.registering.or(info.registered).expect("there");
	key.coverage.iter().map(|coverage| coverage.confirmed.len()).sum()
}

#[test]
fn a_confirmation_needs_no_fee_and_says_what_it_did() {
	for scheme in [KeyScheme::Ed25519, KeyScheme::Secp256k1] {
		new_test_ext().execute_with(|| {
			let key = split(scheme, 1);
			assert_ok!(register(&ALICE, &key));
			let id = attempt(&ALICE).expect("begun").key.id;
			confirm_all(&key, &ALICE, 1, &[12]);
			assert_eq!(
				events().pop(),
				Some(Event::ShareConfirmed { account: ALICE, id, server: server(12), subgroup: 1 })
			);
			let coverage = &Registration::account_info(&ALICE).registering.expect("").coverage[1];
			assert_eq!(coverage.confirmed, vec![server(12)]);
			assert_eq!(coverage.members, vec![server(11), server(12), server(13)]);
			assert!(!coverage.is_reached());
		});
	}
}

#[test]
fn a_second_confirmation_is_refused_and_counts_once() {
	new_test_ext().execute_with(|| {
		let key = ed25519(1);
		assert_ok!(register(&ALICE, &key));
		let extrinsic = confirmation(1, vec![prove(&key, &ALICE, 1, 1)]);
		assert_eq!(apply(&extrinsic), Ok(Ok(())));
		refused(&extrinsic, Refusal::NothingLive);
		assert_eq!(confirmed(&ALICE), 1);
	});
}

#[test]
fn an_entry_given_twice_counts_once() {
	new_test_ext().execute_with(|| {
		let key = ed25519(1);
		assert_ok!(register(&ALICE, &key));
		let entry = prove(&key, &ALICE, 1, 1);
		assert_eq!(apply(&confirmation(1, vec![entry.clone(), entry])), Ok(Ok(())));
		assert_eq!(confirmed(&ALICE), 1);
		assert_ok!(Registration::check_state());
	});
}

#[test]
fn a_member_cannot_confirm_with_another_subgroups_share() {
	new_test_ext().execute_with(|| {
		let key = ed25519(1);
		assert_ok!(register(&ALICE, &key));
		let proof = proof_for(&key, &ALICE, 1, 11, 1);
		let entry = Confirmation { account: ALICE, generation: 1, proof };
		refused(&confirmation(1, vec![entry]), Refusal::BadProof);
	});
}

#[test]
fn a_proof_made_for_another_server_is_no_proof() {
	new_test_ext().execute_with(|| {
		let key = ed25519(1);
		assert_ok!(register(&ALICE, &key));
		// Server 2 holds the same share as server 1, and copies its proof.
		let proof = proof_for(&key, &ALICE, 1, 1, 1);
		let entry = Confirmation { account: ALICE, generation: 1, proof };
		refused(&confirmation(2, vec![entry]), Refusal::BadProof);
	});
}

#[test]
fn a_proof_over_another_id_is_no_proof() {
	new_test_ext().execute_with(|| {
		let key = ed25519(1);
		assert_ok!(register(&ALICE, &key));
		assert_ok!(register(&BOB, &key));
		for (account, generation) in [(ALICE, 2), (BOB, 1)] {
			let proof = proof_for(&key, &account, generation, 1, 1);
			let entry = Confirmation { account: ALICE, generation: 1, proof };
			refused(&confirmation(1, vec![entry]), Refusal::BadProof);
		}
	});
}

#[test]
fn a_proof_of_the_other_scheme_is_no_proof() {
	new_test_ext().execute_with(|| {
		assert_ok!(register(&ALICE, &ed25519(1)));
		let other = split(KeyScheme::Secp256k1, 1);
		refused(&confirmation(1, vec![prove(&other, &ALICE, 1, 1)]), Refusal::BadProof);
	});
}

#[test]
fn only_the_server_itself_can_send_its_confirmation() {
	new_test_ext().execute_with(|| {
		let key = ed25519(1);
		assert_ok!(register(&ALICE, &key));
		// Server 2 holds the same share, so it can make server 1's proof; not its signature.
		let entries = vec![prove(&key, &ALICE, 1, 1)];
		refused(&confirmation_signed_by(2, 1, entries.clone()), Refusal::BadSignature);
		assert_eq!(apply(&confirmation_signed_by(1, 1, entries)), Ok(Ok(())));
	});
}

#[test]
fn a_stranger_cannot_confirm() {
	new_test_ext().execute_with(|| {
		let key = ed25519(1);
		assert_ok!(register(&ALICE, &key));
		refused(&confirmation(3, vec![prove(&key, &ALICE, 1, 3)]), Refusal::NotAMember);
	});
}

#[test]
fn nobody_can_dispatch_a_confirmation_that_was_not_admitted() {
	new_test_ext().execute_with(|| {
		let key = ed25519(1);
		assert_ok!(register(&ALICE, &key));
		let Extrinsic { function: RuntimeCall::Registration(call), .. } =
			confirmation(1, vec![prove(&key, &ALICE, 1, 1)])
		else {
			panic!("a confirmation")
		};
		assert_noop!(dispatch(&ALICE, call.clone()), DispatchError::BadOrigin);
		let Call::confirm { server, confirmations, signature } = call else { panic!("confirm") };
		for origin in [RuntimeOrigin::none(), RuntimeOrigin::root()] {
			assert_noop!(
				Registration::confirm(origin, server.clone(), confirmations.clone(), signature),
				DispatchError::BadOrigin
			);
		}
	});
}

#[test]
fn one_bad_live_entry_refuses_the_whole_batch() {
	new_test_ext().execute_with(|| {
		let (one, two) = (ed25519(1), ed25519(2));
		assert_ok!(register(&ALICE, &one));
		assert_ok!(register(&BOB, &two));
		let good = prove(&one, &ALICE, 1, 1);
		let bad = prove(&one, &BOB, 1, 1);
		refused(&confirmation(1, vec![good.clone(), bad]), Refusal::BadProof);
		assert_eq!(confirmed(&ALICE), 0);
		let also_good = prove(&two, &BOB, 1, 1);
		assert_eq!(apply(&confirmation(1, vec![good, also_good])), Ok(Ok(())));
		assert_eq!((confirmed(&ALICE), confirmed(&BOB)), (1, 1));
	});
}

#[test]
fn nobody_can_void_a_batch_by_cancelling() {
	new_test_ext().execute_with(|| {
		let (one, two) = (ed25519(1), ed25519(2));
		assert_ok!(register(&ALICE, &one));
		assert_ok!(register(&BOB, &two));
		let batch = confirmation(1, vec![prove(&one, &ALICE, 1, 1), prove(&two, &BOB, 1, 1)]);
		assert_ok!(dispatch(&ALICE, Call::cancel {}));
		assert_eq!(apply(&batch), Ok(Ok(())));
		assert_eq!(confirmed(&BOB), 1);
		assert_ok!(dispatch(&BOB, Call::cancel {}));
		refused(&batch, Refusal::NothingLive);
	});
}

#[test]
fn nothing_at_all_is_not_admitted() {
	new_test_ext().execute_with(|| refused(&confirmation(1, vec![]), Refusal::NothingLive));
}

#[test]
fn a_late_member_confirms_a_key_in_force() {
	new_test_ext().execute_with(|| {
		let key = ed25519(1);
		make_registered(&ALICE, &key);
		assert_eq!(confirmed(&ALICE), QUORUM.len());
		System::reset_events();
		confirm_all(&key, &ALICE, 1, &[13]);
		assert_eq!(confirmed(&ALICE), QUORUM.len() + 1);
		assert!(matches!(events().as_slice(), [Event::ShareConfirmed { subgroup: 1, .. }]));
		assert_ok!(Registration::check_state());
	});
}

/// Server 2's validator replaces it by server 3, which holds the same share.
fn replace_server_two() {
	assert!(move_server(2, 3));
}

#[test]
fn confirmations_of_a_former_server_do_not_count() {
	new_test_ext().execute_with(|| {
		let key = ed25519(1);
		assert_ok!(register(&ALICE, &key));
		confirm_all(&key, &ALICE, 1, &[1, 2, 11, 12]);
		replace_server_two();
		// Only the first server of subgroup 0 is ready, and that is enough.
		refused(&confirmation(2, vec![prove(&key, &ALICE, 1, 2)]), Refusal::NotAMember);
		assert_eq!(confirmed(&ALICE), 3);
		confirm_all(&key, &ALICE, 1, &[3]);
		assert_eq!(confirmed(&ALICE), 4);
		assert_ok!(Registration::check_state());
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn of_two_members_a_silent_newcomer_stops_nobody() {
	new_test_ext().execute_with(|| {
		replace_server_two();
		let key = ed25519(1);
		assert_ok!(register(&ALICE, &key));
		// Two members, one of them syncing: its silence does not matter,
		confirm_all(&key, &ALICE, 1, &[11, 12, 21]);
		assert!(key_of(&ALICE).is_none());
		// and neither does its word alone.
		confirm_all(&key, &ALICE, 1, &[3]);
		assert!(key_of(&ALICE).is_none());
		confirm_all(&key, &ALICE, 1, &[1]);
		assert!(key_of(&ALICE).is_some());
		assert_ok!(Registration::check_state());
	});
}

#[test]
fn a_member_that_becomes_ready_raises_the_quorum_and_brings_its_confirmation() {
	new_test_ext().execute_with(|| {
		replace_server_two();
		let key = ed25519(1);
		assert_ok!(register(&ALICE, &key));
		confirm_all(&key, &ALICE, 1, &[1, 3, 11, 12]);
		// As of now two of two count; the one that was syncing has confirmed already.
		declare_ready(2);
		let coverage = &Registration::account_info(&ALICE).registering.expect("").coverage[0];
		assert_eq!((coverage.quorum, coverage.counted()), (Some(2), 2));
		confirm_all(&key, &ALICE, 1, &[21]);
		assert!(key_of(&ALICE).is_some());
	});
}

#[test]
fn who_returns_to_its_own_seat_has_confirmed_what_it_had() {
	new_test_ext().execute_with(|| {
		let key = ed25519(1);
		make_registered(&ALICE, &key);
		assert_eq!(confirmed(&ALICE), QUORUM.len());
		begin_session(&[1, 2, 11, 13, 21]);
		assert_eq!(confirmed(&ALICE), QUORUM.len() - 1);
		begin_session(&[1, 2, 11, 12, 13, 21]);
		assert_eq!(confirmed(&ALICE), QUORUM.len());
		// It counts again when its server has declared that it holds everything.
		let coverage =
			|| Registration::account_info(&ALICE).registered.expect("").coverage.remove(1);
		assert_eq!((coverage().quorum, coverage().counted()), (Some(2), 1));
		declare_ready(12);
		assert_eq!((coverage().quorum, coverage().counted()), (Some(2), 2));
		assert_ok!(Registration::check_state());
		assert_ok!(Subgroups::check_state());
	});
}

/// An attempt of `who` that servers 11 and 12 confirm in the first block, 13 never, and that ends
/// when it expires.
fn attempt_without_13(who: &AccountId, seed: u8) {
	let key = ed25519(seed);
	assert_ok!(register(who, &key));
	confirm_all(&key, who, generation_of(who), &[11, 12]);
}

#[test]
fn who_confirms_nothing_for_long_is_not_ready_any_more() {
	new_test_ext().execute_with(|| {
		let is_ready = || {
			let seat = pallet_subgroups::MemberOf::<Test>::get(server(13)).expect("a member");
			pallet_subgroups::Masks::<Test>::get().subgroups[1].ready & seat.bit() != 0
		};
		for round in 0..2 {
			for number in 103..107 {
				assert!(is_ready());
				attempt_without_13(&user(number), number);
			}
			run_to(1 + (round + 1) * (TIMEOUT + 1));
			assert_eq!(is_ready(), round == 0);
		}
		assert_ok!(Subgroups::check_state());
		declare_ready(13);
		assert!(is_ready());
	});
}

#[test]
fn what_nobody_confirmed_long_before_the_end_counts_against_nobody() {
	new_test_ext().execute_with(|| {
		for round in 0..2 {
			let start = 1 + round * (TIMEOUT + 1);
			for number in 103..107 {
				assert_ok!(register(&user(number), &ed25519(number)));
			}
			// A dealer that gives shares to two of three at the last moment.
			run_to(start + TIMEOUT - HEARD_BEFORE + 1);
			for number in 103..107 {
				let generation = generation_of(&user(number));
				confirm_all(&ed25519(number), &user(number), generation, &[11, 12]);
			}
			run_to(start + TIMEOUT + 1);
		}
		let silent = pallet_subgroups::SilencesOf::<Test>::get(1);
		assert_eq!(silent, Default::default());
	});
}

#[test]
fn the_pool_knows_overlapping_batches_and_prefers_the_larger() {
	new_test_ext().execute_with(|| {
		let (one, two) = (ed25519(1), ed25519(2));
		assert_ok!(register(&ALICE, &one));
		assert_ok!(register(&BOB, &two));
		let alice = prove(&one, &ALICE, 1, 1);
		let small = validate(&confirmation(1, vec![alice.clone()])).expect("valid");
		let both = vec![alice.clone(), prove(&two, &BOB, 1, 1)];
		let large = validate(&confirmation(1, both)).expect("valid");
		assert!(large.priority > small.priority);
		assert!(small.provides.iter().all(|tag| large.provides.contains(tag)));
		let by_another =
			validate(&confirmation(2, vec![prove(&one, &ALICE, 1, 2)])).expect("valid");
		assert!(by_another.provides.iter().all(|tag| !large.provides.contains(tag)));
		assert!(small.propagate);
		let id = attempt(&ALICE).expect("begun").key.id;
		assert!(small.provides[0].ends_with(&(server(1), id).encode()));
	});
}

#[test]
fn quorums_are_two_thirds_rounded_up_and_none_for_nobody() {
	let quorums: Vec<_> = (0..=7).map(Registration::quorum).collect();
	assert_eq!(quorums, [None, Some(1), Some(2), Some(2), Some(3), Some(4), Some(4), Some(5)]);
}
