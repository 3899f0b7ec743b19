//! A user whose account lives in a wallet: the tool prints the call, somebody else signs and sends
//! it, and the tool goes on by itself.

use codec::{Decode, Encode};
use jsonrpsee::{core::client::ClientT, http_client::HttpClient, rpc_params};
use keyshare_e2e::{DevNode, Tool};
use keyshare_runtime::{
	Address, Hash, RuntimeCall, SignedPayload, TxExtension, UncheckedExtrinsic, VERSION,
};
use serde_json::Value;
use sp_keyring::Sr25519Keyring;
use sp_runtime::{generic::Era, MultiSignature};
use std::io::{BufRead, BufReader};

/// What a wallet does with the bytes of a call: signs it for its account's next nonce, and sends
/// it to the node. It knows the chain by its runtime, not by our tool.
async fn sign_and_send(url: &str, account: Sr25519Keyring, call: &[u8]) {
	let node = HttpClient::builder().build(url.replace("ws:", "http:")).expect("a URL");
	let genesis: Hash =
		node.request("chain_getBlockHash", rpc_params![0]).await.expect("there is one");
	let address = account.to_account_id();
	let nonce: u32 = node
		.request("system_accountNextIndex", rpc_params![address.to_string()])
		.await
		.expect("any account has one");
	let call = RuntimeCall::decode(&mut &call[..]).expect("a call of this runtime");
	let extension: TxExtension = (
		frame_system::AuthorizeCall::new(),
		frame_system::CheckNonZeroSender::new(),
		frame_system::CheckSpecVersion::new(),
		frame_system::CheckTxVersion::new(),
		frame_system::CheckGenesis::new(),
		frame_system::CheckMortality::from(Era::Immortal),
		frame_system::CheckNonce::from(nonce),
		frame_system::CheckWeight::new(),
		pallet_transaction_payment::ChargeTransactionPayment::from(0),
		frame_system::WeightReclaim::new(),
	);
	let (spec, transaction) = (VERSION.spec_version, VERSION.transaction_version);
	let implied = ((), (), spec, transaction, genesis, genesis, (), (), (), ());
	let payload = SignedPayload::from_raw(call.clone(), extension.clone(), implied);
	let signature = MultiSignature::Sr25519(payload.using_encoded(|bytes| account.sign(bytes)));
	let extrinsic =
		UncheckedExtrinsic::new_signed(call, Address::Id(address), signature, extension);
	let bytes = format!("0x{}", hex::encode(extrinsic.encode()));
	let _: Hash = node.request("author_submitExtrinsic", rpc_params![bytes]).await.expect("valid");
}

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
	sign_and_send(&node.url, account, &hex::decode(call).expect("hex")).await;

	let registered = values.next().expect("the result");
	assert_eq!(registered["status"], "registered", "{registered}");
	assert!(running.wait().expect("it was ours").success());
}
