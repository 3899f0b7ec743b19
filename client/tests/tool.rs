//! The tool itself, as a process: exit codes, and the JSON that programs rely on.

mod common;

use common::*;
use keyshare_client::error::exit;
use keyshare_primitives::wire::{to_hex, ErrorCode};
use serde_json::Value;
use std::{
	path::PathBuf,
	process::{Command, Output},
};

/// Runs the tool against `url` with `--json`, off the thread that serves it.
async fn keyshare(url: &str, arguments: &[&str]) -> Ran {
	let mut command = Command::new(env!("CARGO_BIN_EXE_keyshare"));
	command.args(["--json", "--url", url]).args(arguments).env_remove("KEYSHARE_URL");
	let output = tokio::task::spawn_blocking(move || command.output().expect("it starts"));
	Ran::from(output.await.expect("it ends"))
}

struct Ran {
	code: u8,
	lines: Vec<Value>,
	messages: String,
}

impl From<Output> for Ran {
	fn from(output: Output) -> Self {
		let stdout = String::from_utf8(output.stdout).expect("text");
		let parse = |line| serde_json::from_str(line).expect("standard output is JSON lines");
		Self {
			code: output.status.code().and_then(|code| code.try_into().ok()).expect("it ended"),
			lines: stdout.lines().map(parse).collect(),
			messages: String::from_utf8(output.stderr).expect("text"),
		}
	}
}

impl Ran {
	/// The only line.
	fn json(&self) -> &Value {
		assert_eq!(self.lines.len(), 1, "{:?} {}", self.lines, self.messages);
		&self.lines[0]
	}

	fn error(&self) -> &Value {
		let error = &self.json()["error"];
		assert_eq!(error["exitCode"], self.code);
		error
	}
}

/// A file with the key of the attempt under way.
struct KeyFile {
	_folder: tempfile::TempDir,
	path: PathBuf,
}

impl KeyFile {
	fn new() -> Self {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let path = folder.path().join("user.key");
		keyshare_client::keyfile::write_new(&path, &key()).expect("new");
		Self { _folder: folder, path }
	}

	fn path(&self) -> &str {
		self.path.to_str().expect("plain")
	}
}

fn user() -> String {
	USER.to_string()
}

#[tokio::test]
async fn an_interrupted_attempt_is_resumed_with_nothing_but_the_key() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	network.chain.confirm(1);
	let file = KeyFile::new();
	let ran = keyshare(&network.url, &["resume", &user(), "--key-file", file.path()]).await;
	assert_eq!(ran.code, exit::OK, "{}", ran.messages);
	let json = ran.json();
	assert_eq!(json["account"], user());
	assert_eq!(json["status"], "registered");
	assert_eq!(json["scheme"], "ed25519");
	assert_eq!(json["generation"], 1);
	assert_eq!(json["registrationId"], to_hex(record().id.as_bytes()));
	for g in 0..3u8 {
		let server = &json["servers"][usize::from(g)];
		assert_eq!(server["subgroup"], g);
		assert_eq!(server["server"], server_account(g).to_string());
		assert_eq!(server["state"], "confirmed");
		assert_eq!(json["subgroups"][usize::from(g)]["reached"], true);
	}
	assert!(network.servers[1].calls().is_empty());
	assert!(ran.messages.contains("confirmed"), "progress is on standard error");
	let secret = hex::encode(key().expose_secret());
	assert!(!ran.messages.contains(&secret));

	let verified = keyshare(&network.url, &["verify", &user()]).await;
	// The server that had confirmed before holds no share: nobody sent it one.
	assert_eq!(verified.code, exit::VERIFICATION);
	assert_eq!(verified.json()["subgroups"][1]["members"][0]["custody"], "no-share");
	assert_eq!(verified.json()["subgroups"][0]["members"][0]["custody"], "proved");
	assert_eq!(verified.json()["holds"], false);
}

#[tokio::test]
async fn another_key_resumes_nothing() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	let file = KeyFile::new();
	std::fs::write(&file.path, format!("ed25519:{}", "08".repeat(32))).expect("written");
	let ran = keyshare(&network.url, &["resume", &user(), "--key-file", file.path()]).await;
	assert_eq!(ran.code, exit::REFUSED);
	assert_eq!(ran.error()["kind"], "refused");
	assert_eq!(ran.error()["name"], "Registration::NotRegistering");
	assert!(network.servers.iter().all(|server| server.calls().is_empty()));
}

#[tokio::test]
async fn the_missing_are_in_the_error() {
	let refusing = Behaviour::Refusing(ErrorCode::UnknownServer);
	let network = Network::new([Behaviour::Honest, Behaviour::Honest, refusing]).await;
	let file = KeyFile::new();
	let ran = keyshare(&network.url, &["resume", &user(), "--key-file", file.path()]).await;
	assert_eq!(ran.code, exit::INCOMPLETE);
	assert_eq!(ran.error()["kind"], "incomplete");
	let missing = ran.error()["missing"].as_array().expect("a list");
	let two = missing.iter().find(|missing| missing["subgroup"] == 2).expect("subgroup 2");
	assert_eq!(two["servers"][0]["server"], server_account(2).to_string());
	assert_eq!(two["quorum"], 1);
}

#[tokio::test]
async fn status_and_subgroups_have_their_shapes() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	let status = keyshare(&network.url, &["status", &user()]).await;
	assert_eq!(status.code, exit::OK);
	let json = status.json();
	assert_eq!(json["registering"]["status"], "registering");
	assert_eq!(json["registering"]["expiresAt"], 100);
	assert_eq!(json["registering"]["subgroups"][0]["confirmed"], Value::Array(vec![]));
	assert_eq!(json["registered"], Value::Null);
	assert_eq!(json["constraintAccount"], user());
	assert_eq!(json["constraints"]["evmAcl"], Value::Null);
	let subgroups = keyshare(&network.url, &["subgroups"]).await;
	let json = subgroups.json();
	assert_eq!(json["threshold"], 2);
	assert_eq!(json["subgroups"][2]["members"][0]["server"], server_account(2).to_string());
}

#[tokio::test]
async fn a_public_account_does_not_sign_on_a_live_chain() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	let ran = keyshare(&network.url, &["cancel", "--dev-account", "alice"]).await;
	assert_eq!(ran.code, exit::USAGE);
	assert!(ran.error()["message"].as_str().is_some_and(|text| text.contains("Live")));
	// On a development chain the chain's own state decides: Alice has no attempt.
	network.chain.change(|state| {
		state.kind = "Development";
		state.account.registering = None;
	});
	let ran = keyshare(&network.url, &["cancel", "--dev-account", "alice"]).await;
	assert_eq!(ran.error()["name"], "Registration::NotRegistering");
}

#[tokio::test]
async fn exit_codes_tell_other_chains_from_absent_nodes() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	network.chain.change(|state| state.spec_name = "other");
	let other = keyshare(&network.url, &["subgroups"]).await;
	assert_eq!(other.error()["kind"], "wrong-chain");
	assert_eq!(other.code, exit::WRONG_CHAIN);
	let absent = format!("ws://127.0.0.1:{}", closed_port());
	assert_eq!(keyshare(&absent, &["subgroups"]).await.code, exit::FAILED);
	assert_eq!(keyshare(&absent, &["status", "nobody"]).await.code, exit::USAGE);
}

#[tokio::test]
async fn key_files_are_made_and_inspected_without_a_network() {
	let folder = tempfile::tempdir().expect("a temporary folder");
	let path = folder.path().join("new.key");
	let path = path.to_str().expect("plain");
	let generate = ["key", "generate", path, "--scheme", "secp256k1"];
	let made = keyshare("ws://127.0.0.1:1", &generate).await;
	assert_eq!(made.code, exit::OK, "{}", made.messages);
	let inspected = keyshare("ws://127.0.0.1:1", &["key", "inspect", "--key-file", path]).await;
	assert_eq!(inspected.json(), made.json());
	assert_eq!(inspected.json()["scheme"], "secp256k1");
	let secret = std::fs::read_to_string(path).expect("written");
	let digits = secret.trim().trim_start_matches("secp256k1:");
	assert!(!inspected.messages.contains(digits) && !inspected.json().to_string().contains(digits));
	assert_eq!(keyshare("ws://127.0.0.1:1", &generate).await.code, exit::USAGE);
}

#[tokio::test]
async fn a_validators_standing_names_what_is_in_its_way() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	let ran = keyshare(&network.url, &["server", "status", &user()]).await;
	assert_eq!(ran.code, exit::OK, "{}", ran.messages);
	let json = ran.json();
	assert_eq!(json["validator"], user());
	assert_eq!((&json["subgroup"], &json["membership"]), (&2.into(), &"outside".into()));
	assert_eq!(json["obstacles"], serde_json::json!(["no-server", "barred"]));
	assert_eq!(json["server"], Value::Null);
	network.chain.change(|state| {
		state.validator.membership = keyshare_primitives::api::Membership::Syncing { since: 4 };
		state.validator.server = Some(state.subgroups[1].members[0].server.clone());
		state.validator.obstacles.clear();
	});
	let ran = keyshare(&network.url, &["server", "status", &user()]).await;
	let json = ran.json();
	assert_eq!((&json["membership"], &json["sinceSession"]), (&"syncing".into(), &4.into()));
	assert_eq!(json["server"]["server"], server_account(1).to_string());
	assert_eq!(json["obstacles"], serde_json::json!([]));
}

#[tokio::test]
async fn nothing_is_signed_while_the_node_is_behind() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	network.chain.change(|state| state.is_behind = true);
	let cancel = ["cancel", "--external-signer", &user(), "--deadline", "1"];
	let ran = keyshare(&network.url, &cancel).await;
	assert_eq!(ran.code, exit::INCOMPLETE, "{}", ran.messages);
	assert!(ran.messages.contains("catching up"), "{}", ran.messages);
	network.chain.change(|state| state.is_behind = false);
	// It goes on to the metadata, which this chain has none of.
	let ran = keyshare(&network.url, &cancel).await;
	assert_eq!(ran.code, exit::FAILED, "{}", ran.messages);
	assert!(!ran.messages.contains("catching up"), "{}", ran.messages);
}
