//! Membership through joins, leaves and returns.

use super::publishing::{last_event, publish};
use crate::{mock::*, Assignments, Barred, Error, Event, Joining, Subgroups as Members};
use frame_support::{assert_noop, assert_ok};
use keyshare_primitives::{membership::SubgroupMembership, AccountId, SubgroupId};
use pallet_session::historical;
use rand::{rngs::StdRng, seq::SliceRandom, Rng, SeedableRng};
use sp_runtime::{DispatchError, Perbill};
use sp_staking::offence::{OffenceDetails, OnOffenceHandler};
use std::collections::BTreeMap;

fn members(subgroup: SubgroupId) -> Vec<AccountId> {
	Members::<Test>::get(subgroup).into_inner()
}

fn has_happened(event: Event<Test>) -> bool {
	System::events().into_iter().any(|record| record.event == event.clone().into())
}

/// Publishes the server of each number as its validator's.
fn publish_all(numbers: impl IntoIterator<Item = u8>) {
	for number in numbers {
		assert_ok!(publish(number, &validator(number), server(number)));
	}
}

#[test]
fn a_newcomer_goes_to_the_smallest_subgroup_and_of_several_to_the_first() {
	new_test_ext().execute_with(|| {
		publish_all([5, 6, 7]);
		elect([1, 2, 3, 4, 5, 6, 7]);
		// Two, one and one members before.
		assert_eq!(members(0), [1, 4, 7].map(validator));
		assert_eq!(members(1), [2, 5].map(validator));
		assert_eq!(members(2), [3, 6].map(validator));
		let joined =
			|number, subgroup| Event::MemberJoined { validator: validator(number), subgroup };
		assert!(
			has_happened(joined(5, 1)) && has_happened(joined(6, 2)) && has_happened(joined(7, 0))
		);
		assert_eq!(Subgroups::member_of(&server(5).account), Some(1));
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn who_joins_a_running_chain_is_syncing_and_who_was_there_is_ready() {
	new_test_ext().execute_with(|| {
		publish_all([5]);
		elect([1, 2, 3, 4, 5]);
		assert_eq!(Joining::<Test>::get(validator(5)), Some(Session::current_index()));
		assert_eq!(Joining::<Test>::iter().count(), 1);
	});
}

#[test]
fn nobody_is_selected_without_server_or_session_keys() {
	new_test_ext().execute_with(|| {
		publish_all([40]);
		elect([1, 2, 3, 4, 5, 40]);
		let expected: Vec<_> = (1..=4).map(validator).collect();
		assert_eq!(Session::validators(), expected);
		publish_all([5]);
		pass(2);
		assert_eq!(Session::validators().len(), 5, "a server makes it eligible");
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn who_returns_goes_back_even_if_another_subgroup_is_smaller() {
	new_test_ext().execute_with(|| {
		publish_all([5, 6]);
		elect([1, 2, 3, 5, 6]);
		assert_eq!(members(0), [1, 5].map(validator), "4 has left, and its place was the smallest");
		assert!(has_happened(Event::MemberLeft { validator: validator(4), subgroup: 0 }));
		assert_eq!(Subgroups::member_of(&server(4).account), None);
		assert_eq!([0, 1, 2].map(Subgroups::size), [2, 2, 1]);
		elect([1, 2, 3, 4, 5, 6]);
		assert_eq!(members(0), [1, 5, 4].map(validator));
		assert_eq!(Subgroups::size(2), 1);
		assert!(Joining::<Test>::contains_key(validator(4)), "it may have missed shares");
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn a_full_subgroup_takes_nobody_back_and_who_stays_comes_first() {
	new_test_ext().execute_with(|| {
		publish_all(5..=10);
		elect([1, 2, 3]);
		// 4 belongs to the first subgroup, which fills up while it is away.
		elect([1, 2, 3, 5, 6, 7, 8, 9, 10]);
		assert_eq!([0, 1, 2].map(Subgroups::size), [MAX_MEMBERS; 3]);
		elect([4, 1, 2, 3, 5, 6, 7, 8, 9, 10]);
		assert!(!members(0).contains(&validator(4)));
		assert!(!Session::validators().contains(&validator(4)), "no validator without a subgroup");
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn a_subgroup_left_empty_is_an_alarm() {
	new_test_ext().execute_with(|| {
		elect([1, 2, 4]);
		assert!(has_happened(Event::SubgroupEmptied { subgroup: 2 }));
		System::reset_events();
		pass(2);
		assert!(!has_happened(Event::SubgroupEmptied { subgroup: 2 }), "once is enough");
	});
}

#[test]
fn a_chain_never_loses_its_last_validators() {
	new_test_ext().execute_with(|| {
		elect([5, 6]);
		assert_eq!(Session::validators().len(), 4);
		elect([]);
		assert_eq!(Session::validators().len(), 4);
	});
}

#[test]
fn only_so_many_validators_are_remembered() {
	new_test_ext().execute_with(|| {
		for number in 100..u8::MAX {
			if Assignments::<Test>::count() == MAX_ASSIGNMENTS {
				break;
			}
			Assignments::<Test>::insert(validator(number), 0);
		}
		publish_all([5]);
		elect([1, 2, 3, 4, 5]);
		assert!(!Session::validators().contains(&validator(5)));
		Assignments::<Test>::remove(validator(100));
		pass(2);
		assert!(Session::validators().contains(&validator(5)));
	});
}

#[test]
fn unchanged_validators_are_no_new_set() {
	new_test_ext().execute_with(|| {
		pass(2);
		System::reset_events();
		pass(1);
		let queued = RuntimeEvent::Session(pallet_session::Event::NewQueued);
		assert!(!System::events().into_iter().any(|record| record.event == queued));
	});
}

fn equivocates(number: u8) {
	let offender = (validator(number), ());
	Subgroups::on_offence(
		&[OffenceDetails { offender, reporters: Vec::new() }],
		&[Perbill::one()],
		Session::current_index(),
	);
}

#[test]
fn who_equivocates_is_out_until_readmitted() {
	new_test_ext().execute_with(|| {
		pass(2);
		let session = Session::current_index();
		equivocates(2);
		assert_eq!(Disabled::get(), [1], "it makes no more blocks in this session");
		assert_eq!(
			last_event(),
			Event::ValidatorBarred { validator: validator(2), session }.into()
		);
		pass(2);
		assert!(!Session::validators().contains(&validator(2)));
		assert_eq!(Subgroups::size(1), 0);
		// A second report says nothing new.
		System::reset_events();
		equivocates(2);
		assert!(System::events().is_empty());

		assert_noop!(
			Subgroups::readmit(RuntimeOrigin::signed(validator(2)), validator(2)),
			DispatchError::BadOrigin
		);
		assert_noop!(
			Subgroups::readmit(RuntimeOrigin::root(), validator(1)),
			Error::<Test>::NotBarred
		);
		assert_ok!(Subgroups::readmit(RuntimeOrigin::root(), validator(2)));
		assert_eq!(last_event(), Event::ValidatorReadmitted { validator: validator(2) }.into());
		assert!(!Barred::<Test>::contains_key(validator(2)));
		pass(2);
		assert_eq!(members(1), [2].map(validator));
	});
}

#[test]
fn validators_of_old_sessions_are_forgotten() {
	new_test_ext().execute_with(|| {
		pass(6);
		let (first, _) = historical::StoredRange::<Test>::get().expect("some are kept");
		assert_eq!(first, Session::current_index() - 2);
	});
}

/// Invariant 3, through a thousand changes: nobody is ever in a second subgroup, and a newcomer
/// goes where there are fewest.
#[test]
fn a_thousand_joins_and_leaves() {
	const NUMBERS: std::ops::RangeInclusive<u8> = 1..=30;
	let mut rng = StdRng::seed_from_u64(7);
	new_test_ext().execute_with(|| {
		publish_all(5..=*NUMBERS.end());
		let mut homes = BTreeMap::<AccountId, SubgroupId>::new();
		let mut elected: Vec<u8> = (1..=4).collect();
		for _ in 0..1_000 {
			let number = rng.gen_range(NUMBERS);
			match elected.iter().position(|other| *other == number) {
				Some(at) if elected.len() > 1 => drop(elected.remove(at)),
				Some(_) => {}
				None => elected.push(number),
			}
			elected.shuffle(&mut rng);
			elect(elected.iter().copied());
			let members = Subgroups::current_members();
			let newcomers: Vec<_> =
				members.iter().filter(|(member, _)| !homes.contains_key(*member)).collect();
			if let [(_, subgroup)] = newcomers.as_slice() {
				let mut sizes = [0, 1, 2].map(Subgroups::size);
				sizes[usize::from(**subgroup)] -= 1;
				let smallest = sizes.iter().min().copied();
				assert_eq!(Some(sizes[usize::from(**subgroup)]), smallest);
			}
			for (member, subgroup) in members {
				let home = *homes.entry(member.clone()).or_insert(subgroup);
				assert_eq!(home, subgroup, "{member} moved");
			}
			assert_ok!(Subgroups::check_state());
			System::reset_events();
		}
		assert!(homes.len() > 9, "more than there is room for at a time");
	});
}
