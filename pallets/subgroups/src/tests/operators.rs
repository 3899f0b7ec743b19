//! Who is admitted, and whose validators are whose.

use super::{has_happened, last_event, members, size};
use crate::{mock::*, AdmissionDelay, Assignments, Error, Event, Operators};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult};
use keyshare_primitives::{
	api::{Obstacle, OperatorStanding},
	AccountId, SubgroupId,
};
use sp_runtime::DispatchError;

/// An operator that is not there from the beginning.
fn newcomer() -> AccountId {
	AccountId::new([220; 32])
}

fn admit(operator: &AccountId, called: &str, subgroup: SubgroupId, seats: u32) -> DispatchResult {
	Subgroups::admit(RuntimeOrigin::root(), operator.clone(), name(called), subgroup, seats)
}

fn dismiss(operator: &AccountId, force: bool) -> DispatchResult {
	Subgroups::dismiss(RuntimeOrigin::root(), operator.clone(), force)
}

fn assign_as(operator: &AccountId, number: u8) -> DispatchResult {
	Subgroups::assign(RuntimeOrigin::signed(operator.clone()), validator(number))
}

fn accept(number: u8, operator: &AccountId) -> DispatchResult {
	Subgroups::accept(RuntimeOrigin::signed(validator(number)), operator.clone())
}

fn standing(operator: &AccountId) -> (OperatorStanding, u32) {
	let mut infos = Subgroups::operator_infos().into_iter();
	let info = infos.find(|info| info.account == *operator).expect("it is there");
	(info.standing, info.seats)
}

#[test]
fn a_bond_buys_no_place() {
	new_test_ext().execute_with(|| {
		// Session keys, a server, and all the money there is.
		assert_ok!(super::publishing::publish(5, &validator(5), server(5)));
		pass(4);
		assert!(!Session::validators().contains(&validator(5)));
		assert_eq!(Subgroups::obstacles(&validator(5)), vec![Obstacle::NoOperator]);
	});
}

#[test]
fn only_who_may_admit_admits_and_dismisses() {
	new_test_ext().execute_with(|| {
		for who in [RuntimeOrigin::signed(operator(0)), RuntimeOrigin::none()] {
			assert_noop!(
				Subgroups::admit(who.clone(), newcomer(), name("New"), 0, 1),
				DispatchError::BadOrigin
			);
			assert_noop!(Subgroups::dismiss(who, operator(1), true), DispatchError::BadOrigin);
		}
	});
}

#[test]
fn an_operator_has_the_subgroup_it_was_admitted_to_for_ever() {
	new_test_ext().execute_with(|| {
		assert_ok!(admit(&newcomer(), "New", 1, 2));
		let event = Event::OperatorAdmitted {
			operator: newcomer(),
			name: name("New"),
			subgroup: 1,
			seats: 2,
			from: 1,
		};
		assert_eq!(last_event(), event.into());
		assert_noop!(admit(&newcomer(), "New", 2, 2), Error::<Test>::OperatorOfAnotherSubgroup);
		assert_ok!(dismiss(&newcomer(), true));
		assert_noop!(admit(&newcomer(), "New", 2, 2), Error::<Test>::OperatorOfAnotherSubgroup);
		assert_ok!(admit(&newcomer(), "New", 1, 2));
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn names_are_readable_and_unique_in_whatever_case() {
	new_test_ext().execute_with(|| {
		for bad in ["", " a", "a ", "a  b", "a\tb", "\u{e9}", "a\u{200b}b"] {
			assert_noop!(admit(&newcomer(), bad, 0, 1), Error::<Test>::InvalidName);
		}
		assert_noop!(admit(&newcomer(), "OPERATOR 1", 0, 1), Error::<Test>::NameTaken);
		assert_ok!(admit(&newcomer(), "New", 0, 1));
		// A new name frees the old one.
		assert_ok!(admit(&newcomer(), "Newer", 0, 1));
		assert_ok!(admit(&operator(1), "new", 1, SEATS));
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn there_are_no_more_seats_than_can_be_sat_on() {
	new_test_ext().execute_with(|| {
		assert_noop!(admit(&newcomer(), "New", 0, 0), Error::<Test>::NoSeats);
		assert_noop!(admit(&newcomer(), "New", 3, 1), Error::<Test>::NoSuchSubgroup);
		// Three of six seats of the subgroup are taken, and nine of fourteen of the set.
		assert_noop!(admit(&newcomer(), "New", 0, 4), Error::<Test>::NoSeatsLeft);
		assert_ok!(admit(&newcomer(), "New", 0, 3));
		let other = AccountId::new([221; 32]);
		assert_noop!(admit(&other, "Other", 1, 3), Error::<Test>::NoSeatsLeft);
		assert_ok!(admit(&other, "Other", 1, 2));
		// A dismissed one's are free again.
		assert_ok!(dismiss(&newcomer(), false));
		assert_ok!(admit(&other, "Other", 1, 3));
		let last = AccountId::new([222; 32]);
		assert_ok!(admit(&last, "Last", 2, 1));
		let too_many = AccountId::new([223; 32]);
		assert_noop!(admit(&too_many, "More", 2, 1), Error::<Test>::TooManyOperators);
	});
}

#[test]
fn an_operator_without_validators_changes_nothing() {
	new_test_ext().execute_with(|| {
		let before = Session::validators();
		assert_ok!(admit(&newcomer(), "New", 0, 2));
		pass(3);
		assert_eq!(Session::validators(), before);
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn a_stolen_root_key_has_to_wait_for_the_admission_delay() {
	new_test_ext().execute_with(|| {
		AdmissionDelay::<Test>::put(50);
		assert_ok!(admit(&newcomer(), "New", 0, 2));
		let left = OperatorStanding::Pending { from: 51, blocks_left: 50 };
		assert_eq!(standing(&newcomer()), (left, 0));
		assert_ok!(super::publishing::publish(5, &validator(5), server(5)));
		assert_ok!(assign_as(&newcomer(), 5));
		assert_ok!(accept(5, &newcomer()));
		pass(9);
		assert_eq!(System::block_number(), 46);
		assert!(!members(0).contains(&validator(5)), "nobody hands it a share");
		let pending = Obstacle::OperatorPending { from: 51 };
		assert_eq!(Subgroups::obstacles(&validator(5)), vec![pending]);
		// There was time to dismiss it. If nobody did:
		pass(1);
		assert!(!members(0).contains(&validator(5)));
		pass(1);
		assert!(members(0).contains(&validator(5)));
		assert_eq!(standing(&newcomer()), (OperatorStanding::Admitted { since: 51 }, 2));
	});
}

#[test]
fn admitting_again_while_pending_begins_the_delay_anew() {
	new_test_ext().execute_with(|| {
		AdmissionDelay::<Test>::put(50);
		assert_ok!(admit(&newcomer(), "New", 0, 1));
		System::set_block_number(40);
		assert_ok!(admit(&newcomer(), "New", 0, 3));
		let left = OperatorStanding::Pending { from: 90, blocks_left: 50 };
		assert_eq!(standing(&newcomer()), (left, 0));
	});
}

#[test]
fn fewer_seats_are_so_at_once_and_more_after_the_delay() {
	new_test_ext().execute_with(|| {
		AdmissionDelay::<Test>::put(50);
		let of = operator(1);
		assert_ok!(admit(&of, "Operator 1", 1, SEATS + 1));
		assert_eq!(standing(&of).1, SEATS);
		System::set_block_number(51);
		assert_eq!(standing(&of).1, SEATS + 1);
		assert_ok!(admit(&of, "Operator 1", 1, 1));
		assert_eq!(standing(&of), (OperatorStanding::Admitted { since: 0 }, 1));
	});
}

#[test]
fn nobody_has_more_validators_than_seats() {
	new_test_ext().execute_with(|| {
		let of = operator(1);
		assert_ok!(assign_as(&of, 5));
		assert_ok!(assign_as(&of, 6));
		assert_noop!(assign_as(&of, 7), Error::<Test>::NoSeatForValidator);
		assert_ok!(accept(5, &of));
		assert_noop!(assign_as(&of, 7), Error::<Test>::NoSeatForValidator);
		assert_ok!(Subgroups::unassign(RuntimeOrigin::signed(of.clone()), validator(6)));
		assert_ok!(assign_as(&of, 7));
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn with_fewer_seats_the_first_validators_stay() {
	new_test_ext().execute_with(|| {
		join(5, 1);
		make_ready(5);
		assert_ok!(admit(&operator(1), "Operator 1", 1, 1));
		assert_eq!(Subgroups::obstacles(&validator(5)), vec![Obstacle::NoSeat]);
		assert_eq!(Subgroups::obstacles(&validator(2)), vec![]);
		pass(2);
		assert_eq!(members(1), [2].map(validator));
		// If the first cannot be selected, the next one has its seat.
		assert_ok!(Subgroups::withdraw_server(RuntimeOrigin::signed(validator(2))));
		assert_eq!(Subgroups::obstacles(&validator(5)), vec![]);
	});
}

#[test]
fn a_validator_accepts_who_wants_it_and_nobody_else() {
	new_test_ext().execute_with(|| {
		let of = operator(1);
		assert_noop!(accept(5, &of), Error::<Test>::NotAssigned);
		assert_noop!(accept(5, &newcomer()), Error::<Test>::NotAnOperator);
		assert_noop!(assign_as(&newcomer(), 5), Error::<Test>::NotAnOperator);
		assert_ok!(assign_as(&of, 5));
		assert_eq!(Subgroups::obstacles(&validator(5)).last(), Some(&Obstacle::NoOperator));
		assert_eq!(Subgroups::validator_info(&validator(5)).assigned_by, vec![of.clone()]);
		assert_noop!(assign_as(&of, 5), Error::<Test>::AlreadyAssigned);
		assert_ok!(accept(5, &of));
		assert_eq!(
			last_event(),
			Event::ValidatorAccepted { operator: of.clone(), validator: validator(5) }.into()
		);
		assert_eq!(Subgroups::validator_info(&validator(5)).operator, Some(of.clone()));
		assert_noop!(accept(5, &of), Error::<Test>::NotAssigned);
		assert_noop!(assign_as(&of, 5), Error::<Test>::AlreadyAssigned);
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn a_member_is_never_assigned_across_subgroups() {
	new_test_ext().execute_with(|| {
		assert_noop!(assign_as(&operator(0), 2), Error::<Test>::ValidatorOfAnotherSubgroup);
		// Not even when it was assigned before it became a member.
		assert_ok!(assign_as(&operator(0), 5));
		join(5, 1);
		assert_noop!(accept(5, &operator(0)), Error::<Test>::ValidatorOfAnotherSubgroup);
		// Nor when it has left long ago.
		leave(5);
		pass(3);
		assert_eq!(Assignments::<Test>::get(validator(5)), Some(1));
		assert_noop!(accept(5, &operator(0)), Error::<Test>::ValidatorOfAnotherSubgroup);
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn a_member_changes_to_another_operator_of_its_subgroup() {
	new_test_ext().execute_with(|| {
		assert_ok!(admit(&newcomer(), "New", 1, 2));
		assert_ok!(assign_as(&newcomer(), 2));
		assert_ok!(accept(2, &newcomer()));
		assert!(has_happened(Event::ValidatorLeft {
			operator: operator(1),
			validator: validator(2)
		}));
		pass(3);
		assert_eq!(members(1), [2].map(validator));
		assert!(Session::validators().contains(&validator(2)));
		assert_eq!(Subgroups::member_infos(1)[0].operator, Some(newcomer()));
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn who_has_no_operator_any_more_is_not_selected() {
	new_test_ext().execute_with(|| {
		leave(4);
		assert_noop!(
			Subgroups::leave(RuntimeOrigin::signed(validator(4))),
			Error::<Test>::NoOperator
		);
		pass(2);
		assert!(!Session::validators().contains(&validator(4)));
		assert_eq!(members(0), [1].map(validator));
		assert_noop!(
			Subgroups::unassign(RuntimeOrigin::signed(operator(0)), validator(4)),
			Error::<Test>::NotAssigned
		);
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn the_validators_of_a_dismissed_operator_are_not_selected() {
	new_test_ext().execute_with(|| {
		assert_ok!(admit(&newcomer(), "New", 0, 2));
		assert_ok!(super::publishing::publish(5, &validator(5), server(5)));
		assert_ok!(assign_as(&newcomer(), 5));
		assert_ok!(accept(5, &newcomer()));
		pass(2);
		assert!(members(0).contains(&validator(5)));
		assert_ok!(dismiss(&newcomer(), false));
		assert_noop!(dismiss(&newcomer(), false), Error::<Test>::OperatorDismissed);
		assert_noop!(assign_as(&newcomer(), 6), Error::<Test>::OperatorDismissed);
		assert_noop!(dismiss(&validator(9), false), Error::<Test>::NotAnOperator);
		assert_eq!(Subgroups::obstacles(&validator(5)), vec![Obstacle::OperatorDismissed]);
		pass(2);
		assert_eq!(members(0), [1, 4].map(validator));
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn who_was_selected_and_lost_its_operator_before_its_session_is_no_member() {
	new_test_ext().execute_with(|| {
		assign(5, 1);
		pass(1);
		leave(5);
		pass(1);
		assert!(Session::validators().contains(&validator(5)), "it was selected");
		assert_eq!(members(1), [2].map(validator), "and gets no share");
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn a_sole_member_whose_operator_is_dismissed_stays_until_it_is_forced_out() {
	new_test_ext().execute_with(|| {
		assert_ok!(dismiss(&operator(1), false));
		pass(3);
		assert!(!Session::validators().contains(&validator(2)));
		assert_eq!(members(1), [2].map(validator));
		assert!(has_happened(Event::MemberKept { validator: validator(2), subgroup: 1 }));
		assert_ok!(Subgroups::check_state());
		assert_ok!(dismiss(&operator(1), true));
		assert_noop!(dismiss(&operator(1), true), Error::<Test>::OperatorDismissed);
		pass(1);
		assert_eq!(size(1), 0);
		assert!(has_happened(Event::SubgroupEmptied { subgroup: 1 }));
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn who_left_a_dismissed_operator_is_forced_out_with_it() {
	new_test_ext().execute_with(|| {
		leave(2);
		pass(2);
		assert_eq!(members(1), [2].map(validator));
		assert_ok!(dismiss(&operator(1), true));
		pass(1);
		assert_eq!(size(1), 0);
		assert_eq!(Operators::<Test>::get(operator(1)).expect("it stays").validators.len(), 0);
	});
}
