//! One module for each subject.

mod genesis;
mod idle;
mod membership;
mod operators;
mod publishing;
mod random;
mod readiness;
mod seats;
mod sessions;
mod silence;
mod withdrawing;

use crate::{mock::*, Event};
use keyshare_primitives::{AccountId, SubgroupId};

/// The validators that are members of a subgroup, in the order in which they joined.
fn members(subgroup: SubgroupId) -> Vec<AccountId> {
	crate::Subgroups::<Test>::get(subgroup).into_inner()
}

fn size(subgroup: SubgroupId) -> usize {
	members(subgroup).len()
}

fn last_event() -> RuntimeEvent {
	System::events().pop().expect("an event").event
}

fn has_happened(event: Event<Test>) -> bool {
	System::events().into_iter().any(|record| record.event == event.clone().into())
}
