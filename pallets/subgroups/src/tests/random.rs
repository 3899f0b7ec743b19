//! A thousand random changes, after each of which everything fits together.

use crate::{mock::*, Barred, Operators};
use frame_support::assert_ok;
use keyshare_primitives::{
	membership::{Hearing, SubgroupMembership},
	AccountId, SubgroupId,
};
use rand::{rngs::StdRng, Rng, SeedableRng};
use std::collections::BTreeMap;

/// One random call or event; most of them are refused.
fn something_happens(rng: &mut StdRng, made: &mut usize) {
	let number: u8 = rng.gen_range(1..=20);
	let who = RuntimeOrigin::signed(validator(number));
	let subgroup: SubgroupId = rng.gen_range(0..3);
	let of = RuntimeOrigin::signed(operator(subgroup));
	let done = match rng.gen_range(0..22) {
		0 => {
			let info = server(rng.gen_range(number..=number.saturating_add(60)));
			super::publishing::publish_any(&validator(number), info)
		}
		1 => Subgroups::withdraw_server(who),
		2 | 3 => Subgroups::assign(of, validator(number)),
		4 => Subgroups::unassign(of, validator(number)),
		5..=7 => Subgroups::accept(who, operator(subgroup)),
		8 => Subgroups::leave(who),
		9 => {
			let called = name(&format!("Operator {subgroup}"));
			let seats = rng.gen_range(1..=4);
			let root = RuntimeOrigin::root();
			Subgroups::admit(root, operator(subgroup), called, subgroup, seats)
		}
		10 if rng.gen_ratio(1, 5) => {
			Subgroups::dismiss(RuntimeOrigin::root(), operator(subgroup), rng.gen())
		}
		11 if rng.gen_ratio(1, 5) => {
			Barred::<Test>::insert(validator(number), 1);
			Ok(())
		}
		12 => Subgroups::readmit(RuntimeOrigin::root(), validator(number)),
		13 => Subgroups::back(of, validator(number)),
		14 | 15 => {
			let (expected, heard) = (rng.gen(), rng.gen_range(0..64));
			let hearing = Hearing { subgroup, expected, heard };
			let (user, now) = (validator(rng.gen()), System::block_number());
			Subgroups::hear(&user, &[hearing], now);
			Ok(())
		}
		_ => {
			let members: Vec<_> = Subgroups::current_members().into_keys().collect();
			if let Some(member) = members.get(rng.gen_range(0..=members.len())) {
				Subgroups::make_ready(member);
			}
			Ok(())
		}
	};
	*made += usize::from(done.is_ok());
	let silent: u8 = rng.gen_range(1..=20);
	pass_without(rng.gen_range(0..=2), &[silent]);
	System::reset_events();
}

/// How many members of a subgroup are ready, and how many there are.
fn ready_and_all(subgroup: SubgroupId) -> (u32, u32) {
	let masks = Subgroups::masks();
	(masks.ready(subgroup), masks.size(subgroup))
}

/// Nobody is ever in a second subgroup; and no subgroup loses its last member, or its last ready one,
/// but by force.
#[test]
fn a_thousand_changes_of_operators_and_validators() {
	let mut rng = StdRng::seed_from_u64(7);
	new_test_ext().execute_with(|| {
		let mut homes = BTreeMap::<AccountId, SubgroupId>::new();
		let mut made = 0;
		let (mut forced, mut syncing_again) = ([false; 3], 0);
		for step in 0..1_000 {
			let before = [0, 1, 2].map(ready_and_all);
			something_happens(&mut rng, &mut made);
			for (subgroup, (ready_before, all_before)) in (0u8..).zip(before) {
				let (ready, all) = ready_and_all(subgroup);
				let entry = Operators::<Test>::get(operator(subgroup)).expect("it was admitted");
				let force = entry.dismissed() == Some(true);
				let forced = &mut forced[usize::from(subgroup)];
				*forced = force || *forced && ready == 0;
				assert!(ready > 0 || ready_before == 0 || *forced, "step {step}: nobody is ready");
				assert!(all > 0 || all_before == 0 || *forced, "step {step}: nobody is left");
				syncing_again += usize::from(ready < ready_before && all == all_before);
			}
			for (member, subgroup) in Subgroups::current_members() {
				let home = *homes.entry(member.clone()).or_insert(subgroup);
				assert_eq!(home, subgroup, "{member} moved");
			}
			assert_eq!(Subgroups::check_state(), Ok(()), "after step {step}");
		}
		assert!(made > 300, "enough of it is possible: {made}");
		assert!(syncing_again > 0, "no member ever becomes syncing again");
		assert!(homes.len() > 9, "more than there is room for at a time: {}", homes.len());
		assert_ok!(Subgroups::check_state());
	});
}
