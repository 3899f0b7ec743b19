//! The tool itself, as a process: exit codes, and the JSON that programs rely on.

mod common;

use common::{tool::*, *};
use keyshare_client::{dealing::Dealing, error::exit};
use keyshare_primitives::{
	api::{Membership, RegistrationStatus},
	wire::{to_hex, ErrorCode},
	KeyScheme,
};
use serde_json::Value;
use std::{process::Command, time::Duration};

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
	assert_eq!(json["registering"]["threshold"], 2);
	assert_eq!(json["registering"]["subgroups"][0]["confirmed"], Value::Array(vec![]));
	assert_eq!(json["registered"], Value::Null);
	assert_eq!(json["constraintAccount"], user());
	assert_eq!(json["constraints"]["rules"], Value::Array(vec![]));
	assert_eq!(json["constraints"]["messages"], "never");
	let subgroups = keyshare(&network.url, &["subgroups"]).await;
	let json = subgroups.json();
	assert_eq!(json["threshold"], 2);
	let member = &json["subgroups"][2]["members"][0];
	assert_eq!(member["server"], server_account(2).to_string());
	assert_eq!(member["operator"], operator_account(2).to_string());
	assert_eq!(
		(&member["operatorName"], &member["operatorSince"]),
		(&"Operator 2".into(), &0.into())
	);
}

#[tokio::test]
async fn a_confirmation_of_a_member_that_is_not_ready_is_shown_and_not_counted() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	network.chain.set_ready(1, false);
	network.chain.confirm(0);
	network.chain.confirm(1);
	let status = keyshare(&network.url, &["status", &user()]).await;
	let subgroups = &status.json()["registering"]["subgroups"];
	let server = |g| serde_json::json!([server_account(g).to_string()]);
	assert_eq!((&subgroups[0]["counted"], &subgroups[0]["reached"]), (&1.into(), &true.into()));
	assert_eq!(subgroups[0]["ready"], server(0));
	assert_eq!((&subgroups[1]["counted"], &subgroups[1]["reached"]), (&0.into(), &false.into()));
	assert_eq!((&subgroups[1]["members"], &subgroups[1]["confirmed"]), (&server(1), &server(1)));
	assert_eq!(
		(&subgroups[1]["ready"], &subgroups[1]["quorum"]),
		(&Value::Array(vec![]), &Value::Null)
	);
}

#[tokio::test]
async fn nothing_is_begun_while_a_subgroup_has_no_ready_member() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	network.chain.change(|state| state.account.registering = None);
	network.chain.set_ready(2, false);
	let file = KeyFile::new();
	let register = ["register", "--key-file", file.path(), "--external-signer", &user()];
	let ran = keyshare(&network.url, &register).await;
	assert_eq!(ran.code, exit::REFUSED, "{}", ran.messages);
	assert_eq!(ran.error()["name"], "Registration::NoReadyMember");
	assert!(ran.error()["message"].as_str().is_some_and(|text| text.contains("subgroup 2")));
}

#[tokio::test]
async fn a_threshold_lies_between_the_chains_and_the_number_of_subgroups() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	let (file, user) = (KeyFile::new(), user());
	for command in ["register", "swap-key"] {
		let with = |threshold: &'static str| {
			let key = ["--key-file", file.path(), "--external-signer", &user];
			[&[command, "--threshold", threshold][..], &key].concat()
		};
		for impossible in ["0", "1", "4"] {
			let ran = keyshare(&network.url, &with(impossible)).await;
			assert_eq!(ran.code, exit::USAGE, "{}", ran.messages);
			assert!(ran.messages.contains("from 2 to 3"), "{}", ran.messages);
		}
		// The attempt under way is what is in the way of these.
		for (possible, warned) in [("2", false), ("3", true)] {
			let ran = keyshare(&network.url, &with(possible)).await;
			assert_eq!(ran.code, exit::REFUSED, "{}", ran.messages);
			assert_eq!(ran.messages.contains("keep a backup"), warned, "{}", ran.messages);
		}
	}
}

#[tokio::test]
async fn what_an_attempt_costs_beside_its_transaction_is_the_chains_answer() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	let chain = keyshare_client::chain::Chain::connect(&network.url).await.expect("it answers");
	let deposit = chain.deposit(KeyScheme::Ed25519, 2, None).await.expect("it answers");
	let fee = chain.confirmation_fee().await.expect("it answers");
	assert_eq!((deposit, fee), (1_000_000_000_000, 3_000_000_000));
}

#[tokio::test]
async fn only_the_key_in_force_is_dealt_anew() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	let file = KeyFile::new();
	let reshare = ["reshare", "--key-file", file.path(), "--external-signer", &user()];
	let none = keyshare(&network.url, &reshare).await;
	assert_eq!(none.code, exit::REFUSED, "{}", none.messages);
	assert_eq!(none.error()["name"], "Registration::NotRegistered");

	network.chain.change(|state| {
		let mut key = state.account.registering.take().expect("under way");
		key.status = RegistrationStatus::Registered;
		state.account.registered = Some(key);
	});
	let too_many = [&reshare[..], &["--threshold", "4"]].concat();
	assert_eq!(keyshare(&network.url, &too_many).await.code, exit::USAGE);
	// It goes on to the metadata, which this chain has none of.
	let same = keyshare(&network.url, &reshare).await;
	assert_eq!(same.code, exit::FAILED, "{}", same.messages);

	std::fs::write(&file.path, format!("ed25519:{}", "08".repeat(32))).expect("written");
	let other = keyshare(&network.url, &reshare).await;
	assert_eq!(other.code, exit::USAGE, "{}", other.messages);
	assert!(other.messages.contains("not the key in force"), "{}", other.messages);
	assert!(other.messages.contains(&to_hex(key().public_key().as_ref())), "{}", other.messages);
	assert!(!other.messages.contains(&"08".repeat(32)));
	// To another key it is a swap.
	let swap = ["swap-key", "--key-file", file.path(), "--external-signer", &user()];
	assert_eq!(keyshare(&network.url, &swap).await.code, exit::FAILED);
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
	let kinds = inspected.json()["addresses"].as_array().expect("a list").iter();
	let kinds: Vec<_> = kinds.map(|address| &address["kind"]).collect();
	assert_eq!(kinds, ["EVM", "Bitcoin P2TR", "Bitcoin P2WPKH"]);
	// The file is named as `key generate` names it, too.
	let named = keyshare("ws://127.0.0.1:1", &["key", "inspect", path]).await;
	assert_eq!(named.json(), made.json());
	let secret = std::fs::read_to_string(path).expect("written");
	let digits = secret.trim().trim_start_matches("secp256k1:");
	assert!(!inspected.messages.contains(digits) && !inspected.json().to_string().contains(digits));
	assert_eq!(keyshare("ws://127.0.0.1:1", &generate).await.code, exit::USAGE);
}

#[tokio::test]
async fn a_secret_in_the_wrong_place_is_never_repeated() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	let phrase = "legal winner thank year wave sausage worth useful legal winner thank yellow";
	let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
	let (longer, joined) = (format!("{seed}0"), format!("--external-signer={seed}"));
	let user = user();
	let (file, address) = ("where a file belongs", "where an address belongs");
	let cases: [(&[&str], &str); 12] = [
		(&["key", "inspect", seed], file),
		(&["key", "inspect", "--key-file", seed], file),
		(&["key", "generate", seed, "--scheme", "ed25519"], file),
		(&["resume", &user, "--key-file", seed], file),
		(&["cancel", "--account-file", phrase], file),
		(&["cancel", "--external-signer", phrase], address),
		(&["cancel", "--external-signer", &longer], address),
		(&["cancel", &joined], address),
		(&["status", seed], address),
		(&["cancel", "--dev-account", seed], "where a name belongs"),
		(&["register", seed, "--dev-account", "alice"], "where none belongs"),
		(&[seed], "where none belongs"),
	];
	for (wrong, part) in cases {
		let ran = keyshare(&network.url, wrong).await;
		assert_eq!(ran.code, exit::USAGE, "{}", ran.messages);
		let message = ran.error()["message"].as_str().expect("a text");
		assert!(message.contains(part) && message.contains("history"), "{part} in {message}");
		for secret in [seed, phrase] {
			assert!(!message.contains(secret) && !ran.messages.contains(secret), "{message}");
		}
	}
}

#[test]
fn a_file_that_is_there_is_one_even_if_its_name_looks_like_a_secret() {
	let folder = tempfile::tempdir().expect("a temporary folder");
	let in_folder = |arguments: &[&str]| {
		let mut command = Command::new(env!("CARGO_BIN_EXE_keyshare"));
		let command = command.arg("--json").args(arguments).current_dir(folder.path());
		Ran::from(command.output().expect("it starts"))
	};
	let made = in_folder(&["key", "generate", "my.key", "--scheme", "ed25519"]);
	assert_eq!(made.code, exit::OK, "{}", made.messages);
	let name = "9d61".repeat(16);
	std::fs::rename(folder.path().join("my.key"), folder.path().join(&name)).expect("renamed");
	assert_eq!(in_folder(&["key", "inspect", &name]).json(), made.json());
}

#[cfg(unix)]
#[test]
fn a_key_on_standard_input_is_read_into_no_buffer_that_is_not_wiped() {
	use std::io::{Seek, Write};
	let mut file = tempfile::tempfile().expect("a temporary file");
	file.write_all(&[b'0'; 20_000]).expect("written");
	file.rewind().expect("a file");
	let mut command = Command::new(env!("CARGO_BIN_EXE_keyshare"));
	command.args(["--json", "key", "inspect", "--key-stdin"]);
	let output = command.stdin(file.try_clone().expect("one more")).output().expect("it starts");
	let ran = Ran::from(output);
	assert!(ran.messages.contains("the key in standard input"), "{}", ran.messages);
	// The buffer of the standard library would have taken 8192 bytes at once.
	assert_eq!(file.stream_position().expect("a file"), 4_096);
}

#[cfg(unix)]
#[test]
fn a_key_file_that_cannot_be_written_is_not_left_in_the_way_of_the_next_attempt() {
	let folder = tempfile::tempdir().expect("a temporary folder");
	let path = folder.path().join("new.key");
	let generate = |largest: &str| {
		// Instead of a full disk. Unlike the signal, the limit is an error to the tool.
		let limited = format!("trap '' XFSZ; ulimit -f {largest}; exec \"$0\" \"$@\"");
		let mut command = Command::new("sh");
		command.args(["-c", &limited, env!("CARGO_BIN_EXE_keyshare"), "--json"]);
		command.args(["key", "generate", "--scheme", "ed25519"]).arg(&path);
		Ran::from(command.output().expect("it starts"))
	};
	let full = generate("0");
	assert_eq!(full.code, exit::USAGE, "{}", full.messages);
	assert!(full.messages.contains("cannot write"), "{}", full.messages);
	assert!(!path.exists());
	assert_eq!(generate("unlimited").code, exit::OK);
}

#[tokio::test]
async fn an_error_in_a_secret_names_the_file_and_not_the_other_kind_of_secret() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	let file = KeyFile::new();
	for (bytes, part) in [(vec![b'0'; 5_000], "longer"), (b"bottom drive".to_vec(), "mnemonic")] {
		std::fs::write(&file.path, bytes).expect("written");
		let ran = keyshare(&network.url, &["cancel", "--account-file", file.path()]).await;
		assert_eq!(ran.code, exit::USAGE, "{}", ran.messages);
		let message = ran.error()["message"].as_str().expect("a text");
		assert!(message.contains(file.path()) && message.contains(part), "{message}");
		let words = message.replace(file.path(), "");
		assert!(words.contains("account") && !words.contains("key"), "{message}");
	}
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
		state.validator.membership = Membership::Syncing { joined: 4, silent: true };
		state.validator.operator = Some(operator_account(2));
		state.validator.assigned_by = vec![operator_account(1)];
		state.validator.server = Some(state.subgroups[1].members[0].server.clone());
		state.validator.obstacles.clear();
	});
	let ran = keyshare(&network.url, &["server", "status", &user()]).await;
	let json = ran.json();
	assert_eq!((&json["membership"], &json["joined"]), (&"syncing".into(), &4.into()));
	assert_eq!((&json["silent"], &json["ready"]), (&true.into(), &Value::Null));
	assert_eq!(json["operator"], operator_account(2).to_string());
	assert_eq!(json["assignedBy"], serde_json::json!([operator_account(1).to_string()]));
	assert_eq!(json["server"]["server"], server_account(1).to_string());
	assert_eq!(json["obstacles"], serde_json::json!([]));
	// One view under two names.
	let same = keyshare(&network.url, &["validator", "status", &user()]).await;
	assert_eq!(same.json(), json);
}

#[tokio::test]
async fn the_status_of_a_server_is_that_of_its_validator() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	for command in ["server", "validator"] {
		let server = server_account(1).to_string();
		let ran = keyshare(&network.url, &[command, "status", &server]).await;
		assert_eq!(ran.code, exit::OK, "{}", ran.messages);
		let validator = validator_account(1).to_string();
		assert_eq!(ran.json()["validator"], validator);
		let note = format!("{server} is the server of validator {validator}");
		assert!(ran.messages.contains(&note), "{}", ran.messages);
	}
}

#[tokio::test]
async fn a_wrong_command_line_is_a_json_error_as_any_other() {
	let dave = "5DAAnrj7VHTznn2AWBemMuyBwZWs6FNFjdyVXUeYum3PTXFy";
	let cases: [(&[&str], &str); 6] = [
		(&["register"], "--key-file"),
		(&["status", "foo"], "`foo` is no account"),
		(&["status", "dave"], dave),
		(&["stat"], "stat"),
		(&["key"], "no command"),
		(&[], "subcommand"),
	];
	for (wrong, part) in cases {
		let ran = keyshare("ws://127.0.0.1:1", wrong).await;
		assert_eq!(ran.code, exit::USAGE, "{}", ran.messages);
		assert_eq!(ran.error()["kind"], "input");
		let message = ran.error()["message"].as_str().expect("a text");
		assert!(message.contains(part), "{part} in {message}");
		// People read the same, as with every other error.
		assert!(ran.messages.contains(&format!("Error: {message}")), "{}", ran.messages);
	}
}

#[tokio::test]
async fn tls_to_a_plain_node_is_said_to_be_what_fails() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	let ran = keyshare(&network.url.replace("ws://", "wss://"), &["subgroups"]).await;
	assert_eq!(ran.code, exit::FAILED, "{}", ran.messages);
	assert!(ran.messages.contains("try ws://"), "{}", ran.messages);
}

#[tokio::test]
async fn nothing_is_signed_while_the_node_is_behind() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	network.chain.change(|state| state.is_behind = true);
	let cancel = ["cancel", "--external-signer", &user(), "--deadline", "1"];
	let ran = keyshare(&network.url, &cancel).await;
	assert_eq!(ran.code, exit::INCOMPLETE, "{}", ran.messages);
	assert!(ran.messages.contains("catching up"), "{}", ran.messages);
	let hint = ran.error()["hint"].as_str().expect("what to do");
	assert!(hint.contains("Nothing was signed") && !hint.contains("resume"), "{hint}");
	network.chain.change(|state| state.is_behind = false);
	// It goes on to the metadata, which this chain has none of.
	let ran = keyshare(&network.url, &cancel).await;
	assert_eq!(ran.code, exit::FAILED, "{}", ran.messages);
	assert!(!ran.messages.contains("catching up"), "{}", ran.messages);
}

#[tokio::test]
async fn the_deadline_counts_while_the_node_says_nothing() {
	let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
	let url = format!("ws://{}", silent.local_addr().expect("bound"));
	let (file, user) = (KeyFile::new(), user());
	let register = ["register", "--key-file", file.path(), "--external-signer", &user];
	let register = [&register[..], &["--deadline", "2"]].concat();
	let ran = tokio::time::timeout(Duration::from_secs(8), keyshare(&url, &register)).await;
	let ran = ran.expect("it ends long before the node's own timeout");
	assert_eq!(ran.code, exit::INCOMPLETE, "{}", ran.messages);
	assert!(ran.messages.contains(&url), "{}", ran.messages);
	assert!(ran.error()["hint"].as_str().is_some_and(|hint| hint.contains("Nothing was signed")));
}

#[tokio::test]
async fn what_opens_more_than_it_says_is_shown_before_it_is_signed() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	network.chain.change(|state| {
		state.kind = "Development";
		state.account.registering = None;
		state.account.constraints = None;
	});
	let file = KeyFile::new();
	let key_and_signer = ["--key-file", file.path(), "--dev-account", "alice"];
	let rules = ["--allow", "1: solana pay to anyone up to any", "--fee", "solana=1"];
	let register = [&["register"][..], &key_and_signer, &rules, &["--messages", "any"]].concat();
	let ran = keyshare(&network.url, &register).await;
	// It goes on to the metadata, which this chain has none of.
	assert_eq!(ran.code, exit::FAILED, "{}", ran.messages);
	for once in [
		"1: solana pay to anyone up to any",
		"Largest fees: solana=1",
		"Warning: anyone may be paid",
		"Warning: any amount may be paid",
		"Warning: any message may be signed",
		&to_hex(key().public_key().as_ref()),
		"Solana: ",
		&format!("--key-file {}` goes on", file.path()),
	] {
		assert_eq!(ran.messages.matches(once).count(), 1, "{once} in {}", ran.messages);
	}
}

#[tokio::test]
async fn constraints_that_are_there_already_are_not_set_again() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	let user = user();
	let set = ["constraints", "set", "--messages", "never", &user, "--external-signer", &user];
	let ran = keyshare(&network.url, &set).await;
	assert_eq!(ran.code, exit::OK, "{}", ran.messages);
	assert!(ran.messages.contains("Nothing to do"), "{}", ran.messages);
	assert_eq!(ran.json()["account"], user);
	// Without any there is nothing to set, and it says what there is to do.
	network.chain.change(|state| {
		state.account.registering = None;
		state.account.constraints = None;
	});
	let ran = keyshare(&network.url, &set).await;
	assert_eq!(ran.error()["name"], "Registration::NoConstraints");
	assert!(ran.error()["hint"].as_str().is_some_and(|hint| hint.contains("keyshare register")));
}

#[tokio::test]
async fn a_swap_keeps_the_threshold_of_the_key_in_force() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	network.chain.change(|state| {
		let mut in_force = state.account.registering.take().expect("under way");
		in_force.status = RegistrationStatus::Registered;
		let of_all = Dealing::with_threshold(&key(), 3, &parameters(), &GENESIS, &USER, 1);
		in_force.key.commitments = of_all.expect("n of n").commitments;
		state.account.registered = Some(in_force);
	});
	let (file, user) = (KeyFile::new(), user());
	let swap = ["swap-key", "--key-file", file.path(), "--external-signer", &user];
	for (threshold, kept) in [(vec![], true), (vec!["--threshold", "2"], false)] {
		let ran = keyshare(&network.url, &[&swap[..], &threshold].concat()).await;
		// It goes on to the metadata, which this chain has none of.
		assert_eq!(ran.code, exit::FAILED, "{}", ran.messages);
		assert_eq!(ran.messages.contains("threshold of 3 of 3"), kept, "{}", ran.messages);
	}
	// One that has become impossible gives way to the nearest.
	network.chain.change(|state| state.parameters.subgroups = 2);
	let ran = keyshare(&network.url, &swap).await;
	assert!(ran.messages.contains("the nearest that it does: 2"), "{}", ran.messages);
}
