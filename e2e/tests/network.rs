//! Six validators in three subgroups: who is down misses shares and fetches them, who leaves comes
//! back to its subgroup, keys rotate while envelopes are under way, and an old backup catches up.

use keyshare_client::{
	chain::Chain,
	deliver::{deliver, sealed},
	progress::{silent, Server},
	servers::submit_share,
	submit::Sent,
};
use keyshare_e2e::{
	network::{until, Network},
	users::{register_all, User},
};
use keyshare_primitives::{
	api::{Coverage, MemberInfo, Membership},
	AccountId, SubgroupId,
};
use std::{fs, time::Duration};
use tokio::time::Instant;

const MINUTES: Duration = Duration::from_secs(300);

/// Waits until every member of every subgroup has confirmed the key in force.
async fn everybody_holds(chain: &Chain, user: User) {
	until(&format!("every member holds the share of {user:?}"), || async move {
		let info = chain.registration(&user.account()).await.expect("it answers");
		let everybody = |coverage: &Coverage| coverage.confirmed.len() == coverage.members.len();
		info.registered?.coverage.iter().all(everybody).then_some(())
	})
	.await;
}

/// The member that validates as `validator`, and its subgroup.
async fn member(chain: &Chain, validator: &AccountId) -> (SubgroupId, MemberInfo) {
	let subgroups = chain.subgroups().await.expect("it answers");
	subgroups
		.into_iter()
		.find_map(|subgroup| {
			let member = subgroup.members.into_iter().find(|one| one.validator == *validator)?;
			Some((subgroup.id, member))
		})
		.expect("it is a member")
}

#[tokio::test(flavor = "multi_thread")]
async fn shares_reach_every_member_whatever_was_offline_when() {
	let mut network = Network::new(6, 40).await;
	let chain = network.chain().await;
	for subgroup in 0..3 {
		assert_eq!(network.members(subgroup).await.len(), 2, "as even as can be");
	}

	// While one member is down, its subgroup lacks its quorum. The user goes away.
	let down = network.members(2).await[1];
	let account = network.validator(down).account();
	let (_, its) = member(&chain, &account).await;
	network.validator(down).stop();
	let first = User(0);
	let deadline = Instant::now() + MINUTES;
	let dealing = first.begin(&chain, deadline).await.expect("begun");
	let delivery = tokio::spawn({
		let chain = chain.clone();
		async move {
			deliver(&chain, &first.account(), &dealing, Sent::nothing(), deadline, &silent()).await
		}
	});
	let lacking = until("everybody else has confirmed", || async {
		let info = chain.registration(&first.account()).await.expect("it answers");
		let coverage = info.registering.expect("it lacks a quorum").coverage;
		let missing = |one: &AccountId, of: &Coverage| {
			*one != its.server.account && !of.confirmed.contains(one)
		};
		let all = coverage.iter().all(|of| !of.members.iter().any(|one| missing(one, of)));
		all.then_some(coverage)
	})
	.await;
	assert!(!lacking[2].confirmed.contains(&its.server.account));
	// On a machine that is slow enough it is idle by now, and no member that is waited for.
	let is_waited_for = lacking[2].ready.contains(&its.server.account);
	assert_ne!(lacking[2].is_reached(), is_waited_for);
	delivery.abort();

	// It comes back, and fetches from the other member what nobody sends it any more.
	network.validator(down).start();
	until("the one that was down holds it", || async {
		network.call_back_if_idle(2, down).await;
		let info = chain.registration(&first.account()).await.expect("it answers");
		let shown = info.registering.or(info.registered).expect("one of them");
		shown.coverage[2].confirmed.contains(&its.server.account).then_some(())
	})
	.await;
	network.validator(down).node().wait_for("Fetched 1 of 1 lacking share(s)");
	everybody_holds(&chain, first).await;

	// A member leaves. What is registered meanwhile, it gets when it returns to its subgroup.
	let gone = network.members(1).await[1];
	let validator = network.validator(gone);
	let before = validator.is(|_| true).await;
	// The operator's methods are refused where a proxy may lead, and answered at the operator's own port.
	let name = gone.to_lowercase();
	validator
		.tool()
		.run(&["session-keys", "rotate", "--dev-account", &name])
		.failed_with(2, "--operator-rpc-port");
	validator.operate(&["server", "withdraw"]);
	validator.is(|info| info.membership == Membership::Outside).await;
	let second = User(1);
	let registered = second.register(&chain, MINUTES, &silent()).await.expect("registered");
	assert_eq!(registered.coverage[1].members.len(), 1, "the rest is a quorum by itself");
	let validator = network.validator(gone);
	validator.declare();
	let after = validator.is(|info| info.membership == Membership::Ready).await;
	assert_eq!(after.subgroup, before.subgroup);
	for user in [first, second] {
		everybody_holds(&chain, user).await;
	}

	// A key is rotated while users register, and one envelope was sealed to the key before.
	let rotating = network.members(0).await[0];
	let account = network.validator(rotating).account();
	let (subgroup, old) = member(&chain, &account).await;
	let late = User(2).begin(&chain, Instant::now() + MINUTES).await.expect("begun");
	let users = (3..33).map(User);
	let under_way = tokio::spawn({
		let chain = chain.clone();
		async move { register_all(&chain, users, MINUTES).await }
	});
	network.validator(rotating).operate(&["server", "rotate-key"]);
	let (_, new) = member(&chain, &account).await;
	assert_ne!(new.server.encryption_key, old.server.encryption_key);
	let server = Server {
		subgroup,
		account: old.server.account.clone(),
		endpoint: String::from_utf8_lossy(&old.server.endpoint).into_owned(),
	};
	let envelope = sealed(&User(2).account(), &late, &server, &old.server.encryption_key);
	let stored = submit_share(&server, &envelope.expect("a key"), &late.record).await;
	stored.expect("the key before still opens envelopes");
	for (user, outcome) in under_way.await.expect("no panic") {
		outcome.unwrap_or_else(|error| panic!("{user:?}: {error}"));
	}
	User(2).register(&chain, MINUTES, &silent()).await.expect("registered");

	// A backup misses what came after it; the node notices, and catches up.
	let old = network.members(1).await[0];
	let validator = network.validator(old);
	let backup = validator.home.join("backup");
	let backup = backup.to_str().expect("UTF-8");
	validator.maintain(&["share-store", "backup", backup]);
	let users = [User(33), User(34)];
	for (user, outcome) in register_all(&chain, users, MINUTES).await {
		outcome.unwrap_or_else(|error| panic!("{user:?}: {error}"));
		everybody_holds(&chain, user).await;
	}
	let validator = network.validator(old);
	// Its loss must be visible in finalized state, which is all that the node looks at.
	until("confirmations are final", || async {
		let info = chain.finalized_registration(&users[1].account()).await.expect("it answers");
		let coverage = info.registered?.coverage;
		coverage.iter().all(|one| one.confirmed.len() == one.members.len()).then_some(())
	})
	.await;
	validator.stop();
	let store = validator.share_store();
	let folder = store.parent().expect("in a folder");
	for entry in fs::read_dir(folder).expect("readable") {
		let path = entry.expect("readable").path();
		let name = path.file_name().expect("a file").to_string_lossy().into_owned();
		if name.starts_with("share-store.sqlite") {
			fs::rename(&path, folder.join(format!("lost-{name}"))).expect("renamed");
		}
	}
	validator.maintain(&["share-store", "restore", backup]);
	validator.start();
	validator.node().wait_for("The share store lacks 2 share(s)");
	validator.node().wait_for("Fetched 2 of 2 lacking share(s)");
	for user in users {
		let verified = validator.tool().run(&["verify", &user.account().to_string()]);
		assert_eq!(verified.json()["holds"], true);
	}

	network.stop();
}
