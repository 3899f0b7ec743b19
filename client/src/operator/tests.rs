//! What the chain would refuse is seen coming, and what was done is seen.

use super::*;
use keyshare_primitives::{
	api::{Later, MemberInfo, Membership},
	EncryptionKey, ServerInfo,
};

const ROOT: AccountId = AccountId::new([0; 32]);
const FIRST: AccountId = AccountId::new([1; 32]);
const SECOND: AccountId = AccountId::new([2; 32]);
const VALIDATOR: AccountId = AccountId::new([7; 32]);
const OTHER_VALIDATOR: AccountId = AccountId::new([8; 32]);

fn operator(account: AccountId, name: &str, subgroup: SubgroupId, seats: u32) -> OperatorInfo {
	OperatorInfo {
		account,
		name: name.as_bytes().to_vec(),
		subgroup,
		standing: OperatorStanding::Admitted { since: 1 },
		seats,
		next_seats: None,
		validators: vec![],
		assigned: vec![],
	}
}

fn dismissed_in(since: u32, operator: OperatorInfo) -> OperatorInfo {
	OperatorInfo { standing: OperatorStanding::Dismissed { since, force: false }, ..operator }
}

fn validator() -> ValidatorInfo {
	ValidatorInfo {
		server: None,
		retired: None,
		session_keys: None,
		subgroup: None,
		membership: Membership::Outside,
		obstacles: vec![],
		operator: None,
		assigned_by: vec![],
	}
}

fn seen<const N: usize>(operators: [OperatorInfo; N]) -> Seen {
	Seen { operators: operators.into(), validator: Some(validator()) }
}

fn admit(operator: AccountId, name: &str, subgroup: SubgroupId, seats: u32) -> OperatorCall {
	OperatorCall::Admit { operator, name: name.into(), subgroup, seats }
}

fn refused(call: &OperatorCall, signer: &AccountId, seen: &Seen) -> Option<String> {
	match call.check(signer, 3, seen) {
		Ok(()) => None,
		Err(Error::Refused(refusal)) => refusal.name,
		Err(other) => Some(format!("another error: {other}")),
	}
}

fn name(name: &str) -> Option<String> {
	Some(format!("Subgroups::{name}"))
}

#[test]
fn arguments_are_in_the_pallets_order() {
	let expected = [&[1; 32][..], &[3 << 2], b"One", &[2], &[4, 0, 0, 0]].concat();
	assert_eq!(admit(FIRST, "One", 2, 4).arguments(), expected);
	let dismiss = OperatorCall::Dismiss { operator: FIRST, force: true };
	assert_eq!(dismiss.arguments(), [&[1; 32][..], &[1]].concat());
	for call in [
		OperatorCall::Assign { validator: VALIDATOR },
		OperatorCall::Unassign { validator: VALIDATOR },
		OperatorCall::Back { validator: VALIDATOR },
	] {
		assert_eq!(call.arguments(), [7; 32]);
		assert!(!call.needs_root());
	}
}

#[test]
fn admission_and_dismissal_are_calls_of_root_and_say_so() {
	let admit = admit(FIRST, "One", 2, 4);
	let dismiss = OperatorCall::Dismiss { operator: FIRST, force: false };
	for call in [&admit, &dismiss] {
		assert!(call.needs_root());
		let words = call.in_words();
		assert!(words.contains("Sudo.sudo(Subgroups.") && words.contains("sudo key"), "{words}");
		let payload = call.dynamic();
		assert_eq!((payload.pallet_name(), payload.call_name()), (SUDO, "sudo"));
	}
	assert!(admit.in_words().contains("subgroup: 2, for ever"));
	assert!(dismiss.in_words().contains("stay in its hands"));
	assert_eq!(check_root(&ROOT, Some(&ROOT)), Ok(()));
	for key in [Some(&FIRST), None] {
		let refusal = check_root(&ROOT, key).expect_err("another key, or none");
		assert_eq!(refusal.name.as_deref(), Some("Sudo::RequireSudo"));
	}
}

#[test]
fn an_admission_is_refused_for_its_input_before_anything_else() {
	let nobody = seen([]);
	for good in ["A", "Some Body, Ltd. (2)", &"x".repeat(32)] {
		assert_eq!(refused(&admit(FIRST, good, 0, 1), &ROOT, &nobody), None, "{good}");
	}
	let long = "x".repeat(33);
	for bad in ["", " a", "a ", "a  b", "a\tb", "a\nb", "é", "a\u{7f}", &long] {
		let result = admit(FIRST, bad, 0, 1).check(&ROOT, 3, &nobody);
		assert!(matches!(result, Err(Error::Input(_))), "{bad:?}");
	}
	for (subgroup, seats) in [(3, 1), (0, 0), (0, 33)] {
		let result = admit(FIRST, "One", subgroup, seats).check(&ROOT, 3, &nobody);
		assert!(matches!(result, Err(Error::Input(_))), "{subgroup} {seats}");
	}
	assert_eq!(refused(&admit(FIRST, "One", 2, 32), &ROOT, &nobody), None);
}

#[test]
fn a_name_is_its_operators_in_whatever_case() {
	let one = operator(FIRST, "One", 0, 4);
	assert_eq!(
		refused(&admit(SECOND, "oNE", 1, 1), &ROOT, &seen([one.clone()])),
		name("NameTaken")
	);
	// Its own it keeps, and a dismissed operator keeps it too.
	assert_eq!(refused(&admit(FIRST, "ONE", 0, 4), &ROOT, &seen([one.clone()])), None);
	let dismissed = seen([dismissed_in(5, one)]);
	assert_eq!(refused(&admit(SECOND, "One", 1, 1), &ROOT, &dismissed), name("NameTaken"));
}

#[test]
fn an_operator_stays_in_its_subgroup_for_ever() {
	let before = seen([dismissed_in(5, operator(FIRST, "One", 0, 4))]);
	let moved = admit(FIRST, "One", 1, 4);
	assert_eq!(refused(&moved, &ROOT, &before), name("OperatorOfAnotherSubgroup"));
	assert_eq!(refused(&admit(FIRST, "One", 0, 4), &ROOT, &before), None);
}

#[test]
fn a_subgroup_has_thirty_two_seats() {
	let later = Later { value: 28, from: 9, blocks_left: 3 };
	let growing = OperatorInfo { next_seats: Some(later), ..operator(FIRST, "One", 0, 4) };
	let of_one = seen([growing.clone()]);
	assert_eq!(refused(&admit(SECOND, "Two", 0, 4), &ROOT, &of_one), None);
	assert_eq!(refused(&admit(SECOND, "Two", 0, 5), &ROOT, &of_one), name("NoSeatsLeft"));
	assert_eq!(refused(&admit(SECOND, "Two", 1, 32), &ROOT, &of_one), None);
	let dismissed = seen([dismissed_in(5, growing)]);
	assert_eq!(refused(&admit(SECOND, "Two", 0, 32), &ROOT, &dismissed), None);
}

#[test]
fn only_an_operator_with_a_seat_left_assigns() {
	let assign = OperatorCall::Assign { validator: VALIDATOR };
	let one = operator(FIRST, "One", 1, 1);
	assert_eq!(refused(&assign, &FIRST, &seen([])), name("NotAnOperator"));
	assert_eq!(refused(&assign, &FIRST, &seen([one.clone()])), None);
	let dismissed = seen([dismissed_in(3, one.clone())]);
	assert_eq!(refused(&assign, &FIRST, &dismissed), name("OperatorDismissed"));
	let full = OperatorInfo { assigned: vec![OTHER_VALIDATOR], ..one.clone() };
	assert_eq!(refused(&assign, &FIRST, &seen([full])), name("NoSeatForValidator"));
	// One that waits to be in force may assign already.
	let waiting = OperatorInfo {
		standing: OperatorStanding::Pending { from: 9, blocks_left: 4 },
		seats: 0,
		next_seats: Some(Later { value: 1, from: 9, blocks_left: 4 }),
		..one.clone()
	};
	assert_eq!(refused(&assign, &FIRST, &seen([waiting])), None);
	let mut elsewhere = seen([one]);
	elsewhere.validator = Some(ValidatorInfo { subgroup: Some(2), ..validator() });
	assert_eq!(refused(&assign, &FIRST, &elsewhere), name("ValidatorOfAnotherSubgroup"));
}

#[test]
fn only_what_is_there_is_taken_back() {
	let unassign = OperatorCall::Unassign { validator: VALIDATOR };
	let one = operator(FIRST, "One", 1, 1);
	assert_eq!(refused(&unassign, &FIRST, &seen([one.clone()])), name("NotAssigned"));
	let has = OperatorInfo { validators: vec![VALIDATOR], ..one };
	let has_it = seen([has.clone()]);
	assert_eq!(refused(&unassign, &FIRST, &has_it), None);

	let back = OperatorCall::Back { validator: VALIDATOR };
	assert_eq!(refused(&back, &SECOND, &has_it), name("NotAnOperator"));
	let two = seen([has.clone(), operator(SECOND, "Two", 1, 1)]);
	assert_eq!(refused(&back, &SECOND, &two), name("NotItsOperator"));
	assert_eq!(refused(&back, &FIRST, &has_it), name("NotIdle"));
	let mut idle = has_it.clone();
	idle.validator =
		Some(ValidatorInfo { obstacles: vec![Obstacle::Idle { session: 4 }], ..validator() });
	assert_eq!(refused(&back, &FIRST, &idle), None);
	assert!(!back.is_done(&FIRST, &idle) && back.is_done(&FIRST, &has_it));
}

#[test]
fn done_is_read_from_the_operators() {
	let call = admit(FIRST, "One", 0, 4);
	let done = |call: &OperatorCall, now: Seen| call.is_done(&FIRST, &now);
	let one = operator(FIRST, "One", 0, 4);
	assert!(!done(&call, seen([])));
	assert!(done(&call, seen([one.clone()])));
	assert!(!done(&call, seen([operator(FIRST, "Other", 0, 4)])));
	assert!(!done(&call, seen([operator(FIRST, "One", 0, 3)])));
	assert!(!done(&call, seen([dismissed_in(3, one.clone())])));
	let later = Some(Later { value: 4, from: 9, blocks_left: 3 });
	let pending = OperatorInfo {
		standing: OperatorStanding::Pending { from: 9, blocks_left: 3 },
		next_seats: later,
		..operator(FIRST, "One", 0, 0)
	};
	assert!(done(&call, seen([pending])));

	let assign = OperatorCall::Assign { validator: VALIDATOR };
	let unassign = OperatorCall::Unassign { validator: VALIDATOR };
	let has = OperatorInfo { assigned: vec![VALIDATOR], ..one.clone() };
	assert!(!done(&assign, seen([one.clone()])) && done(&assign, seen([has.clone()])));
	assert!(done(&unassign, seen([one])) && !done(&unassign, seen([has])));
}

#[test]
fn force_is_added_to_a_dismissal() {
	let dismiss = |force| OperatorCall::Dismiss { operator: FIRST, force };
	let one = operator(FIRST, "One", 0, 4);
	let first = dismissed_in(5, one.clone());
	let standing = OperatorStanding::Dismissed { since: 8, force: true };
	let forced = OperatorInfo { standing, ..one.clone() };
	let done = |force, now: &OperatorInfo| dismiss(force).is_done(&ROOT, &seen([now.clone()]));
	assert!(!done(false, &one) && done(false, &first) && done(false, &forced));
	assert!(!done(true, &one) && !done(true, &first) && done(true, &forced));
	assert_eq!(refused(&dismiss(true), &ROOT, &seen([])), name("NotAnOperator"));
	assert_eq!(refused(&dismiss(true), &ROOT, &seen([first])), None);
}

#[test]
fn the_only_ready_members_are_noticed() {
	let member = |operator, readiness| MemberInfo {
		validator: VALIDATOR,
		server: ServerInfo {
			account: VALIDATOR,
			encryption_key: EncryptionKey::X25519([1; 32]),
			endpoint: Default::default(),
		},
		readiness,
		operator,
	};
	let subgroup = |members| vec![SubgroupInfo { id: 0, members, quorum: Some(1) }];
	let one = operator(FIRST, "One", 0, 4);
	let own = member(Some(FIRST), Readiness::Ready);
	let syncing = member(Some(SECOND), Readiness::Syncing);
	assert!(is_all_that_is_ready(&one, &subgroup(vec![own.clone(), syncing.clone()])));
	for other in [Some(SECOND), None] {
		let others = subgroup(vec![own.clone(), member(other, Readiness::Ready)]);
		assert!(!is_all_that_is_ready(&one, &others));
	}
	assert!(!is_all_that_is_ready(&one, &subgroup(vec![syncing])));
	assert!(!is_all_that_is_ready(&operator(FIRST, "One", 1, 4), &subgroup(vec![own])));
}
