//! A user whose account lives in a wallet: the tool prints the call, somebody else signs and sends
//! it, and the tool goes on by itself.

mod common;

use codec::Decode;
use common::Wallet;
use keyshare_e2e::{DevNode, Tool};
use keyshare_runtime::RuntimeCall;
use serde_json::Value;
use sp_keyring::Sr25519Keyring;
use std::io::{BufRead, BufReader};

#[tokio::test]
async fn a_call_signed_in_a_wallet_completes_the_registration() {
	let folder = tempfile::tempdir().expect("a folder");
	let node = DevNode::new(&folder.path().join("node")).start();
	let tool = Tool::new(&node.url);
	let account = Sr25519Keyring::Dave;
	let address = account.to_account_id().to_string();
	let key = folder.path().join("key").to_str().expect("UTF-8").to_owned();
	tool.run(&["key", "generate", "--scheme", "ed25519", &key]).json();
	let mut running = tool.spawn(&["register", "--key-file", &key, "--external-signer", &address]);
	let stdout = BufReader::new(running.stdout.take().expect("it was piped"));
	let mut values = stdout
		.lines()
		.map(|line| serde_json::from_str::<Value>(&line.expect("text")).expect("a value a line"));

	let asked = values.next().expect("the call to be signed")["externalCall"].clone();
	assert_eq!(asked["account"], address.as_str());
	let call = asked["call"].as_str().and_then(|call| call.strip_prefix("0x")).expect("hex");
	let call = RuntimeCall::decode(&mut &hex::decode(call).expect("hex")[..]);
	let wallet = Wallet::open(&node.url, account).await;
	let sent = wallet.send(wallet.nonce().await, 0, call.expect("a call of this runtime")).await;
	sent.expect("it is valid");

	let registered = values.next().expect("the result");
	assert_eq!(registered["status"], "registered", "{registered}");
	assert!(running.wait().expect("it was ours").success());
}
