//! What a genesis accepts.

use crate::{mock::*, GenesisConfig};
use frame_support::assert_ok;
use keyshare_primitives::{api::Readiness, membership::SubgroupMembership};

fn builds(config: GenesisConfig<Test>) {
	ext_with(config).execute_with(|| {
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn genesis_makes_ready_members() {
	new_test_ext().execute_with(|| {
		assert_eq!((Subgroups::count(), Subgroups::threshold()), (3, 2));
		let servers = |subgroup| {
			let members = Subgroups::members(subgroup).into_iter();
			members.map(|(server, _)| server).collect::<Vec<_>>()
		};
		assert_eq!(servers(0), vec![server(1).account, server(4).account]);
		assert_eq!(servers(3), vec![]);
		assert_eq!((masks(0), masks(1)), ((0b11, 0b11), (0b1, 0b1)));
		assert_eq!(Subgroups::seat_of(&server(2).account).expect("a member").subgroup, 1);
		assert_eq!(Subgroups::seat_of(&validator(2)), None);
		let infos = Subgroups::member_infos(2);
		assert_eq!(infos[0].validator, validator(3));
		assert_eq!(infos[0].server, server(3));
		assert_eq!(infos[0].readiness, Readiness::Ready);
		assert_eq!(infos[0].operator, Some(operator(2)));
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn a_genesis_may_begin_without_servers() {
	builds(GenesisConfig { servers: vec![], ..genesis(2, &[&[1], &[2]]) });
}

#[test]
#[should_panic = "between 2 and the number"]
fn a_genesis_with_a_threshold_of_one_panics() {
	builds(genesis(1, &[&[1], &[2]]));
}

#[test]
#[should_panic = "between 2 and the number"]
fn a_genesis_with_a_threshold_above_n_panics() {
	builds(genesis(3, &[&[1], &[2]]));
}

#[test]
#[should_panic = "at most 16"]
fn a_genesis_with_seventeen_subgroups_panics() {
	builds(GenesisConfig { subgroup_count: 17, ..genesis(2, &[&[1], &[2]]) });
}

#[test]
#[should_panic = "every subgroup has an operator"]
fn a_genesis_with_a_subgroup_of_nobody_panics() {
	builds(GenesisConfig { subgroup_count: 3, ..genesis(2, &[&[1], &[2]]) });
}

#[test]
#[should_panic = "in two places"]
fn a_genesis_with_a_validator_of_two_operators_panics() {
	builds(GenesisConfig { servers: vec![], ..genesis(2, &[&[1], &[1]]) });
}

#[test]
#[should_panic = "in two places"]
fn a_genesis_with_a_validator_twice_panics() {
	let mut config = genesis(2, &[&[1], &[2]]);
	config.servers.push(genesis_server(1));
	builds(config);
}

#[test]
#[should_panic = "share an account"]
fn a_genesis_with_a_server_account_twice_panics() {
	let mut config = genesis(2, &[&[1], &[2]]);
	config.servers[1].server = config.servers[0].server.clone();
	builds(config);
}

#[test]
#[should_panic = "has an operator"]
fn a_genesis_with_a_server_of_nobodys_validator_panics() {
	let mut config = genesis(2, &[&[1], &[2]]);
	config.servers.push(genesis_server(5));
	builds(config);
}

#[test]
#[should_panic = "no more validators than seats"]
fn a_genesis_with_more_validators_than_seats_panics() {
	builds(GenesisConfig { servers: vec![], ..genesis(2, &[&[1, 3, 4, 5], &[2]]) });
}

#[test]
#[should_panic = "InvalidName"]
fn a_genesis_with_a_name_nobody_can_read_panics() {
	let mut config = genesis(2, &[&[1], &[2]]);
	config.operators[0].name = " x".into();
	builds(config);
}

#[test]
#[should_panic = "canonical X25519"]
fn a_genesis_with_another_encoding_of_a_key_panics() {
	let mut config = genesis(2, &[&[1], &[2]]);
	config.servers[0].encryption_key.0[31] |= 0x80;
	builds(config);
}

#[test]
#[should_panic = "an endpoint is an http"]
fn a_genesis_with_an_endpoint_without_a_port_that_exists_panics() {
	let mut config = genesis(2, &[&[1], &[2]]);
	config.servers[0].endpoint = "https://h:99999".into();
	builds(config);
}
