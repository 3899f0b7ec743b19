//! What is admitted as a confirmation, and what it counts for.

use crate::{mock::*, pallet::*, Call, Refusal};
use frame_support::{
	assert_noop, assert_ok, dispatch::GetDispatchInfo, traits::Hooks, weights::Weight,
};
use keyshare_primitives::{AccountId, Confirmation, KeyScheme};
use sp_runtime::{
	transaction_validity::{InvalidTransaction, TransactionValidityError},
	DispatchError, Perbill,
};

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
		check();
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
		check();
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
		check();
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
		check();
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
		check();
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn a_batch_has_one_tag_and_overlapping_ones_get_in() {
	new_test_ext().execute_with(|| {
		let keys = [ed25519(1), ed25519(2), ed25519(3)];
		let mut users = [user(103), user(104), user(105)];
		for (who, key) in users.iter().zip(&keys) {
			assert_ok!(register(who, key));
		}
		// By the ids of their attempts, of which the least names a batch.
		users.sort_by_key(|who| attempt(who).expect("begun").key.id);
		let key_of = |who: &AccountId| match *who {
			_ if *who == user(103) => &keys[0],
			_ if *who == user(104) => &keys[1],
			_ => &keys[2],
		};
		let [one, two, three] = [0, 1, 2].map(|at: usize| {
			let who = &users[at];
			prove(key_of(who), who, 1, 1)
		});
		let of = |entries: &[&Confirmation]| {
			let entries = entries.iter().map(|entry| (*entry).clone()).collect();
			validate(&confirmation(1, entries)).expect("valid")
		};
		assert_eq!(of(&[&one, &two]).provides.len(), 1);
		assert!(of(&[&one]).propagate);
		// The third overlaps the two others, and is in the way of neither.
		let [first, second, third] = [of(&[&one]), of(&[&two, &three]), of(&[&three])];
		assert!(first.provides != second.provides && second.provides != third.provides);
		// Whatever begins with the same entry is in one place, where the larger stays: there are no more
		// batches than entries.
		assert_eq!(of(&[&one, &two]).provides, first.provides);
		assert_eq!(of(&[&three, &one, &one]).provides, first.provides);
		assert!(of(&[&one, &two]).priority > first.priority);
		let by_another =
			validate(&confirmation(2, vec![prove(key_of(&users[0]), &users[0], 1, 2)]));
		assert_ne!(by_another.expect("valid").provides, first.provides);
		// Whichever comes second, what the first has confirmed is passed over.
		let overlapping = confirmation(1, vec![one.clone(), two.clone()]);
		assert_eq!(apply(&confirmation(1, vec![two, three])), Ok(Ok(())));
		assert_eq!(apply(&overlapping), Ok(Ok(())));
		assert_eq!(users.iter().map(confirmed).sum::<usize>(), 3);
		refused(&overlapping, Refusal::NothingLive);
	});
}

/// What a record on this chain of three subgroups weighs more than one on a chain of two.
fn longer_record() -> Weight {
	use crate::WeightInfo;
	type Weights = <Test as crate::Config>::WeightInfo;
	Weights::account_record(3).saturating_sub(Weights::account_record(2))
}

#[test]
fn entries_that_are_passed_over_take_hardly_any_room() {
	new_test_ext().execute_with(|| {
		type Weights = <Test as crate::Config>::WeightInfo;
		use crate::WeightInfo;
		let key = ed25519(1);
		assert_ok!(register(&ALICE, &key));
		let live = prove(&key, &ALICE, 1, 1);
		let dead = Confirmation { generation: 2, ..live.clone() };
		let before = ConfirmationWeight::<Test>::get();
		assert_eq!(
			apply(&confirmation(1, vec![dead.clone(), live, dead.clone(), dead])),
			Ok(Ok(()))
		);
		// All four records were read.
		let one = Weights::confirm(1)
			.saturating_add(Weights::authorize_confirm(1))
			.saturating_add(longer_record().saturating_mul(4 + 1));
		assert_eq!(ConfirmationWeight::<Test>::get() - before, one.ref_time());
	});
}

#[test]
fn a_block_has_so_many_confirmations_and_the_next_one_goes_on() {
	new_test_ext().execute_with(|| {
		// So little that the first one uses it up.
		Share::set(Perbill::from_parts(1));
		let key = ed25519(1);
		assert_ok!(register(&ALICE, &key));
		let [first, second] = [1, 2].map(|by| confirmation(by, vec![prove(&key, &ALICE, 1, by)]));
		assert_eq!(apply(&first), Ok(Ok(())));
		let full = Err(InvalidTransaction::ExhaustsResources.into());
		assert_eq!(apply(&second), full, "it stays in the pool");
		// Others are taken all the same.
		assert_ok!(register(&BOB, &ed25519(2)));
		Registration::on_finalize(1);
		assert_eq!(ConfirmationWeight::<Test>::get(), 0);
		assert_eq!(apply(&second), Ok(Ok(())));
	});
}

#[test]
fn a_confirmation_weighs_what_it_did() {
	new_test_ext().execute_with(|| {
		type Weights = <Test as crate::Config>::WeightInfo;
		use crate::WeightInfo;
		let (one, two) = (ed25519(1), ed25519(2));
		assert_ok!(register(&ALICE, &one));
		assert_ok!(register(&BOB, &two));
		confirm_all(&one, &ALICE, 1, &[1, 2, 11, 12]);
		let entries = vec![prove(&one, &ALICE, 1, 21), prove(&two, &BOB, 1, 21)];
		let before = ConfirmationWeight::<Test>::get();
		let batch = confirmation(21, entries);
		let declared = batch.get_dispatch_info().call_weight;
		assert_eq!(apply(&batch), Ok(Ok(())));
		assert!(key_of(&ALICE).is_some() && key_of(&BOB).is_none());
		// Two were recorded, and one of them completed its attempt.
		let records = longer_record().saturating_mul(2);
		let did = Weights::confirm(2).saturating_add(records).saturating_add(Weights::complete(3));
		let checked = Weights::authorize_confirm(2).saturating_add(records);
		let all = did.saturating_add(checked).ref_time();
		assert_eq!(ConfirmationWeight::<Test>::get() - before, all);
		assert!(declared.all_gte(did), "{declared}");
	});
}

#[test]
fn a_completed_swap_weighs_more_than_a_first_completion() {
	new_test_ext().execute_with(|| {
		type Weights = <Test as crate::Config>::WeightInfo;
		use crate::WeightInfo;
		make_registered(&ALICE, &ed25519(1));
		let new = ed25519(2);
		assert_ok!(swap(&ALICE, &new));
		confirm_all(&new, &ALICE, 2, &[1, 2, 11, 12]);
		let before = ConfirmationWeight::<Test>::get();
		assert_eq!(apply(&confirmation(21, vec![prove(&new, &ALICE, 2, 21)])), Ok(Ok(())));
		assert_eq!(key_of(&ALICE).map(|key| key.key.generation), Some(2));
		let all = Weights::authorize_confirm(1)
			.saturating_add(Weights::confirm(1))
			.saturating_add(longer_record().saturating_mul(2))
			.saturating_add(Weights::complete_swap(3));
		assert_eq!(ConfirmationWeight::<Test>::get() - before, all.ref_time());
	});
}

#[test]
fn a_seat_taken_again_confers_no_confirmation() {
	new_test_ext().execute_with(|| {
		make_registered(&ALICE, &ed25519(1));
		let seat_of = |number| pallet_subgroups::MemberOf::<Test>::get(server(number));
		let seat = seat_of(2).expect("a member");
		// Through every seat of the subgroup, until another server sits where the second one sat.
		let mut now = 2;
		for next in 30..70 {
			assert!(move_server(2, next));
			now = next;
			if seat_of(now) == Some(seat) {
				break;
			}
		}
		assert_eq!(seat_of(now), Some(seat), "seats are used again");
		let coverage = Registration::account_info(&ALICE).registered.expect("").coverage.remove(0);
		assert!(coverage.members.contains(&server(now)));
		assert_eq!(coverage.confirmed, [server(1)]);
	});
}

#[test]
fn quorums_are_two_thirds_rounded_up_and_none_for_nobody() {
	let quorums: Vec<_> = (0..=7).map(Registration::quorum).collect();
	assert_eq!(quorums, [None, Some(1), Some(2), Some(2), Some(3), Some(4), Some(4), Some(5)]);
}
