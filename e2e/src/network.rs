//! A network of validators, a process each, that begins as the operators' guide has it: the
//! specification names the operators, the validators and their session keys, the nodes start, and
//! for each validator a server is published with the tool. Stopped when dropped.
//!
//! The first of the well-known names operate a subgroup each: Alice subgroup 0, Bob 1 and Charlie 2.
//! Of the founders, the validators that are there from genesis, each subgroup has every third.

use crate::{binary, free_port, Node, Tool};
use keyshare_client::{account::account_of, chain::Chain};
use keyshare_primitives::{
	api::{Membership, Obstacle, ValidatorInfo},
	wire::to_hex,
	AccountId,
};
use serde_json::{json, Value};
use std::{
	future::Future,
	path::{Path, PathBuf},
	process::Command,
	sync::Arc,
	thread,
	time::Duration,
};
use tempfile::TempDir;
use tokio::time::{sleep, Instant};

use crate::users::User;

/// The accounts that validate: those that the tool can sign for by name.
const NAMES: [&str; 6] = ["Alice", "Bob", "Charlie", "Dave", "Eve", "Ferdie"];

/// How many subgroups there are, each with the operator of that index.
const SUBGROUPS: usize = 3;

/// How many validators each operator may have.
const SEATS: u32 = 4;

/// The name of the sudo key.
const ROOT: &str = "Alice";

/// Blocks in a session: few, so that tests wait little.
const SESSION_LENGTH: u32 = 6;

/// How long anything may take before a test gives up: far beyond what a loaded machine needs.
const PATIENCE: Duration = Duration::from_secs(400);

const PASSWORD: &str = "password of a test";

/// Waits until `look` finds something.
pub async fn until<T, Fut>(what: &str, look: impl FnMut() -> Fut) -> T
where
	Fut: Future<Output = Option<T>>,
{
	until_within(PATIENCE, what, look).await
}

/// The same with patience of its own.
pub async fn until_within<T, Fut>(
	patience: Duration,
	what: &str,
	mut look: impl FnMut() -> Fut,
) -> T
where
	Fut: Future<Output = Option<T>>,
{
	let deadline = Instant::now() + patience;
	loop {
		if let Some(found) = look().await {
			return found;
		}
		assert!(Instant::now() < deadline, "in vain: {what}");
		sleep(Duration::from_millis(500)).await;
	}
}

/// Validators.
pub struct Network {
	folder: TempDir,
	/// By index into the well-known names.
	pub validators: Vec<Validator>,
}

/// A validator, whether it runs or not.
pub struct Validator {
	/// Its account's name among the well-known ones.
	pub name: &'static str,
	/// Its folder.
	pub home: PathBuf,
	spec: PathBuf,
	port: u16,
	rpc_port: u16,
	operator_port: u16,
	share_port: u16,
	identity: String,
	boot: Option<String>,
	node: Option<Node>,
}

impl Network {
	/// A network of `founders` validators in three subgroups, all of them members and ready, with
	/// funds for `users`.
	pub async fn new(founders: usize, users: u16) -> Self {
		Self::with_runtime(founders, users, None).await
	}

	/// The same, beginning with another runtime than the node's own.
	pub async fn with_runtime(founders: usize, users: u16, code: Option<&[u8]>) -> Self {
		let folder = tempfile::tempdir().expect("a folder");
		let spec = folder.path().join("spec.json");
		write_spec(&spec, founders, users, code);
		let mut network = Self { folder, validators: Vec::new() };
		for index in 0..founders {
			let mut validator = network.add(index);
			for (scheme, key_type) in [("sr25519", "aura"), ("ed25519", "gran")] {
				let uri = format!("//{}", validator.name);
				node_command(&["key", "insert", "--scheme", scheme, "--key-type", key_type])
					.args(["--suri", &uri])
					.args(validator.place())
					.succeed();
			}
			validator.start();
			network.validators.push(validator);
		}
		thread::scope(|scope| {
			for validator in &network.validators {
				scope.spawn(|| validator.declare());
			}
		});
		for validator in &network.validators {
			validator.is(|info| info.membership == Membership::Ready).await;
		}
		network
	}

	/// A stranger starts a node, with all that a validator needs of its own, and with no operator.
	pub fn arrive(&mut self) -> &'static str {
		let mut validator = self.add(self.validators.len());
		validator.start();
		validator.operate(&["session-keys", "rotate"]);
		validator.declare();
		let name = validator.name;
		self.validators.push(validator);
		name
	}

	/// Root admits the account of a name as an operator.
	pub fn admit(&self, name: &str, subgroup: u8, seats: u32) -> Value {
		let account = account(name).to_string();
		let (subgroup, seats) = (subgroup.to_string(), seats.to_string());
		let call = ["operator", "admit", &account, "--name", name];
		self.sign(ROOT, &[&call[..], &["--subgroup", &subgroup, "--seats", &seats]].concat())
	}

	/// A validator becomes one of an operator's, both by their names: the one assigns it, the other
	/// accepts. It is selected and ready after that.
	pub fn employ(&self, operator: &str, validator: &str) {
		let address = |name: &str| account(name).to_string();
		self.sign(operator, &["operator", "assign", &address(validator)]);
		self.sign(validator, &["validator", "accept", &address(operator)]);
	}

	/// The operator of a subgroup, as the genesis has it, lets a validator be selected again if it
	/// is idle; on a machine that is slow enough, any that was down is.
	pub async fn call_back_if_idle(&self, subgroup: u8, name: &str) {
		let info = self.chain().await.validator(&account(name)).await.expect("it answers");
		let is_idle = |obstacle: &Obstacle| matches!(obstacle, Obstacle::Idle { .. });
		if info.obstacles.iter().any(is_idle) {
			let operator = NAMES[usize::from(subgroup)];
			self.sign(operator, &["operator", "back", &account(name).to_string()]);
		}
	}

	/// Runs one of the tool's commands over the first node that runs, signed by a well-known name.
	pub fn sign(&self, name: &str, arguments: &[&str]) -> Value {
		let signer = name.to_lowercase();
		let tool = Tool::new(&self.running().url);
		tool.run(&[arguments, &["--dev-account", &signer]].concat()).json()
	}

	/// The chain through the first node that runs.
	pub async fn chain(&self) -> Arc<Chain> {
		Arc::new(Chain::connect(&self.running().url).await.expect("it answers"))
	}

	/// The first node that runs.
	fn running(&self) -> &Node {
		let node = self.validators.iter().find_map(|validator| validator.node.as_ref());
		node.expect("one runs")
	}

	/// A validator by its name.
	pub fn validator(&mut self, name: &str) -> &mut Validator {
		let found = self.validators.iter_mut().find(|validator| validator.name == name);
		found.expect("one of them")
	}

	/// The names of the members of a subgroup, in the order of the chain.
	pub async fn members(&self, subgroup: u8) -> Vec<&'static str> {
		let subgroups = self.chain().await.subgroups().await.expect("it answers");
		let members = &subgroups[usize::from(subgroup)].members;
		let name = |account: &AccountId| {
			let is_it = |validator: &&Validator| validator.account() == *account;
			self.validators.iter().find(is_it).expect("one of ours").name
		};
		members.iter().map(|member| name(&member.validator)).collect()
	}

	/// Stops every node, and checks that each ends well.
	pub fn stop(mut self) {
		self.validators.iter_mut().for_each(Validator::stop);
	}

	/// Prepares a node: its folder, ports and keys.
	fn add(&self, index: usize) -> Validator {
		let name = NAMES[index];
		let home = self.folder.path().join(name);
		std::fs::create_dir(&home).expect("a new folder");
		std::fs::write(home.join("password"), PASSWORD).expect("written");
		own(&home.join("password"));
		let mut validator = Validator {
			name,
			home,
			spec: self.folder.path().join("spec.json"),
			port: free_port(),
			rpc_port: free_port(),
			operator_port: free_port(),
			share_port: free_port(),
			identity: String::new(),
			boot: self.validators.first().map(Validator::address),
			node: None,
		};
		let made = node_command(&["key", "generate-server"])
			.args(validator.place())
			.args(validator.password())
			.succeed();
		let (_, identity) = made.split_once("network identity: ").expect("it is printed");
		validator.identity = identity.lines().next().expect("a line").into();
		validator
	}
}

impl Drop for Network {
	fn drop(&mut self) {
		if thread::panicking() {
			for validator in &self.validators {
				if let Some(node) = &validator.node {
					eprintln!("== the log of {}\n{}", validator.name, node.log.tail(40));
				}
			}
		}
	}
}

impl Validator {
	/// Its account.
	pub fn account(&self) -> AccountId {
		account(self.name)
	}

	/// Starts its node, and waits until it answers.
	pub fn start(&mut self) {
		let mut command = node_command(&["--validator", "--no-telemetry", "--no-mdns"]);
		command
			.args(self.place())
			.args(self.password())
			.args(["--name", self.name, "--no-prometheus", "--port", &self.port.to_string()])
			.args(["--rpc-port", &self.rpc_port.to_string()])
			.args(["--operator-rpc-port", &self.operator_port.to_string()])
			.args(["--share-rpc-addr", &format!("127.0.0.1:{}", self.share_port)]);
		if let Some(boot) = &self.boot {
			command.args(["--bootnodes", boot]);
		}
		self.node = Some(Node::spawn(command));
	}

	/// Stops its node as an operator does, and checks that it ends well.
	pub fn stop(&mut self) {
		if let Some(node) = self.node.take() {
			node.stop();
		}
	}

	/// Kills its node as a crash does.
	pub fn kill(&mut self) {
		if let Some(node) = self.node.take() {
			node.kill();
		}
	}

	/// Its node, which runs.
	pub fn node(&self) -> &Node {
		self.node.as_ref().expect("it runs")
	}

	/// The tool, pointed at its node.
	pub fn tool(&self) -> Tool {
		Tool::new(&self.node().url)
	}

	/// Runs one of the tool's commands over its node's port for operators, signed by this validator.
	pub fn operate(&self, arguments: &[&str]) -> Value {
		let name = self.name.to_lowercase();
		Tool::new(&format!("ws://127.0.0.1:{}", self.operator_port))
			.run(&[arguments, &["--dev-account", &name]].concat())
			.json()
	}

	/// Runs one of the node's commands on its stores.
	pub fn maintain(&self, arguments: &[&str]) -> String {
		node_command(arguments).args(self.place()).args(self.password()).succeed()
	}

	/// The file of its share store.
	pub fn share_store(&self) -> PathBuf {
		self.home.join("chains/keyshare-local/share-store.sqlite")
	}

	/// Waits until the chain, as its own node sees it, says `this` of it.
	pub async fn is(&self, this: impl Fn(&ValidatorInfo) -> bool) -> ValidatorInfo {
		let chain = Chain::connect(&self.node().url).await.expect("it answers");
		let (account, chain, this) = (self.account(), &chain, &this);
		until(&format!("waiting for {}", self.name), || {
			let account = account.clone();
			async move {
				let info = chain.validator(&account).await.expect("it answers");
				this(&info).then_some(info)
			}
		})
		.await
	}

	/// Publishes its server.
	pub fn declare(&self) -> Value {
		let endpoint = format!("http://127.0.0.1:{}", self.share_port);
		self.operate(&["server", "declare", "--endpoint", &endpoint])
	}

	fn address(&self) -> String {
		format!("/ip4/127.0.0.1/tcp/{}/p2p/{}", self.port, self.identity)
	}

	fn place(&self) -> [&std::ffi::OsStr; 4] {
		["--chain".as_ref(), self.spec.as_ref(), "--base-path".as_ref(), self.home.as_ref()]
	}

	fn password(&self) -> [PathBuf; 2] {
		["--share-store-password-file".into(), self.home.join("password")]
	}
}

/// The account of a well-known name.
fn account(name: &str) -> AccountId {
	let signer = keyshare_client::account::development_signer(&name.to_lowercase());
	account_of(&signer.expect("a well-known name"))
}

/// A specification made from the local one: other validators, no servers yet, and users with
/// funds.
fn write_spec(to: &Path, founders: usize, users: u16, code: Option<&[u8]>) {
	let spec = node_command(&["export-chain-spec", "--chain", "local"]).succeed();
	let mut spec: Value = serde_json::from_str(&spec).expect("JSON");
	if let Some(code) = code {
		spec["genesis"]["runtimeGenesis"]["code"] = json!(to_hex(code));
	}
	let genesis = &mut spec["genesis"]["runtimeGenesis"]["patch"];
	let accounts: Vec<_> =
		NAMES[..founders].iter().map(|name| public("sr25519", &format!("//{name}"))).collect();
	let keys = |(name, account): (&&str, &String)| {
		let grandpa = public("ed25519", &format!("//{name}"));
		json!([account, account, { "aura": account, "grandpa": grandpa }])
	};
	genesis["session"]["keys"] = NAMES.iter().zip(&accounts).map(keys).collect();
	let operator = |subgroup: usize| {
		let validators: Vec<_> = accounts.iter().skip(subgroup).step_by(SUBGROUPS).collect();
		let (name, account) = (NAMES[subgroup], account(NAMES[subgroup]).to_string());
		json!({
			"account": account, "name": name, "subgroup": subgroup, "seats": SEATS,
			"validators": validators,
		})
	};
	genesis["subgroups"]["operators"] = (0..SUBGROUPS).map(operator).collect();
	genesis["subgroups"]["servers"] = json!([]);
	genesis["subgroups"]["sessionLength"] = json!(SESSION_LENGTH);
	let balances = genesis["balances"]["balances"].as_array_mut().expect("a list");
	// 10,000 KEY each, in the smallest unit.
	let funds = 10_000_000_000_000_000u64;
	balances.extend((0..users).map(|user| json!([User(user).account().to_string(), funds])));
	std::fs::write(to, spec.to_string()).expect("written");
}

/// The address of a well-known key.
fn public(scheme: &str, uri: &str) -> String {
	let shown = node_command(&["key", "inspect", "--output-type", "json", "--scheme", scheme, uri])
		.succeed();
	let shown: Value = serde_json::from_str(&shown).expect("JSON");
	shown["ss58PublicKey"].as_str().expect("an address").to_owned()
}

fn node_command(arguments: &[&str]) -> Command {
	let mut command = Command::new(binary("keyshare-node"));
	command.args(arguments);
	command
}

trait Succeed {
	/// Runs it to its end, and gives what it has written.
	fn succeed(&mut self) -> String;
}

impl Succeed for Command {
	fn succeed(&mut self) -> String {
		let output = self.output().expect("it starts");
		let errors = String::from_utf8_lossy(&output.stderr);
		assert!(output.status.success(), "{self:?}: {errors}");
		String::from_utf8(output.stdout).expect("text")
	}
}

/// Makes a file its owner's only.
fn own(path: &Path) {
	use std::os::unix::fs::PermissionsExt;
	let mode = std::fs::Permissions::from_mode(0o600);
	std::fs::set_permissions(path, mode).expect("it is ours");
}
