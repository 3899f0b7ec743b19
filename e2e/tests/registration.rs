//! A user's whole story over the real node and the real tool: register, look, verify, change the
//! constraints, deal anew, swap, leave; and what happens when somebody else tries.

use keyshare_e2e::{server_state, DevNode, Output, Tool};
use serde_json::Value;
use std::path::Path;

/// For each scheme a rule, the fee that it needs, and another rule.
const ED25519: [&str; 3] = [
	"1: solana pay to EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v up to 1000000000",
	"solana=10000",
	"2: solana memo",
];
const SECP256K1: [&str; 3] = [
	"1: evm:1 pay to 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed up to 1000000000000000000",
	"evm:1=2000000000000000",
	"2: evm:1 pay to anyone up to 5",
];
const FERDIE: &str = "5CiPPseXPECbkjWCa6MnjNokrgYjMqmKndv2rSnekmSK2DjL";
const DAVE: &str = "5DAAnrj7VHTznn2AWBemMuyBwZWs6FNFjdyVXUeYum3PTXFy";

fn path(folder: &Path, name: &str) -> String {
	folder.join(name).to_str().expect("UTF-8").to_owned()
}

/// How far each server came, in the order in which progress told it: subgroup and state.
fn states(output: &Output) -> Vec<(u8, String)> {
	output.stderr.lines().filter_map(server_state).collect()
}

fn tells_the_whole_story(scheme: &str, [rule, fee, other]: [&str; 3]) {
	let folder = tempfile::tempdir().expect("a folder");
	let node = DevNode::new(&folder.path().join("node")).start();
	let tool = Tool::new(&node.url);
	let key = path(folder.path(), "key");
	let next = path(folder.path(), "next");
	for file in [&key, &next] {
		tool.run(&["key", "generate", "--scheme", scheme, file]).json();
	}

	// What it costs is known before, and nothing has been done by asking.
	let register =
		["register", "--key-file", &key, "--dev-account", "dave", "--constraint-account", FERDIE];
	let allowed = [&register[..], &["--allow", rule, "--fee", fee]].concat();
	let cost = tool.run(&[&allowed[..], &["--dry-run"]].concat()).json();
	let amount = |field: &str| cost[field].as_str().and_then(|digits| digits.parse::<u128>().ok());
	let parts = ["deposit", "fee", "confirmationFee"].map(|field| amount(field).unwrap_or(0));
	assert!(parts.iter().all(|part| *part > 0), "{cost}");
	assert_eq!(amount("total"), Some(parts.iter().sum::<u128>()), "{cost}");
	// All of the deposit comes back but what pays for the number of the account's last attempt.
	const LASTING: u128 = 108_600_000_000;
	assert_eq!(amount("comesBack"), Some(parts[0] - LASTING), "{cost}");
	assert!(amount("spendable") > amount("total"), "{cost}");
	let nothing = tool.run(&["status", DAVE]).json();
	assert_eq!((&nothing["registering"], &nothing["registered"]), (&Value::Null, &Value::Null));

	// Registering goes through every state at every server, and ends registered.
	let registered = tool.run(&allowed);
	let data = registered.json();
	assert_eq!(data["status"], "registered", "{data}");
	for subgroup in 0..3 {
		let seen: Vec<_> = states(&registered)
			.into_iter()
			.filter(|(of, state)| *of == subgroup && state != "retrying")
			.map(|(_, state)| state)
			.collect();
		// On a machine that is busy enough, the chain may show a share before its server's answer
		// has come.
		let at_once = ["sealed", "sent", "confirmed"];
		let one_by_one = ["sealed", "sent", "stored", "confirmed"];
		assert!(seen == one_by_one || seen == at_once, "subgroup {subgroup}: {seen:?}");
	}
	let status = tool.run(&["status", DAVE]).json();
	assert_eq!(status["registered"]["generation"], 1);
	let first_key = status["registered"]["publicKey"].clone();
	tool.run(&["verify", DAVE]).json();

	// Nobody registers twice.
	tool.run(&register).failed_with(3, "AlreadyRegistered");

	// Constraints: as their account, and as anyone else.
	let set = |account: &str| {
		let options = ["--allow", other, "--fee", fee, "--dev-account", account, DAVE];
		tool.run(&[&["constraints", "set"][..], &options].concat())
	};
	set("dave").failed_with(3, "NotConstraintAccount");
	let changed = set("ferdie");
	changed.json();
	let shown = |words| changed.stderr.find(words).expect("it is shown");
	assert!(shown("Warning: ") < shown("Sent the call"), "before it is signed");
	let constraints = tool.run(&["constraints", "get", DAVE]).json();
	let rules = Value::from(vec![other]);
	assert_eq!(constraints["constraints"]["rules"], rules, "{constraints}");
	assert_eq!(constraints["constraintAccount"], FERDIE);
	let transfer = |account: &str, to: &str| {
		tool.run(&["constraints", "transfer", DAVE, to, "--dev-account", account])
	};
	transfer("dave", DAVE).failed_with(3, "NotConstraintAccount");
	transfer("ferdie", DAVE).json();
	set("ferdie").failed_with(3, "NotConstraintAccount");

	// Dealt anew, the key stays, its shares do not, and now every subgroup's is needed.
	let id = status["registered"]["registrationId"].clone();
	let reshare = ["reshare", "--key-file", &key, "--threshold", "3", "--dev-account", "dave"];
	tool.run(&reshare).json();
	let status = tool.run(&["status", DAVE]).json();
	assert_eq!(status["registered"]["generation"], 2);
	assert_eq!(status["registered"]["publicKey"], first_key);
	assert_eq!(status["registered"]["threshold"], 3, "{status}");
	assert_ne!(status["registered"]["registrationId"], id);
	tool.run(&["verify", DAVE]).json();
	tool.run(&["reshare", "--key-file", &next, "--dev-account", "dave"])
		.failed_with(2, "not the key in force");

	// Swapping replaces the key; leaving removes everything.
	tool.run(&["swap-key", "--key-file", &next, "--dev-account", "dave"]).json();
	let status = tool.run(&["status", DAVE]).json();
	assert_eq!(status["registered"]["generation"], 3);
	assert_ne!(status["registered"]["publicKey"], first_key);
	assert_eq!(status["registered"]["threshold"], 3, "it is kept: {status}");
	assert_eq!(status["registering"], Value::Null);
	tool.run(&["verify", DAVE]).json();
	tool.run(&["deregister", "--dev-account", "dave"]).json();
	let status = tool.run(&["status", DAVE]).json();
	assert_eq!((&status["registering"], &status["registered"]), (&Value::Null, &Value::Null));
	tool.run(&["deregister", "--dev-account", "dave"]).failed_with(3, "NotRegistered");
	// What is held still is not paid for again.
	let again = tool.run(&[&allowed[..], &["--dry-run"]].concat()).json();
	let deposit = (parts[0] - LASTING).to_string();
	assert_eq!(again["deposit"], deposit.as_str(), "{again}");
	assert_eq!(again["comesBack"], deposit.as_str(), "{again}");

	// The node's log has told it in plain words.
	for words in ["Share stored", "Sent confirmation", "Confirmed on chain"] {
		node.wait_for(words);
	}
}

#[test]
fn an_ed25519_key_from_registration_to_leaving() {
	tells_the_whole_story("ed25519", ED25519);
}

#[test]
fn a_secp256k1_key_from_registration_to_leaving() {
	tells_the_whole_story("secp256k1", SECP256K1);
}

#[test]
fn a_key_comes_from_standard_input_and_never_from_the_command_line() {
	let folder = tempfile::tempdir().expect("a folder");
	let node = DevNode::new(&folder.path().join("node")).start();
	let tool = Tool::new(&node.url);
	let secret = "11".repeat(32);
	let arguments = ["register", "--key-stdin", "--scheme", "secp256k1", "--dev-account", "eve"];
	let output = tool.run_with_input(&arguments, &secret);
	output.json();
	assert!(!output.stdout.contains(&secret) && !output.stderr.contains(&secret));
	assert!(!node.log().contains(&secret));
	tool.run(&["register", &secret, "--dev-account", "eve"]).failed_with(2, "");
}
