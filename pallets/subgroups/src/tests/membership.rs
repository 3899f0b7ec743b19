//! Membership through joins, leaves and returns.

use super::{has_happened, members, size};
use crate::{mock::*, Barred, Event, Joining, Kept};
use frame_support::assert_ok;
use keyshare_primitives::api::Membership;

#[test]
fn a_newcomer_goes_to_the_subgroup_of_its_operator() {
	new_test_ext().execute_with(|| {
		join(5, 0);
		// The biggest one, where its operator is.
		assert_eq!(members(0), [1, 4, 5].map(validator));
		let event = Event::MemberJoined { validator: validator(5), subgroup: 0 };
		assert!(has_happened(event));
		assert_eq!(seat(5).expect("a member").subgroup, 0);
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn who_joins_a_running_chain_is_syncing_and_who_was_there_is_ready() {
	new_test_ext().execute_with(|| {
		join(5, 1);
		assert_eq!(Joining::<Test>::iter_keys().collect::<Vec<_>>(), vec![validator(5)]);
		assert_eq!(masks(1), (0b11, 0b01));
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn nobody_is_selected_without_server_or_session_keys() {
	new_test_ext().execute_with(|| {
		// Number 40 has a server and no session keys, number 6 keys and no server.
		join(40, 1);
		assert_ok!(Subgroups::assign(RuntimeOrigin::signed(operator(1)), validator(6)));
		assert_ok!(Subgroups::accept(RuntimeOrigin::signed(validator(6)), operator(1)));
		pass(2);
		assert_eq!(Session::validators(), [1, 2, 3, 4].map(validator));
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn who_returns_goes_back() {
	new_test_ext().execute_with(|| {
		leave(4);
		pass(2);
		assert_eq!(members(0), [1].map(validator));
		assert!(has_happened(Event::MemberLeft { validator: validator(4), subgroup: 0 }));
		assert_eq!(seat(4), None);
		join(4, 0);
		assert_eq!(members(0), [1, 4].map(validator));
		assert!(Joining::<Test>::contains_key(validator(4)), "it may have missed shares");
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn a_sole_member_that_leaves_stays_until_another_one_is_ready() {
	new_test_ext().execute_with(|| {
		leave(2);
		pass(2);
		assert!(!Session::validators().contains(&validator(2)));
		assert_eq!(members(1), [2].map(validator));
		assert_eq!(
			Subgroups::validator_info(&validator(2)).membership,
			Membership::Kept { ready: true }
		);
		// A newcomer holds nothing yet.
		join(5, 1);
		assert_eq!(members(1), [2, 5].map(validator));
		make_ready(5);
		pass(1);
		assert_eq!(members(1), [5].map(validator));
		assert!(!Kept::<Test>::contains_key(validator(2)));
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn a_member_that_was_kept_and_comes_back_is_what_it_was() {
	new_test_ext().execute_with(|| {
		leave(2);
		pass(2);
		let before = masks(1);
		join(2, 1);
		assert_eq!(masks(1), before, "it has been ready all the time");
		assert!(Session::validators().contains(&validator(2)));
		assert_eq!(Subgroups::validator_info(&validator(2)).membership, Membership::Ready);
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn a_sole_member_that_is_barred_stays_a_member() {
	new_test_ext().execute_with(|| {
		Barred::<Test>::insert(validator(2), 0);
		pass(2);
		assert!(!Session::validators().contains(&validator(2)));
		assert_eq!(size(1), 1);
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn all_that_leave_at_once_stay_if_they_are_ready() {
	new_test_ext().execute_with(|| {
		join(5, 0);
		leave(1);
		leave(4);
		pass(2);
		// The one that does not leave has not fetched the shares yet.
		assert_eq!(members(0), [1, 4, 5].map(validator));
		make_ready(5);
		pass(1);
		assert_eq!(members(0), [5].map(validator));
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn a_syncing_member_that_leaves_is_not_kept_beside_one_that_stays() {
	new_test_ext().execute_with(|| {
		join(5, 1);
		leave(5);
		pass(2);
		assert_eq!(members(1), [2].map(validator));
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn a_sole_member_that_still_syncs_is_kept_beside_a_newcomer() {
	new_test_ext().execute_with(|| {
		// It has changed its account beside a ready member that has left since.
		join(5, 1);
		make_ready(5);
		assert_ok!(super::publishing::publish(9, &validator(2), server(9)));
		leave(5);
		pass(2);
		assert_eq!(masks(1).1.count_ones(), 1, "the one that left is kept");
		make_ready(2);
		pass(1);
		assert_eq!(members(1), [2].map(validator));
		make_syncing(2);
		// Now nobody is ready; it leaves, and a newcomer joins, which can have the shares of it alone.
		leave(2);
		join(6, 1);
		assert_eq!(members(1), [2, 6].map(validator));
		let info = Subgroups::validator_info(&validator(2));
		assert_eq!(info.membership, Membership::Kept { ready: false });
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn members_that_are_kept_leave_a_seat_for_a_newcomer() {
	new_test_ext().execute_with(|| {
		let admit = |operator, called: &str, seats| {
			Subgroups::admit(RuntimeOrigin::root(), operator, name(called), 0, seats)
		};
		assert_ok!(admit(operator(0), "Operator 0", MAX_MEMBERS));
		(5..=8).for_each(|number| assign(number, 0));
		pass(2);
		(5..=7).for_each(make_ready);
		assert_eq!(size(0), MAX_MEMBERS as usize);
		assert_ok!(Subgroups::dismiss(RuntimeOrigin::root(), operator(0), false));
		pass(2);
		assert_eq!(members(0), [1, 4, 5, 6, 7].map(validator), "the one that is syncing goes");
		let other = validator(210);
		assert_ok!(admit(other.clone(), "Another", 1));
		assert_ok!(Subgroups::publish_server(
			RuntimeOrigin::signed(validator(9)),
			server(9),
			proof(9, &validator(9), &server(9))
		));
		assert_ok!(Subgroups::assign(RuntimeOrigin::signed(other.clone()), validator(9)));
		assert_ok!(Subgroups::accept(RuntimeOrigin::signed(validator(9)), other));
		pass(2);
		assert_eq!(members(0), [1, 4, 5, 6, 7, 9].map(validator));
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn a_chain_never_loses_its_last_validators() {
	new_test_ext().execute_with(|| {
		(1..=4).for_each(leave);
		pass(3);
		assert_eq!(Session::validators().len(), 4);
		assert_eq!([0, 1, 2].map(size), [2, 1, 1]);
		assert_ok!(Subgroups::check_state());
	});
}
