//! Leaving.

use super::{
	last_event,
	publishing::{held, publish},
};
use crate::{mock::*, Error, Event, ServerAccounts, Servers, Withdrawing};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

/// What is held for what is never removed: the entries that say whose a server account was, and which
/// subgroup its validator was in.
const STAYS: u64 = (100 + 64) + (100 + 33);

fn withdraw(number: u8) -> sp_runtime::DispatchResult {
	Subgroups::withdraw_server(RuntimeOrigin::signed(validator(number)))
}

#[test]
fn who_is_no_member_leaves_at_once() {
	new_test_ext().execute_with(|| {
		assert_ok!(publish(9, &validator(9), server(9)));
		assert_ok!(withdraw(9));
		assert_eq!(held(&validator(9)), STAYS, "for what stays");
		assert!(!Servers::<Test>::contains_key(validator(9)));
		let server = server(9).account;
		assert_eq!(last_event(), Event::ServerWithdrawn { validator: validator(9), server }.into());
		assert_noop!(withdraw(9), Error::<Test>::NoServer);
		assert_noop!(Subgroups::withdraw_server(RuntimeOrigin::root()), DispatchError::BadOrigin);
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn a_member_leaves_at_the_end_of_its_last_session() {
	new_test_ext().execute_with(|| {
		join(5, 1);
		let deposit = held(&validator(5));
		assert_ok!(withdraw(5));
		assert_eq!(last_event(), Event::ServerWithdrawing { validator: validator(5) }.into());
		assert_noop!(withdraw(5), Error::<Test>::AlreadyWithdrawing);
		assert_eq!(held(&validator(5)), deposit);
		assert!(seat(5).is_some(), "its share is still counted on");
		pass(2);
		assert_eq!(seat(5), None);
		assert!(!Servers::<Test>::contains_key(validator(5)));
		assert_eq!(held(&validator(5)), STAYS);
		assert!(!Withdrawing::<Test>::contains_key(validator(5)));
		// Whose the keys were is never forgotten.
		assert!(ServerAccounts::<Test>::contains_key(server(5).account));
		assert_noop!(publish(5, &validator(6), server(5)), Error::<Test>::ServerAccountInUse);
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn who_is_about_to_be_a_member_leaves_after_it_was_one() {
	new_test_ext().execute_with(|| {
		assign(5, 1);
		pass(1);
		assert_ok!(withdraw(5));
		assert!(Servers::<Test>::contains_key(validator(5)));
		pass(1);
		assert!(seat(5).is_some());
		pass(1);
		assert!(!Servers::<Test>::contains_key(validator(5)));
	});
}

#[test]
fn publishing_again_takes_the_withdrawal_back() {
	new_test_ext().execute_with(|| {
		assert_ok!(withdraw(1));
		assert_ok!(publish(1, &validator(1), server(1)));
		pass(3);
		assert_eq!(seat(1).expect("a member").subgroup, 0);
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn a_sole_member_that_withdraws_keeps_its_server_until_another_one_is_ready() {
	new_test_ext().execute_with(|| {
		assert_ok!(withdraw(2));
		pass(3);
		assert!(!Session::validators().contains(&validator(2)));
		assert!(Servers::<Test>::contains_key(validator(2)) && seat(2).is_some());
		join(5, 1);
		make_ready(5);
		pass(1);
		assert!(!Servers::<Test>::contains_key(validator(2)) && seat(2).is_none());
		assert_ok!(Subgroups::check_state());
	});
}
