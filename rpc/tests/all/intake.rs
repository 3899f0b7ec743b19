//! Each row of protocol §5's error table, and what is stored after it, through real JSON-RPC over a
//! socket against a mock chain.

use crate::common::*;
use futures::FutureExt;
use jsonrpsee::{
	core::{client::ClientT, ClientError},
	http_client::HttpClient,
	rpc_params,
	types::ErrorObjectOwned,
};
use keyshare_primitives::{
	messages, proof,
	share::Share,
	split::PrivateKey,
	wire::{
		CustodyChallenge, ErrorCode, ErrorData, FreshProof, HexBytes, HostedServers, ShareReceipt,
		ShareState, ShareStatus, Ss58, SubmitShare, SubmitStatus,
	},
	KeyScheme, PROTOCOL_VERSION,
};
use keyshare_rpc::{api, caller::Caller, store::RecordState};
use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};
use serde_json::{json, Value};
use std::sync::Arc;

fn client(node: &Node) -> HttpClient {
	HttpClient::builder().build(node.url("http")).expect("a valid URL")
}

async fn submit(node: &Node, request: &SubmitShare) -> Result<ShareReceipt, ClientError> {
	client(node).request("keyshare_submitShare", rpc_params![request]).await
}

async fn status(node: &Node, number: u8, dealt: &Dealt) -> ShareStatus {
	let query = json!({ "server": Ss58(server(number)), "account": Ss58(dealt.account.clone()) });
	let answer = client(node).request("keyshare_shareStatus", rpc_params![query]).await;
	answer.expect("answered")
}

fn refusal(error: ClientError) -> ErrorObjectOwned {
	match error {
		ClientError::Call(error) => error,
		other => panic!("no answer of the method: {other}"),
	}
}

fn data(error: &ErrorObjectOwned) -> Option<ErrorData> {
	error.data().map(|data| serde_json::from_str(data.get()).expect("as the protocol says"))
}

/// Submits what must be refused, and checks that nothing is stored by it and nothing secret said.
async fn refused(
	node: &Node,
	dealt: &Dealt,
	request: &SubmitShare,
	code: ErrorCode,
) -> Option<ErrorData> {
	let error = refusal(submit(node, request).await.expect_err("must be refused"));
	assert_eq!(ErrorCode::from_code(error.code()), Some(code), "{error:?}");
	assert!(error.message().starts_with(code.name()), "{error:?}");
	assert_eq!(node.stored_count(), 0);
	let said = serde_json::to_string(&error).expect("it was JSON");
	for share in &dealt.shares {
		assert!(!said.contains(&hex::encode(share.expose_secret())));
		assert!(!contains(&store_bytes(&node.folder), share.expose_secret()));
	}
	data(&error)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_is_stored_and_proved_and_known_when_it_comes_again() {
	let node = Node::start().await;
	for (number, scheme) in (0..).zip(SCHEMES) {
		let dealt = node.register(number, scheme);
		for subgroup in 0..SUBGROUPS {
			let first = submit(&node, &dealt.request(subgroup)).await.expect("accepted");
			assert_eq!(first.status, SubmitStatus::Stored);
			assert_eq!(first.registration_id, dealt.key.id);
			let message = messages::custody_message(&dealt.key.id, &server(subgroup));
			let promised = dealt.key.verifying_share(subgroup).expect("one a subgroup");
			let proof = first.custody_proof.of_scheme(scheme).expect("its length");
			assert!(proof::verify(&proof, &message, &promised));

			// Sealed anew, it is another envelope with the same share.
			let again = submit(&node, &dealt.request(subgroup)).await.expect("harmless");
			assert_eq!(again.status, SubmitStatus::AlreadyStored);
			assert_eq!(again.custody_proof, first.custody_proof);
			assert_eq!(again.registration_id, first.registration_id);
		}
		for share in &dealt.shares {
			let bytes = store_bytes(&node.folder);
			assert!(!contains(&bytes, share.expose_secret()));
			assert!(!contains(&bytes, hex::encode(share.expose_secret()).as_bytes()));
		}
	}
	assert_eq!(node.stored_count(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_read_by_name_and_by_position() {
	let node = Node::start().await;
	let by_name = node.register(1, KeyScheme::Ed25519);
	let Value::Object(fields) = serde_json::to_value(by_name.request(0)).expect("serializes")
	else {
		panic!("an object")
	};
	let mut params = jsonrpsee::core::params::ObjectParams::new();
	for (name, value) in fields {
		params.insert(&name, value).expect("serializes");
	}
	let receipt: ShareReceipt =
		client(&node).request("keyshare_submitShare", params).await.expect("accepted");
	assert_eq!(receipt.status, SubmitStatus::Stored);

	let by_position = node.register(2, KeyScheme::Secp256k1);
	let receipt: ShareReceipt = client(&node)
		.request("keyshare_submitShare", rpc_params![by_position.request(0)])
		.await
		.expect("accepted");
	assert_eq!(receipt.status, SubmitStatus::Stored);
	assert_eq!(node.stored_count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_shapes_are_invalid_params_and_are_not_repeated() {
	let node = Node::start().await;
	let dealt = node.register(1, KeyScheme::Ed25519);
	let good = serde_json::to_value(dealt.request(0)).expect("serializes");
	let with = |field: &str, value: Value| {
		let mut changed = good.clone();
		changed[field] = value;
		changed
	};
	let mut missing = good.clone();
	missing.as_object_mut().expect("an object").remove("enc");
	let share = hex::encode(dealt.shares[0].expose_secret());
	let bad = [
		json!([]),
		json!([good, good]),
		// The fields' values by position, which serde would take for the object.
		json!([[
			good["server"],
			good["account"],
			good["generation"],
			good["subgroup"],
			good["enc"],
			good["ciphertext"]
		]]),
		json!(["text"]),
		json!([missing]),
		missing.clone(),
		json!([with("share", json!(share))]),
		json!([with(&share, json!(1))]),
		json!([with("generation", json!(share))]),
		json!([with("generation", json!(-1))]),
		json!([with("subgroup", json!(256))]),
		json!([with("server", json!("5Nobody"))]),
		json!([with("account", json!(share))]),
		json!([with("enc", json!(format!("0x{}", &share[2..])))]),
		json!([with("enc", json!(share))]),
		json!([with("ciphertext", json!(format!("0x{share}")))]),
	];
	let module = api::module(node.intake.clone());
	for params in bad {
		let body = json!({
			"jsonrpc": "2.0", "id": 1, "method": "keyshare_submitShare", "params": params,
		});
		let request = body.to_string();
		let (answer, _) = module.raw_json_request(&request, 1).await.expect("a request");
		let answer: Value = serde_json::from_str(&answer).expect("JSON");
		assert_eq!(answer["error"]["code"], json!(-32602), "{params}");
		assert!(!answer.to_string().contains(&share), "{answer}");
	}
	assert_eq!(node.stored_count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_server() {
	let node = Node::start().await;
	let dealt = node.register(1, KeyScheme::Ed25519);
	let mut request = dealt.request(0);
	request.server = Ss58(server(7));
	// Even one that is a member of the subgroup: another node hosts it.
	node.chain.at_best(|view| view.join(server(7), 0));
	assert_eq!(refused(&node, &dealt, &request, ErrorCode::UnknownServer).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn not_registering() {
	let node = Node::start().await;
	let dealt = deal(user(1), 1, KeyScheme::Ed25519);
	let request = dealt.request(0);
	assert_eq!(refused(&node, &dealt, &request, ErrorCode::NotRegistering).await, None);
	// The best block counts, not the finalized one.
	node.chain.finalized.write().expect("not poisoned").register(&dealt);
	assert_eq!(refused(&node, &dealt, &request, ErrorCode::NotRegistering).await, None);
	node.chain.at_best(|view| view.register(&dealt));
	assert!(submit(&node, &request).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_generation_names_the_attempt_or_else_the_key_in_force() {
	let node = Node::start().await;
	let key = deal(user(1), 3, KeyScheme::Ed25519);
	let attempt = deal(user(1), 5, KeyScheme::Ed25519);
	let other = deal(user(1), 4, KeyScheme::Ed25519);
	let data = |generation| Some(ErrorData { generation: Some(generation), ..Default::default() });
	node.chain.at_best(|view| view.put_in_force(&key));
	let request = other.request(0);
	assert_eq!(refused(&node, &other, &request, ErrorCode::WrongGeneration).await, data(3));
	node.chain.at_best(|view| view.register(&attempt));
	assert_eq!(refused(&node, &other, &request, ErrorCode::WrongGeneration).await, data(5));
	// While a key is swapped, shares of the old one and the new one are both taken.
	for dealt in [key, attempt] {
		let receipt = submit(&node, &dealt.request(0)).await.expect("accepted");
		assert_eq!(receipt.registration_id, dealt.key.id);
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_subgroup_names_the_servers_own() {
	let node = Node::start().await;
	let dealt = node.register(1, KeyScheme::Ed25519);
	let mut request = dealt.request(0);
	request.subgroup = 1;
	let own = Some(ErrorData { subgroup: Some(0), ..Default::default() });
	assert_eq!(refused(&node, &dealt, &request, ErrorCode::WrongSubgroup).await, own);
	request.subgroup = 0;
	node.chain.at_best(|view| view.leave(&server(0)));
	let none = Some(ErrorData::default());
	assert_eq!(refused(&node, &dealt, &request, ErrorCode::WrongSubgroup).await, none);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_is_not_taken_for_a_membership_that_is_not_final() {
	let node = Node::start().await;
	let dealt = node.register(1, KeyScheme::Ed25519);
	let request = dealt.request(0);
	// A fork puts the server into the subgroup; by the final block it belongs to another one.
	node.chain.finalized.write().expect("not poisoned").join(server(0), 1);
	assert_eq!(refused(&node, &dealt, &request, ErrorCode::NotFinal).await, None);
	node.chain.finalized.write().expect("not poisoned").leave(&server(0));
	assert_eq!(refused(&node, &dealt, &request, ErrorCode::NotFinal).await, None);
	node.chain.finalized.write().expect("not poisoned").join(server(0), 0);
	assert!(submit(&node, &request).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_one_wrong_envelope_after_another_is_told_to_come_back_and_the_operator_is_not() {
	let node = Node::start().await;
	let dealt = node.register(1, KeyScheme::Ed25519);
	let mut altered = dealt.request(0);
	altered.ciphertext.0[0] ^= 1;
	let mut codes = Vec::new();
	for _ in 0..65 {
		let error = refusal(submit(&node, &altered).await.expect_err("must be refused"));
		codes.extend(ErrorCode::from_code(error.code()));
	}
	assert_eq!(codes.iter().filter(|code| **code == ErrorCode::DecryptionFailed).count(), 64);
	assert_eq!(codes.last(), Some(&ErrorCode::Busy));
	// Not even a good one is opened for it now. What needs no opening is answered.
	let good = refusal(submit(&node, &dealt.request(0)).await.expect_err("must wait"));
	assert_eq!(ErrorCode::from_code(good.code()), Some(ErrorCode::Busy));
	assert_eq!(status(&node, 0, &dealt).await.status, ShareState::None);
	let module = api::module(node.intake.clone());
	let receipt: Result<ShareReceipt, _> =
		module.call("keyshare_submitShare", [dealt.request(0)]).await;
	assert!(receipt.is_ok_and(|receipt| receipt.status == SubmitStatus::Stored));
}

#[tokio::test(flavor = "multi_thread")]
async fn decryption_failed() {
	let node = Node::start().await;
	let dealt = node.register(1, KeyScheme::Ed25519);
	let mut altered = dealt.request(0);
	altered.ciphertext.0[0] ^= 1;
	assert_eq!(refused(&node, &dealt, &altered, ErrorCode::DecryptionFailed).await, None);
	// Sealed for another attempt of the same user.
	let mut other = deal(user(1), 2, KeyScheme::Ed25519).request(0);
	other.generation = 1;
	assert_eq!(refused(&node, &dealt, &other, ErrorCode::DecryptionFailed).await, None);
	// Sealed to another of this node's servers.
	let mut moved = dealt.request(0);
	moved.server = Ss58(server(1));
	moved.subgroup = 1;
	assert_eq!(refused(&node, &dealt, &moved, ErrorCode::DecryptionFailed).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn share_mismatch() {
	let node = Node::start().await;
	for (number, scheme) in (0..).zip(SCHEMES) {
		let dealt = node.register(number, scheme);
		let others = [dealt.shares[1].clone(), Share::new([0; 32]), Share::new([0xff; 32])];
		for other in others {
			let request = dealt.request_with(0, &other);
			assert_eq!(refused(&node, &dealt, &request, ErrorCode::ShareMismatch).await, None);
		}
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn busy_when_the_queue_is_full_and_nobody_else_is_harmed() {
	let node = Arc::new(Node::start_with(1, 1, Default::default(), 16).await);
	let dealt = node.register(1, KeyScheme::Ed25519);
	node.chain.close();
	let (answers, mut answered) = tokio::sync::mpsc::unbounded_channel();
	let send = |number: u8| {
		let (node, request, answers) = (node.clone(), dealt.request(number), answers.clone());
		tokio::spawn(async move { answers.send(submit(&node, &request).await) });
	};
	// The first is at work on the only thread. Of the next two one finds the place in the queue.
	send(0);
	let waiting = node.clone();
	tokio::task::spawn_blocking(move || waiting.chain.wait_for_reader()).await.expect("runs");
	send(1);
	send(2);
	let error = refusal(answered.recv().await.expect("an answer").expect_err("no place is left"));
	assert_eq!(ErrorCode::from_code(error.code()), Some(ErrorCode::Busy));
	let retry_after_ms = u64::try_from(RETRY_AFTER.as_millis()).ok();
	assert_eq!(data(&error), Some(ErrorData { retry_after_ms, ..Default::default() }));
	assert_eq!(node.stored_count(), 0);

	node.chain.open();
	for _ in 0..2 {
		assert!(answered.recv().await.expect("an answer").is_ok());
	}
	assert_eq!(node.stored_count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_for_a_client_that_has_gone() {
	let node = Node::start_with(1, 4, Default::default(), 16).await;
	let gone = node.register(1, KeyScheme::Ed25519);
	let waiting = node.register(2, KeyScheme::Ed25519);
	node.chain.close();
	let submit = |request| node.intake.clone().submit(Caller::Ordinary, request);
	let first = tokio::spawn(submit(waiting.request(0)));
	let chain = node.chain.clone();
	tokio::task::spawn_blocking(move || chain.wait_for_reader()).await.expect("runs");
	// It is queued behind the first one, and nobody waits for it any more.
	assert!(submit(gone.request(0)).now_or_never().is_none());
	node.chain.open();
	assert!(first.await.expect("no panic").is_ok());
	assert!(submit(waiting.request(1)).await.is_ok(), "the queue has been worked off");
	assert_eq!(node.intake.store().get(&gone.key.id, &server(0)).expect("readable"), None);
	assert_eq!(node.stored_count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn storage_failed_acknowledges_nothing_and_passes() {
	let node = Node::start().await;
	let dealt = node.register(1, KeyScheme::Ed25519);
	// A trigger refuses every new row, as a full disk would.
	let outside = rusqlite::Connection::open(store_path(&node.folder)).expect("opens");
	outside
		.execute_batch(
			"CREATE TRIGGER full BEFORE INSERT ON shares BEGIN SELECT RAISE(ABORT, 'full'); END",
		)
		.expect("made");
	let request = dealt.request(0);
	assert_eq!(refused(&node, &dealt, &request, ErrorCode::StorageFailed).await, None);
	outside.execute_batch("DROP TRIGGER full").expect("dropped");
	assert_eq!(submit(&node, &request).await.expect("passes").status, SubmitStatus::Stored);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_chain_is_an_internal_error() {
	let node = Node::start().await;
	let dealt = node.register(1, KeyScheme::Ed25519);
	node.chain.at_best(|view| view.pruned = true);
	let error = refusal(submit(&node, &dealt.request(0)).await.expect_err("refused"));
	assert_eq!(error.code(), -32603);
	assert!(!error.message().contains("pruned"), "the node's own affair: {error:?}");
	node.chain.at_best(|view| view.pruned = false);
	assert_eq!(node.stored_count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_are_listed_with_key_and_subgroup() {
	let node = Node::start().await;
	node.chain.at_best(|view| view.leave(&server(2)));
	let hosted: HostedServers =
		client(&node).request("keyshare_servers", rpc_params![]).await.expect("answered");
	assert_eq!(hosted.protocol_version, PROTOCOL_VERSION);
	assert_eq!(hosted.genesis_hash, GENESIS);
	assert_eq!(hosted.servers.len(), 3);
	for (number, (listed, subgroup)) in
		(0..).zip(hosted.servers.iter().zip([Some(0), Some(1), None]))
	{
		assert_eq!(listed.account.0, server(number));
		let keyshare_primitives::EncryptionKey::X25519(key) = secret(number).public();
		assert_eq!(listed.encryption_key.0, key);
		assert_eq!(listed.subgroup, subgroup);
	}
	let refused = client(&node).request::<Value, _>("keyshare_servers", rpc_params![1]).await;
	assert_eq!(refusal(refused.expect_err("it takes none")).code(), -32602);
	let by_name = jsonrpsee::core::params::ObjectParams::new();
	assert!(client(&node).request::<Value, _>("keyshare_servers", by_name).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn status_follows_a_share_from_nothing_to_confirmed() {
	let node = Node::start().await;
	let dealt = deal(user(1), 2, KeyScheme::Ed25519);
	let is = |status, generation| ShareStatus { status, generation };
	assert_eq!(status(&node, 0, &dealt).await, is(ShareState::None, None));
	node.chain.everywhere(|view| view.register(&dealt));
	assert_eq!(status(&node, 0, &dealt).await, is(ShareState::None, Some(2)));
	submit(&node, &dealt.request(0)).await.expect("accepted");
	assert_eq!(status(&node, 0, &dealt).await, is(ShareState::Stored, Some(2)));
	assert_eq!(status(&node, 1, &dealt).await, is(ShareState::None, Some(2)));

	let store = node.intake.store();
	let set = |state| {
		let share = store.get(&dealt.key.id, &server(0)).expect("readable").expect("stored");
		store.set_states(vec![(share, state)]).expect("writable");
	};
	set(RecordState::Confirming);
	assert_eq!(status(&node, 0, &dealt).await, is(ShareState::Confirming, Some(2)));
	node.chain.at_best(|view| view.confirm(&dealt, 0));
	assert_eq!(status(&node, 0, &dealt).await, is(ShareState::Confirmed, Some(2)));
	node.chain.at_best(|view| view.forget_confirmations());
	set(RecordState::Confirmed);
	assert_eq!(status(&node, 0, &dealt).await, is(ShareState::Confirmed, Some(2)));

	// A key in force is reported when no attempt is under way, an attempt before it.
	node.chain.at_best(|view| view.complete(&dealt));
	assert_eq!(status(&node, 0, &dealt).await, is(ShareState::Confirmed, Some(2)));
	let swap = deal(user(1), 3, KeyScheme::Ed25519);
	node.chain.at_best(|view| view.register(&swap));
	assert_eq!(status(&node, 0, &dealt).await, is(ShareState::None, Some(3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn custody_is_proved_afresh_for_each_nonce() {
	let node = Node::start().await;
	let prove = |account, number: u8, nonce: [u8; 32]| {
		let challenge = CustodyChallenge {
			server: Ss58(server(number)),
			account: Ss58(account),
			nonce: HexBytes(nonce),
		};
		let client = client(&node);
		async move {
			let params = rpc_params![challenge];
			client.request::<FreshProof, _>("keyshare_proveCustody", params).await
		}
	};
	let code = |result: Result<FreshProof, ClientError>| {
		ErrorCode::from_code(refusal(result.expect_err("refused")).code())
	};
	for (number, scheme) in (0..).zip(SCHEMES) {
		let dealt = deal(user(number), 1, scheme);
		let unknown = prove(user(number), 0, [1; 32]).await;
		assert_eq!(code(unknown), Some(ErrorCode::NotRegistering));
		node.chain.everywhere(|view| view.register(&dealt));
		assert_eq!(code(prove(user(number), 0, [1; 32]).await), Some(ErrorCode::NoShare));
		submit(&node, &dealt.request(0)).await.expect("accepted");

		let promised = dealt.key.verifying_share(0).expect("one a subgroup");
		for nonce in [[1; 32], [2; 32]] {
			let fresh = prove(user(number), 0, nonce).await.expect("held");
			assert_eq!(fresh.registration_id, dealt.key.id);
			let proof = fresh.custody_proof.of_scheme(scheme).expect("its length");
			let message = messages::challenge_message(&dealt.key.id, &server(0), &nonce);
			assert!(proof::verify(&proof, &message, &promised));
			let other = messages::challenge_message(&dealt.key.id, &server(0), &[3; 32]);
			assert!(!proof::verify(&proof, &other, &promised));
		}

		// The key in force is what counts, even while its share is not here.
		let in_force = deal(user(number), 9, scheme);
		node.chain.at_best(|view| view.put_in_force(&in_force));
		assert_eq!(code(prove(user(number), 0, [1; 32]).await), Some(ErrorCode::NoShare));
	}
	assert_eq!(code(prove(user(0), 7, [1; 32]).await), Some(ErrorCode::UnknownServer));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_altered_in_the_store_is_neither_proved_nor_mended() {
	let node = Node::start().await;
	let dealt = node.register(1, KeyScheme::Ed25519);
	submit(&node, &dealt.request(0)).await.expect("accepted");
	let outside = rusqlite::Connection::open(store_path(&node.folder)).expect("opens");
	outside.execute("UPDATE shares SET ciphertext = zeroblob(48)", []).expect("altered");
	let challenge = CustodyChallenge {
		server: Ss58(server(0)),
		account: Ss58(user(1)),
		nonce: HexBytes([1; 32]),
	};
	let result = client(&node)
		.request::<FreshProof, _>("keyshare_proveCustody", rpc_params![challenge])
		.await;
	let error = refusal(result.expect_err("it cannot be decrypted"));
	assert_eq!(ErrorCode::from_code(error.code()), Some(ErrorCode::NoShare));
	let still: Vec<u8> =
		outside.query_row("SELECT ciphertext FROM shares", [], |row| row.get(0)).expect("there");
	assert_eq!(still, [0; 48]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_share_sent_many_times_at_once_is_stored_once() {
	let node = Node::start().await;
	let dealt = node.register(1, KeyScheme::Secp256k1);
	let requests: Vec<_> = (0..8).map(|_| dealt.request(0)).collect();
	let sent = requests.iter().map(|request| submit(&node, request));
	let receipts = futures::future::try_join_all(sent).await.expect("all accepted");
	let new = receipts.iter().filter(|receipt| receipt.status == SubmitStatus::Stored).count();
	assert_eq!(new, 1);
	assert!(receipts.iter().all(|receipt| receipt.custody_proof == receipts[0].custody_proof));
	assert_eq!(node.stored_count(), 1);
}

/// Invariant: whatever is sent, only the share that the chain promises is ever stored.
#[tokio::test(flavor = "multi_thread")]
async fn no_alteration_of_a_request_is_stored() {
	use proptest::{
		strategy::{Strategy, ValueTree},
		test_runner::TestRunner,
	};
	let node = Node::start().await;
	let dealt = node.register(1, KeyScheme::Ed25519);
	let stranger = PrivateKey::generate(KeyScheme::Ed25519, &mut ChaCha20Rng::from_seed([9; 32]));
	let good = serde_json::to_string(&dealt.request(0)).expect("serializes");
	let module = api::module(node.intake.clone());
	let alteration = (0..good.len(), proptest::char::range(' ', '~'));
	let mut runner = TestRunner::deterministic();
	for _ in 0..256 {
		let (at, new) = alteration.new_tree(&mut runner).expect("no filter").current();
		let mut altered = good.clone();
		altered.replace_range(at..=at, &new.to_string());
		// Hex is read in either case, so such a change is none.
		if altered.eq_ignore_ascii_case(&good) {
			continue;
		}
		let body = format!(
			r#"{{"jsonrpc":"2.0","id":1,"method":"keyshare_submitShare","params":[{altered}]}}"#
		);
		if let Ok((answer, _)) = module.raw_json_request(&body, 1).await {
			let answer: Value = serde_json::from_str(&answer).expect("JSON");
			assert!(answer.get("error").is_some(), "{altered} gave {answer}");
		}
		assert_eq!(node.stored_count(), 0, "{altered}");
	}
	let foreign = Share::new(*stranger.expose_secret());
	let request = dealt.request_with(0, &foreign);
	refused(&node, &dealt, &request, ErrorCode::ShareMismatch).await;
}
