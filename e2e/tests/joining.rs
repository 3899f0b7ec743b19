//! Validators join a running network that holds many keys, fetch them all, and then one of the
//! first leaves: every key stays at its quorum throughout. A stranger gets in only when somebody
//! answers for it.

use keyshare_client::chain::Chain;
use keyshare_e2e::{
	network::{until, Network},
	users::{register_all, User},
};
use keyshare_primitives::api::{Coverage, Membership, Obstacle};
use std::time::Duration;

const KEYS: u16 = 200;
const PATIENCE: Duration = Duration::from_secs(550);

/// How many keys have what `holds` asks of each subgroup.
async fn count(chain: &Chain, holds: impl Fn(&Coverage) -> bool) -> usize {
	let mut count = 0;
	for user in 0..KEYS {
		let info = chain.registration(&User(user).account()).await.expect("it answers");
		let coverage = info.registered.expect("it was registered").coverage;
		count += usize::from(coverage.iter().all(&holds));
	}
	count
}

#[tokio::test(flavor = "multi_thread")]
async fn newcomers_fetch_every_share_before_anybody_can_leave_a_gap() {
	let mut network = Network::new(4, KEYS).await;
	let chain = network.chain().await;
	for (user, outcome) in register_all(&chain, (0..KEYS).map(User), PATIENCE).await {
		outcome.unwrap_or_else(|error| panic!("{user:?}: {error}"));
	}

	// Two arrive with all that a validator needs, and one of them is employed by an operator.
	let (stranger, newcomer) = (network.arrive(), network.arrive());
	network.employ("Charlie", newcomer);
	network.validator(newcomer).is(|info| info.membership == Membership::Ready).await;
	// The other would have been selected as well by now.
	let outside = network.validator(stranger).is(|_| true).await;
	assert_eq!(outside.membership, Membership::Outside);
	assert_eq!(outside.obstacles, [Obstacle::NoOperator]);
	// It is admitted by name, and runs a validator of its own.
	network.admit(stranger, 1, 1);
	network.employ(stranger, stranger);
	network.validator(stranger).is(|info| info.membership == Membership::Ready).await;
	let everybody = |coverage: &Coverage| coverage.confirmed.len() == coverage.members.len();
	let keys = usize::from(KEYS);
	assert_eq!(count(&chain, everybody).await, keys, "ready means that every share is confirmed");
	for subgroup in 0..3 {
		assert_eq!(network.members(subgroup).await.len(), 2);
	}

	let leaving = network.members(1).await[0];
	network.validator(leaving).operate(&["server", "withdraw"]);
	network.validator(leaving).is(|info| info.membership == Membership::Outside).await;
	assert_eq!(network.members(1).await.len(), 1);
	let chain = network.chain().await;
	until("every key is at its quorum", || async {
		(count(&chain, Coverage::is_reached).await == keys).then_some(())
	})
	.await;
	// Those that hold shares prove it, and do not only say so.
	let tool = network.validator("Alice").tool();
	for user in [0, KEYS / 2, KEYS - 1] {
		let verified = tool.run(&["verify", &User(user).account().to_string()]);
		assert_eq!(verified.json()["holds"], true);
	}
	network.stop();
}
