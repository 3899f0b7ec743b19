//! Thousands of random changes, after each of which everything fits together.

use crate::{mock::*, Barred, Operators};
use keyshare_primitives::{
	membership::{Ended, Hearing, SubgroupMembership},
	AccountId, SubgroupId,
};
use rand::{rngs::StdRng, Rng, SeedableRng};
use std::collections::BTreeMap;

/// One random call or event; most of them are refused.
fn something_happens(rng: &mut StdRng, made: &mut usize) {
	let number: u8 = rng.gen_range(1..=20);
	let who = RuntimeOrigin::signed(validator(number));
	// Mostly one of the same operator, so that some get as far as being ready members.
	let subgroup: SubgroupId = if rng.gen_ratio(4, 5) { number % 3 } else { rng.gen_range(0..3) };
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
			let hearings = vec![Hearing { subgroup, expected, heard }];
			let of = |user| Ended { user: validator(user), hearings: hearings.clone() };
			let batch: Vec<_> = (0..rng.gen_range(1..=12)).map(of).collect();
			Subgroups::hear(&batch, System::block_number());
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
fn thousands_of_changes_of_operators_and_validators() {
	let runs: Vec<_> = (0..2).map(changes).collect();
	assert!(runs.iter().all(|run| run.made > 1_000), "enough of it is possible: {runs:?}");
	assert!(runs.iter().any(|run| run.syncing_again > 0), "nobody becomes syncing again: {runs:?}");
	assert!(
		runs.iter().any(|run| run.members > 9),
		"more than there is room for at a time: {runs:?}"
	);
}

/// What four thousand changes came to.
#[derive(Debug, Default)]
struct Run {
	/// Calls that were not refused.
	made: usize,
	/// How often a member became syncing again.
	syncing_again: usize,
	/// Validators that were ever members.
	members: usize,
}

fn changes(seed: u64) -> Run {
	let mut rng = StdRng::seed_from_u64(seed);
	new_test_ext().execute_with(|| {
		let mut homes = BTreeMap::<AccountId, SubgroupId>::new();
		let (mut run, mut forced) = (Run::default(), [false; 3]);
		for step in 0..4_000 {
			let before = [0, 1, 2].map(ready_and_all);
			something_happens(&mut rng, &mut run.made);
			for (subgroup, (ready_before, all_before)) in (0u8..).zip(before) {
				let (ready, all) = ready_and_all(subgroup);
				let entry = Operators::<Test>::get(operator(subgroup)).expect("it was admitted");
				let force = entry.dismissed() == Some(true);
				let forced = &mut forced[usize::from(subgroup)];
				*forced = force || *forced && ready == 0;
				assert!(ready > 0 || ready_before == 0 || *forced, "step {step}: nobody is ready");
				assert!(all > 0 || all_before == 0 || *forced, "step {step}: nobody is left");
				run.syncing_again += usize::from(ready < ready_before && all == all_before);
			}
			for (member, subgroup) in Subgroups::current_members() {
				let home = *homes.entry(member.clone()).or_insert(subgroup);
				assert_eq!(home, subgroup, "{member} moved");
			}
			assert_eq!(Subgroups::check_state(), Ok(()), "after step {step}");
		}
		run.members = homes.len();
		run
	})
}
