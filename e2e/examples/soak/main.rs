//! The network tests that take longer than anybody wants to wait for each time. Run by
//! `scripts/soak`, one by name:
//!
//! - `expiry`: a whole subgroup is down; the attempt expires, and the deposit comes back. Its only
//!   member is idle by then, is kept, and is called back;
//! - `crashes [SEED]`: nodes die by SIGKILL every few seconds while 300 users register;
//! - `upgrade RUNTIME`: a network that began with the runtime in a file is upgraded to this one, by its
//!   council, while users register.

mod council;

use codec::Decode;
use council::Governed;
use jsonrpsee::{core::client::ClientT, http_client::HttpClient, rpc_params};
use keyshare_client::{
	chain::Chain,
	progress::{silent, OnProgress, Progress, ServerState},
	verify::{verify, Custody},
	Error,
};
use keyshare_e2e::{
	network::{until, until_within, Network},
	users::User,
};
use keyshare_primitives::{
	api::{Membership, Obstacle},
	AccountId, Balance, Constraints,
};
use keyshare_runtime::{Runtime, VERSION, WASM_BINARY};
use std::{
	collections::BTreeSet,
	sync::{Arc, Mutex},
	time::Duration,
};
use tokio::{
	sync::Semaphore,
	task::JoinSet,
	time::{sleep, Instant},
};

/// Longer than an attempt lives.
const PATIENCE: Duration = Duration::from_secs(1_500);

#[tokio::main]
async fn main() {
	let arguments: Vec<_> = std::env::args().skip(1).collect();
	let began = Instant::now();
	match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
		["expiry"] => expiry().await,
		["crashes"] => crashes(1).await,
		["crashes", seed] => crashes(seed.parse().expect("SEED is a number")).await,
		["upgrade", file] => upgrade(&std::fs::read(file).expect("RUNTIME is a file")).await,
		_ => {
			eprintln!("usage: soak expiry | crashes [SEED] | upgrade RUNTIME");
			std::process::exit(2);
		}
	}
	say(&format!("passed in {} s", began.elapsed().as_secs()));
}

fn say(text: &str) {
	eprintln!("soak: {text}");
}

/// What the chain holds of an account's balance, in the smallest unit.
async fn held(url: &str, account: &AccountId) -> Balance {
	let node = HttpClient::builder().build(url.replace("ws:", "http:")).expect("a URL");
	let key = frame_system::Account::<Runtime>::hashed_key_for(account);
	let key = format!("0x{}", hex::encode(key));
	let value: String =
		node.request("state_getStorage", rpc_params![key]).await.expect("it has funds");
	let bytes = hex::decode(value.trim_start_matches("0x")).expect("hex");
	type Entry = frame_system::AccountInfo<u32, <Runtime as frame_system::Config>::AccountData>;
	Entry::decode(&mut bytes.as_slice()).expect("its layout").data.reserved
}

/// What the chain asks for a user's first attempt.
async fn deposit_of(chain: &Chain, user: User) -> Balance {
	let (threshold, constraints) = (chain.parameters().threshold, Constraints::default());
	let deposit = chain.deposit(user.key().scheme(), threshold, Some(&constraints));
	deposit.await.expect("it answers")
}

async fn expiry() {
	let mut network = Network::new(4, 1).await;
	let user = User(0);
	let account = user.account();
	let chain = network.chain().await;
	let alone = network.members(2).await;
	assert_eq!(alone.len(), 1, "its only member, so that two thirds of the validators stay");
	say("a subgroup is down; waiting for an attempt to expire");
	network.validator(alone[0]).stop();
	user.begin(&chain, Instant::now() + PATIENCE).await.expect("the chain does not know");
	let url = network.validator("Alice").node().url.clone();
	let deposit = held(&url, &account).await;
	assert_eq!(deposit, deposit_of(&chain, user).await, "it was told before");
	let result = user.register(&chain, PATIENCE, &silent()).await;
	assert!(matches!(result, Err(Error::State(_))), "{result:?}");
	until_within(PATIENCE, "the attempt is removed", || async {
		let info = chain.registration(&account).await.expect("it answers");
		(info.registering.is_none() && info.registered.is_none()).then_some(())
	})
	.await;
	let stays = held(&url, &account).await;
	assert!(0 < stays && stays < deposit / 2, "what stays is for the generation: {stays}");
	let down = chain.validator(&network.validator(alone[0]).account()).await.expect("it answers");
	let is_kept = matches!(down.membership, Membership::Kept { .. });
	assert!(is_kept, "the subgroup's share is nowhere else");
	assert!(matches!(down.obstacles[..], [Obstacle::Idle { .. }]), "{:?}", down.obstacles);
	say("it expired, and the deposit is back; registering again");
	network.validator(alone[0]).start();
	let again = user.register(&chain, PATIENCE, &silent()).await.expect("registered");
	assert_eq!(again.key.generation, 2);
	say("its only member is called back");
	network.call_back_if_idle(2, alone[0]).await;
	let back = network.validator(alone[0]).is(|info| info.membership == Membership::Ready).await;
	assert!(back.obstacles.is_empty(), "{:?}", back.obstacles);
	// The members that had a share of the first attempt have none any more.
	for validator in &network.validators {
		if validator.name != alone[0] {
			validator.node().wait_for("Erased, for its attempt or key is gone");
		}
	}
	network.stop();
}

/// Numbers that look random, and are the same for the same seed (Knuth's MMIX generator).
struct Random(u64);

impl Random {
	fn below(&mut self, end: usize) -> usize {
		self.0 =
			self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
		usize::try_from(self.0 >> 33).expect("31 bits") % end
	}
}

/// Shares that servers have acknowledged: whose, and by which server.
type Acknowledged = Arc<Mutex<BTreeSet<(u16, AccountId)>>>;

fn recorder(user: User, acknowledged: &Acknowledged) -> OnProgress {
	let acknowledged = acknowledged.clone();
	Arc::new(move |event| {
		if let Progress::Server { server, state: ServerState::Stored } = event {
			acknowledged.lock().expect("no panics while locked").insert((user.0, server.account));
		}
	})
}

/// Tries until the key is registered, over whichever node answers.
async fn insist(user: User, urls: Vec<String>, acknowledged: Acknowledged) {
	let progress = recorder(user, &acknowledged);
	let mut next = usize::from(user.0);
	let deadline = Instant::now() + PATIENCE;
	loop {
		let url = &urls[next % urls.len()];
		next += 1;
		let patience = Duration::from_secs(60);
		let outcome = match Chain::connect(url).await {
			Ok(chain) => user.register(&chain, patience, &progress).await.map(drop),
			Err(error) => Err(error),
		};
		match outcome {
			Ok(()) => return,
			Err(error) => assert!(Instant::now() < deadline, "{user:?}: {error}"),
		}
		sleep(Duration::from_secs(1)).await;
	}
}

/// So many users register, some at a time.
fn everybody(
	users: u16,
	at_a_time: usize,
	urls: &[String],
	acknowledged: &Acknowledged,
) -> JoinSet<()> {
	let places = Arc::new(Semaphore::new(at_a_time));
	let mut tasks = JoinSet::new();
	for user in (0..users).map(User) {
		let (urls, acknowledged, places) = (urls.to_vec(), acknowledged.clone(), places.clone());
		tasks.spawn(async move {
			let _place = places.acquire().await.expect("never closed");
			insist(user, urls, acknowledged).await;
		});
	}
	tasks
}

async fn crashes(seed: u64) {
	const USERS: u16 = 300;
	let mut network = Network::new(6, USERS).await;
	let urls: Vec<_> =
		network.validators.iter().map(|validator| validator.node().url.clone()).collect();
	let acknowledged = Acknowledged::default();
	let mut tasks = everybody(USERS, 12, &urls, &acknowledged);

	say(&format!("killing nodes, seed {seed}"));
	let mut random = Random(seed);
	let (mut kills, mut done) = (0, 0);
	while !tasks.is_empty() {
		let validator = random.below(network.validators.len());
		let validator = &mut network.validators[validator];
		validator.kill();
		kills += 1;
		sleep(Duration::from_millis(500 + random.below(2_000) as u64)).await;
		validator.start();
		let pause = Instant::now() + Duration::from_secs(4);
		while let Ok(Some(outcome)) = tokio::time::timeout_at(pause, tasks.join_next()).await {
			outcome.expect("no panic");
			done += 1;
		}
		sleep(pause.saturating_duration_since(Instant::now())).await;
		say(&format!("{kills} kills, {done} of {USERS} keys registered"));
	}

	say("waiting until everything is registered and confirmed by everybody");
	let chain = network.chain().await;
	let url = network.validators[0].node().url.clone();
	let mut deposits = [None; 2];
	for user in (0..USERS).map(User) {
		let account = user.account();
		until(&format!("every member holds the share of {user:?}"), || async {
			let info = chain.registration(&account).await.expect("it answers");
			assert!(info.registering.is_none(), "its only attempt is completed");
			let coverage = info.registered.expect("registered").coverage;
			coverage.iter().all(|one| one.confirmed.len() == one.members.len()).then_some(())
		})
		.await;
		// A key costs less than the attempt at it, and every key of a scheme the same.
		let deposit = held(&url, &account).await;
		assert!(0 < deposit && deposit < deposit_of(&chain, user).await, "{user:?}: {deposit}");
		let expected = deposits[usize::from(user.0 % 2)].get_or_insert(deposit);
		assert_eq!(deposit, *expected, "{user:?}");
		let verification =
			verify(&chain, &account, Duration::from_secs(60)).await.expect("registered");
		assert!(verification.holds(), "{verification:?}");
		for member in verification.subgroups.iter().flat_map(|subgroup| &subgroup.members) {
			assert_eq!(member.custody, Custody::Proved, "{user:?}, {:?}", member.server);
		}
	}
	let acknowledged = acknowledged.lock().expect("no panics while locked").len();
	say(&format!(
		"{kills} kills; {USERS} keys registered; every member proved every share, of which \
		 {acknowledged} were acknowledged to a client; every deposit is right"
	));
	network.stop();
}

async fn upgrade(old: &[u8]) {
	const USERS: u16 = 120;
	let new = WASM_BINARY.expect("built with the runtime");
	let network = Network::with_runtime(6, USERS, Some(old)).await;
	let chain = network.chain().await;
	let before = chain.spec_version();
	assert!(before < VERSION.spec_version, "the runtime to begin with has a lower version");
	// A call that waits in the pool while the runtime changes is dropped from it, as on any chain:
	// its user makes it again.
	let urls: Vec<_> =
		network.validators.iter().map(|validator| validator.node().url.clone()).collect();
	let users = everybody(USERS - 1, 50, &urls, &Acknowledged::default());
	until("attempts are under way", || async {
		let info = chain.registration(&User(0).account()).await.expect("it answers");
		info.registering.or(info.registered).map(drop)
	})
	.await;
	say(&format!("from version {before} to {}", VERSION.spec_version));
	let url = network.validators[0].node().url.clone();
	council::upgrade(&Governed { chain: &chain, url: &url, patience: PATIENCE }, new).await;
	say("upgraded by the council, without sudo");
	users.join_all().await;
	say("every registration that was under way is complete; one more, over the new runtime");
	let chain = network.chain().await;
	User(USERS - 1).register(&chain, PATIENCE, &silent()).await.expect("registered");
	for user in [0, USERS - 1] {
		let verification = verify(&chain, &User(user).account(), Duration::from_secs(60))
			.await
			.expect("registered");
		assert!(verification.holds(), "{verification:?}");
	}
	network.stop();
}
