//! Whole deliveries and verifications against a chain and servers on real sockets.

mod common;

use common::*;
use keyshare_client::{
	chain::Chain as Client,
	deliver::{deliver, Delivery},
	error::{exit, Error},
	progress::Progress,
	submit::Sent,
	verify::{verify, Custody},
	Result,
};
use keyshare_primitives::{api::*, wire::ErrorCode, PROTOCOL_VERSION};
use std::time::Duration;
use tokio::time::Instant;

/// Far away: no test waits for it.
const PATIENT: Duration = Duration::from_secs(300);

async fn run(network: &Network, events: &Events, patience: Duration) -> Result<Delivery> {
	let client = Client::connect(&network.url).await?;
	let dealing = dealing().check(client.parameters(), client.genesis(), &USER, &record())?;
	deliver(
		&client,
		&USER,
		&dealing,
		Sent::nothing(),
		Instant::now() + patience,
		&events.progress(),
	)
	.await
}

#[tokio::test]
async fn every_server_goes_from_sealed_to_confirmed() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	let events = Events::default();
	let delivery = run(&network, &events, PATIENT).await.expect("registered");
	assert_eq!(delivery.registration.status, RegistrationStatus::Registered);
	assert_eq!(delivery.servers.len(), 3);
	for g in 0..3 {
		let states = events.of(g);
		assert_eq!(states.first(), Some(&"sealed"));
		assert_eq!(states.get(1), Some(&"sent"));
		assert_eq!(states.last(), Some(&"confirmed"));
	}
	assert!(events.any(|event| *event == Progress::Registered { id: record().id }));
}

#[tokio::test]
async fn what_the_chain_shows_as_confirmed_is_not_sent_again() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	network.chain.confirm(0);
	run(&network, &Events::default(), PATIENT).await.expect("registered");
	assert!(network.servers[0].calls().is_empty());
	assert_eq!(network.servers[1].calls(), [1]);
	assert_eq!(network.servers[2].calls(), [2]);
}

#[tokio::test]
async fn the_deadline_names_who_is_missing_while_others_go_on() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	network.chain.set_endpoint(1, &format!("http://127.0.0.1:{}", closed_port()));
	let events = Events::default();
	let error = run(&network, &events, Duration::from_secs(3)).await.expect_err("one is missing");
	assert_eq!(error.exit_code(), exit::INCOMPLETE);
	let Error::Incomplete(incomplete) = error else { panic!("another error") };
	assert_eq!(incomplete.missing.len(), 1);
	assert_eq!(incomplete.missing[0].subgroup, 1);
	assert_eq!(incomplete.missing[0].servers[0].account, server_account(1));
	assert!(events.of(1).contains(&"retrying"));
	for g in [0, 2] {
		assert_eq!(events.of(g).last(), Some(&"confirmed"));
	}
}

#[tokio::test]
async fn nothing_is_waited_for_that_cannot_come() {
	let refusing = Behaviour::Refusing(ErrorCode::DecryptionFailed);
	let network = Network::new([Behaviour::Honest, Behaviour::Honest, refusing]).await;
	let error = run(&network, &Events::default(), PATIENT).await.expect_err("one refuses");
	let Error::Incomplete(incomplete) = error else { panic!("another error") };
	let missing: Vec<_> = incomplete.missing.iter().filter(|m| m.subgroup == 2).collect();
	assert!(missing[0].servers[0].state.contains("DecryptionFailed"), "{incomplete}");
}

#[tokio::test]
async fn a_member_that_is_not_ready_gets_its_share_and_counts_once_it_is() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	network.chain.set_ready(1, false);
	let events = Events::default();
	let error = run(&network, &events, Duration::from_secs(3)).await.expect_err("one is not ready");
	let Error::Incomplete(incomplete) = error else { panic!("another error") };
	assert_eq!(network.servers[1].calls(), [1]);
	assert_eq!(events.of(1).last(), Some(&"confirmed"));
	let [missing] = incomplete.missing.as_slice() else { panic!("one subgroup: {incomplete}") };
	assert_eq!((missing.subgroup, missing.quorum, missing.confirmed), (1, None, 0));
	assert!(missing.servers[0].state.contains("does not count yet"), "{incomplete}");

	let chain = network.chain.clone();
	let ready = tokio::spawn(async move {
		tokio::time::sleep(Duration::from_millis(500)).await;
		chain.set_ready(1, true);
	});
	run(&network, &Events::default(), PATIENT).await.expect("registered once it is ready");
	ready.await.expect("it ended");
	assert_eq!(network.servers[1].calls(), [1], "it is sent nothing twice");
}

#[tokio::test]
async fn a_wrong_custody_proof_is_a_failure_even_if_the_server_says_stored() {
	let network = Network::new([Behaviour::WrongProof; 3]).await;
	// The chain learns nothing from a server that stores nothing.
	let liar = Server::new(Behaviour::WrongProof);
	let (address, _running) = liar.serve().await;
	for g in 0..3 {
		network.chain.set_endpoint(g, &format!("http://{address}"));
	}
	let events = Events::default();
	assert!(matches!(run(&network, &events, PATIENT).await, Err(Error::Incomplete(_))));
	assert!(!(0..3).any(|g| events.of(g).contains(&"stored")));
}

#[tokio::test]
async fn an_attempt_that_is_gone_is_an_error_once_that_is_final() {
	let network = Network::new([Behaviour::Refusing(ErrorCode::NotRegistering); 3]).await;
	// On a fork without the attempt, while the finalized chain still has it: not gone.
	network.chain.change(|state| {
		state.finalized = Some(state.account.clone());
		state.account.registering = None;
	});
	let error = run(&network, &Events::default(), Duration::from_secs(2)).await;
	assert!(matches!(error, Err(Error::Incomplete(_))), "{error:?}");
	network.chain.change(|state| state.finalized = None);
	let error = run(&network, &Events::default(), PATIENT).await.expect_err("gone");
	assert_eq!(error.exit_code(), exit::REFUSED);
}

#[tokio::test]
async fn a_share_goes_only_to_whom_the_finalized_chain_puts_into_its_subgroup() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	// On the fork of the best block, two servers have changed places.
	network.chain.change(|state| {
		let mut finalized = state.subgroups.clone();
		let (first, second) = (finalized[0].members.clone(), finalized[1].members.clone());
		(finalized[0].members, finalized[1].members) = (second, first);
		state.finalized_subgroups = Some(finalized);
	});
	let error = run(&network, &Events::default(), Duration::from_secs(2)).await;
	assert!(matches!(error, Err(Error::Incomplete(_))), "{error:?}");
	assert!(network.servers[0].calls().is_empty() && network.servers[1].calls().is_empty());
	assert_eq!(network.servers[2].calls(), [2], "its place is the same in both");
	network.chain.change(|state| state.finalized_subgroups = None);
	assert!(run(&network, &Events::default(), PATIENT).await.is_ok());
}

#[tokio::test]
async fn a_node_that_goes_away_and_comes_back_is_found_again() {
	let mut network = Network::new([Behaviour::Refusing(ErrorCode::Busy); 3]).await;
	let node = network.node.take().expect("running");
	let events = Events::default();
	let seen = events.clone();
	let address = network.url.trim_start_matches("ws://").to_owned();
	let chain = network.chain.clone();
	let servers = network.servers.clone();
	let comeback = tokio::spawn(async move {
		while !seen.of(0).contains(&"retrying") {
			tokio::time::sleep(Duration::from_millis(20)).await;
		}
		node.stop().expect("running");
		while !seen.any(|event| matches!(event, Progress::NodeLost { .. })) {
			tokio::time::sleep(Duration::from_millis(20)).await;
		}
		servers.iter().for_each(|server| server.behave(Behaviour::Honest));
		chain.serve(&address).await.1
	});
	run(&network, &events, PATIENT).await.expect("registered in the end");
	drop(comeback.await.expect("it served again"));
}

#[tokio::test]
async fn another_chain_or_version_is_refused_before_anything() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	assert!(Client::connect(&network.url).await.is_ok());
	network.chain.change(|state| state.spec_name = "node-template");
	let error = Client::connect(&network.url).await.err().expect("another chain");
	assert_eq!(error.exit_code(), exit::WRONG_CHAIN);
	network.chain.change(|state| {
		state.spec_name = "keyshare";
		state.parameters.protocol_version = PROTOCOL_VERSION + 1;
	});
	let error = Client::connect(&network.url).await.err().expect("another version");
	assert_eq!(error.exit_code(), exit::WRONG_CHAIN);
}

#[tokio::test]
async fn a_registered_key_verifies_until_a_share_is_lost() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	let client = Client::connect(&network.url).await.expect("there");
	let early = verify(&client, &USER, PATIENT).await.expect_err("not registered yet");
	assert_eq!(early.exit_code(), exit::REFUSED);

	run(&network, &Events::default(), PATIENT).await.expect("registered");
	let verdict = verify(&client, &USER, PATIENT).await.expect("registered");
	assert!(verdict.holds(), "{verdict:?}");

	network.chain.set_ready(1, false);
	let unready = verify(&client, &USER, PATIENT).await.expect("registered");
	assert_eq!(unready.subgroups[1].members[0].custody, Custody::Proved);
	assert!(!unready.subgroups[1].holds() && !unready.holds(), "what is not ready does not count");
	network.chain.set_ready(1, true);

	network.servers[2].behave(Behaviour::WrongProof);
	let verdict = verify(&client, &USER, PATIENT).await.expect("registered");
	assert!(!verdict.holds() && verdict.contradictions.is_empty());
	assert!(matches!(verdict.subgroups[2].members[0].custody, Custody::Wrong(_)));
	assert!(verdict.subgroups[0].holds() && verdict.subgroups[1].holds());

	network.servers[2].behave(Behaviour::Refusing(ErrorCode::NoShare));
	let verdict = verify(&client, &USER, PATIENT).await.expect("registered");
	assert_eq!(verdict.subgroups[2].members[0].custody, Custody::NoShare);
	assert!(!verdict.holds());
}

#[tokio::test]
async fn what_the_chain_claims_is_recomputed() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	run(&network, &Events::default(), PATIENT).await.expect("registered");
	let client = Client::connect(&network.url).await.expect("there");
	let honest = network.chain.read(|state| state.account.clone());
	type Lie = fn(&mut RegistrationInfo);
	let lies: [Lie; 6] = [
		|claim| claim.coverage[0].ready.clear(),
		|claim| claim.key.id = Default::default(),
		|claim| claim.key.verifying_shares = claim.key.commitments.clone(),
		|claim| claim.coverage[0].quorum = None,
		|claim| claim.coverage[1].confirmed.clear(),
		|claim| drop(claim.coverage.pop()),
	];
	for (index, lie) in lies.into_iter().enumerate() {
		network.chain.change(|state| {
			state.account = honest.clone();
			lie(state.account.registered.as_mut().expect("registered"));
		});
		// Servers answer for the true id, so a false one fails there, too; the claim is what counts.
		let verdict = verify(&client, &USER, PATIENT).await.expect("registered");
		assert!(!verdict.contradictions.is_empty(), "lie {index}");
		assert!(!verdict.holds(), "lie {index}");
	}
}

#[tokio::test]
async fn a_key_that_is_registered_on_a_fork_is_not_registered() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	// The last final block has the attempt, and never more.
	network.chain.change(|state| state.finalized = Some(state.account.clone()));
	let events = Events::default();
	let error = run(&network, &events, Duration::from_secs(2)).await;
	let Err(Error::Incomplete(incomplete)) = error else { panic!("{error:?}") };
	assert!(incomplete.waiting_for.contains("final"), "{incomplete:?}");
	assert!(network.chain.read(|state| state.account.registered.is_some()), "in the best block");
	assert!(!events.any(|event| matches!(event, Progress::Registered { .. })));

	// As soon as a final block shows it, and not before.
	network.chain.change(|state| state.finalized = None);
	run(&network, &events, PATIENT).await.expect("registered");
	assert!(events.any(|event| matches!(event, Progress::Registered { .. })));
}

#[tokio::test]
async fn a_final_block_from_before_says_nothing() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	// It shows the key registered, as it was on a chain that has been left; but it is older than the best
	// block that shows it.
	network.chain.change(|state| state.blocks_until_final = 1_000);
	let error = run(&network, &Events::default(), Duration::from_secs(2)).await;
	assert!(matches!(error, Err(Error::Incomplete(_))), "{error:?}");
	network.chain.change(|state| state.blocks_until_final = 0);
	run(&network, &Events::default(), PATIENT).await.expect("registered");
}

#[tokio::test]
async fn a_node_that_is_gone_for_good_is_what_is_missing() {
	let mut network = Network::new([Behaviour::Refusing(ErrorCode::Busy); 3]).await;
	let node = network.node.take().expect("running");
	let events = Events::default();
	let seen = events.clone();
	let death = tokio::spawn(async move {
		while !seen.of(0).contains(&"retrying") {
			tokio::time::sleep(Duration::from_millis(20)).await;
		}
		node.stop().expect("running");
	});
	let error = run(&network, &events, Duration::from_secs(6)).await.expect_err("it is gone");
	death.await.expect("it ended");
	let Error::Incomplete(incomplete) = error else { panic!("{error:?}") };
	assert!(incomplete.waiting_for.contains("is lost"), "{incomplete}");
	assert!(incomplete.waiting_for.contains(&network.url), "{incomplete}");
}
